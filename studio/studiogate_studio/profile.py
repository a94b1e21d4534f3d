"""The operator's profile: a Playwright storage_state file, read and judged before a browser is given it.

Whether the cookies are good, only the page knows; what is told here is what can be told from the file.
"""

import json
import logging
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import attrs

if TYPE_CHECKING:
    from playwright.async_api import StorageState

log = logging.getLogger(__name__)

CRITICAL_COOKIES = ("SID", "HSID", "SSID", "APISID", "SAPISID", "SIDCC", "__Secure-1PSID", "__Secure-3PSID")
"""The cookies without which Google's pages take nobody for signed in."""

_SESSION = -1
"""What a storage_state says for the expiry of a cookie that lasts as long as the browser."""

SIGN_IN = (
    "Put a Playwright storage_state of a browser in which you have signed in at studio.profile; "
    "docs/operating.md says how."
)
"""What the operator has to do without a usable profile."""

type Stamp = tuple[int, int, int]
"""Tells one version of a file from the next: inode, size in bytes, modification time in nanoseconds."""


@attrs.frozen(kw_only=True)
class Profile:
    """Hold a profile that may be signed in."""

    state: "StorageState" = attrs.field(repr=False)
    """Cookies and local storage, as Playwright takes them."""
    stamp: Stamp | None
    """The file's version."""


class NoProfile(Exception):  # noqa: N818 - a finding
    """There is no profile, or the file is none; the message says which, without its path."""


class DeadProfile(Exception):  # noqa: N818 - a finding
    """The profile's cookies can't be signed in; the message says which."""


def stamp_of(path: Path) -> Stamp | None:
    """Return the version of a file; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def read_profile(path: Path) -> Profile:
    """Read a profile; warns in the log when others could read it too.

    :raises NoProfile: missing, unreadable, or not a storage_state.
    :raises DeadProfile: a critical cookie is missing or has expired.
    """
    stamp = stamp_of(path)
    try:
        text = path.read_bytes()
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise NoProfile("There is no profile.") from None
    except OSError as error:
        raise NoProfile(f"The profile can't be read: {error.strerror}.") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        log.warning("%s holds the account's cookies and others may read it; chmod 600 it", path)
    state = _parse(text)
    _check_cookies(cast("list[dict[str, Any]]", state["cookies"]), time.time())
    return Profile(state=cast("StorageState", state), stamp=stamp)


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


def _check_cookies(cookies: list[dict[str, Any]], now: float) -> None:
    alive = {
        cookie["name"]
        for cookie in cookies
        if str(cookie["domain"]).lstrip(".") == "google.com" and cookie["value"] and _lasts(cookie, now)
    }
    if dead := [name for name in CRITICAL_COOKIES if name not in alive]:
        raise DeadProfile(f"The profile's cookies are missing or have expired: {', '.join(dead)}.")


def _lasts(cookie: dict[str, Any], now: float) -> bool:
    expires = cookie.get("expires", _SESSION)
    return not isinstance(expires, int | float) or expires == _SESSION or expires > now
