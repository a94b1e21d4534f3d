"""API keys: who may ask the gateway, as the operator's file of keys says.

One key a line, `#` comments. Without keys the gateway is open: nobody is asked for one. A gateway that others than this
machine's programs can reach, and that once had keys, never becomes open: an editor that empties the file for the blink
of an eye, or a volume that is gone, must not let the world in.

Keys are kept and compared as digests under a secret of this process, so neither the time a comparison takes nor a
caller's id, wherever it may be shown, tells anything about a key.
"""

import hmac
import logging
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

import attrs

from studiogate.errors import ConfigurationError
from studiogate.exchange import Caller
from studiogate.listfile import Line, Watched, read_lines
from studiogate.settings import GatewaySettings, is_loopback

log = logging.getLogger(__name__)

MIN_LENGTH = 8
"""Characters a key has at least."""
_SHOWS_EIGHT = 12
"""Characters a key needs before its mask may show eight of them."""
_ID_LENGTH = 16


def masked(key: str) -> str:
    """Return what may be shown of a key: `abcd****efgh`, or `ab****gh` of a short one."""
    shown = 4 if len(key) >= _SHOWS_EIGHT else 2
    return f"{key[:shown]}****{key[-shown:]}"


def flaw(key: str) -> str | None:
    """Return what is wrong with a key, as the rest of a sentence; None if nothing is. Never holds any of the key."""
    if len(key) < MIN_LENGTH:
        return f"is shorter than {MIN_LENGTH} characters"
    if key.startswith("#"):
        return "begins with '#', as comments do"
    if not all("!" <= character <= "~" for character in key):
        return "holds something else than ASCII letters, digits and punctuation, such as a space"
    return None


def read_keys(path: Path) -> list[Line]:
    """Read a file's keys in order; a missing file has none. Warns in the log when others could read it too.

    :raises ConfigurationError: it can't be read, or keys in it can't be used; names their lines.
    """
    lines = read_lines(path)
    wrong = [(line.number, why) for line in lines if (why := flaw(line.text))]
    if wrong:
        raise ConfigurationError("\n".join(f"{path.name}: line {number}: the key {why}." for number, why in wrong))
    if lines and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        log.warning("%s holds API keys and others may read it; chmod 600 it", path.name)
    return lines


@attrs.frozen
class _Holder:
    digest: bytes = attrs.field(repr=False)
    caller: Caller


class ApiKeys:
    """Tell who holds a key, as the file says now. Lives on the loop's thread only."""

    def __init__(self, settings: GatewaySettings) -> None:
        """Read the file of keys.

        :raises ConfigurationError: see `read_keys`.
        """
        self._secret = secrets.token_bytes(32)
        self._stays_shut = not settings.insecure and (not is_loopback(settings.host) or bool(settings.trusted_hosts))
        self._watched = Watched(settings.keys_file, self._read)
        self._holders = self._watched.current
        self._had_some = bool(self._holders)

    @property
    def required(self) -> bool:
        """Whether a key is asked for now."""
        return self._asks(self._now())

    def caller(self, presented: Iterable[bytes]) -> Caller | None:
        """Return the holder of the first valid key among those presented; an empty `Caller` where nobody is asked.

        None means that nobody the gateway knows is asking, although it asks for a key.
        """
        holders = self._now()
        if not self._asks(holders):
            return Caller()
        found = (self._holder(holders, key) for key in presented)
        return next((holder.caller for holder in found if holder), None)

    def _asks(self, holders: tuple[_Holder, ...]) -> bool:
        return bool(holders) or (self._had_some and self._stays_shut)

    def _holder(self, holders: tuple[_Holder, ...], key: bytes) -> _Holder | None:
        digest = self._digest(key)
        # All are compared, so that the time doesn't tell which one it is either.
        equal = [holder for holder in holders if hmac.compare_digest(holder.digest, digest)]
        return equal[0] if equal else None

    def _digest(self, key: bytes) -> bytes:
        return hmac.digest(self._secret, key, "sha256")

    def _read(self, path: Path) -> tuple[_Holder, ...]:
        keys = dict.fromkeys(line.text for line in read_keys(path))
        digests = {key: self._digest(key.encode()) for key in keys}
        return tuple(
            _Holder(digest, Caller(key=masked(key), id=digest.hex()[:_ID_LENGTH])) for key, digest in digests.items()
        )

    def _now(self) -> tuple[_Holder, ...]:
        try:
            holders = self._watched.current
        except ConfigurationError as error:
            log.error("%s\nThe keys read before hold until that is corrected.", error)  # noqa: TRY400 - says it all
            return self._holders
        if holders is not self._holders:
            self._holders = holders
            self._had_some = self._had_some or bool(holders)
            self._tell()
        return holders

    def _tell(self) -> None:
        if self._holders:
            log.info("the API keys have changed, now %d", len(self._holders))
        elif self._asks(self._holders):
            log.error("no API keys are left: whatever needs one is refused until there are some")
        else:
            log.warning("no API keys are left: nobody is asked for one")
