"""The operator's profile: a Playwright storage_state file, read and judged before a browser is given it, and written.

Whether the cookies are good, only the page knows; what is told here is what can be told from the file.
"""

import json
import logging
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import attrs

from studiogate.private_file import locked_folder, replace_file

if TYPE_CHECKING:
    from playwright.async_api import StorageState

log = logging.getLogger(__name__)

CRITICAL_COOKIES = ("SID", "HSID", "SSID", "APISID", "SAPISID", "SIDCC", "__Secure-1PSID", "__Secure-3PSID")
"""The cookies without which Google's pages take nobody for signed in."""

_SESSION = -1
"""What a storage_state says for the expiry of a cookie that lasts as long as the browser."""

SIGN_IN = (
    "Run 'studiogate login', or put a Playwright storage_state of a browser in which you have signed in at "
    "studio.profile; docs/operating.md says how."
)
"""What the operator has to do without a usable profile."""

type Stamp = tuple[int, int, int]
"""Tells one version of a file from the next: inode, size in bytes, modification time in nanoseconds."""


@attrs.frozen(kw_only=True)
class Profile:
    """Hold a profile that may be signed in."""

    state: "StorageState" = attrs.field(repr=False)
    """Cookies and local storage, as Playwright takes them."""
    stamp: Stamp
    """The file's version."""


class NoProfile(Exception):  # noqa: N818 - a finding
    """There is no profile, or the file is none; the message says which, without its path."""


class DeadProfile(Exception):  # noqa: N818 - a finding
    """The profile's cookies can't be signed in; the message says which."""


class ReplacedProfile(Exception):  # noqa: N818 - a finding
    """Somebody else has written or removed the profile meanwhile; what is theirs stands."""


def stamp_of(path: Path) -> Stamp | None:
    """Return the version of a file; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return _stamp(found)


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_ino, found.st_size, found.st_mtime_ns


def read_profile(path: Path) -> Profile:
    """Read a profile; warns in the log when others could read it too.

    :raises NoProfile: missing, unreadable, or not a storage_state.
    :raises DeadProfile: a critical cookie is missing or has expired.
    """
    profile = read_storage(path)
    check_cookies(profile.state)
    return profile


def read_storage(path: Path) -> Profile:
    """Read a profile whose cookies may be dead; warns in the log when others could read it too.

    :raises NoProfile: missing, unreadable, or not a storage_state.
    """
    try:
        # Before the content: a file that is replaced in between counts as changed, never as known.
        status = path.stat()
        text = path.read_bytes()
    except FileNotFoundError:
        raise NoProfile("There is no profile.") from None
    except OSError as error:
        raise NoProfile(f"The profile can't be read: {error.strerror}.") from None
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        log.warning("%s holds the account's cookies and others may read it; chmod 600 it", path)
    return Profile(state=cast("StorageState", _parse(text)), stamp=_stamp(status))


def write_profile(path: Path, state: "StorageState", *, over: Stamp | None = None) -> Stamp:
    """Write a profile in one step, readable by its owner only; a missing folder is made its owner's only.

    :param over: the version that may be written over; None for any.
    :returns: the new version.
    :raises ReplacedProfile: the file is not that version any more.
    :raises OSError: it can't be written; the old one is as it was.
    """
    data = json.dumps(state, indent=2).encode()
    with locked_folder(path):
        if over is not None and stamp_of(path) != over:
            raise ReplacedProfile
        return _stamp(replace_file(path, data))


def _parse(text: bytes) -> dict[str, Any]:
    try:
        state: Any = json.loads(text)
    except ValueError:
        raise NoProfile("The profile is no JSON.") from None
    match state:
        case {"cookies": [*cookies], "origins": [*_]} if all(map(_is_cookie, cookies)):
            return cast("dict[str, Any]", state)
        case _:
            raise NoProfile('The profile is no storage_state: {"cookies": [...], "origins": [...]} is expected.')


def _is_cookie(value: object) -> bool:
    match value:
        case {"name": str(), "value": str(), "domain": str()}:
            return True
        case _:
            return False


def check_cookies(state: "StorageState") -> None:
    """Check that the cookies which a sign-in needs are there and last.

    :raises DeadProfile: one is missing or has expired.
    """
    now = time.time()
    alive = {
        cookie["name"]
        for cookie in cast("list[dict[str, Any]]", state.get("cookies", []))
        if str(cookie["domain"]).lstrip(".") == "google.com" and cookie["value"] and _lasts(cookie, now)
    }
    if dead := [name for name in CRITICAL_COOKIES if name not in alive]:
        raise DeadProfile(f"The profile's cookies are missing or have expired: {', '.join(dead)}.")


def _lasts(cookie: dict[str, Any], now: float) -> bool:
    expires = cookie.get("expires", _SESSION)
    return not isinstance(expires, int | float) or expires == _SESSION or expires > now
