"""The one signed-in account: its cookies, how they are recognised, and a browser state that holds them."""

import json
import secrets
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final

from studiogate_simulator.hosts import PAGE_ORIGIN

AUTH_COOKIES: Final = ("SID", "HSID", "SSID", "APISID", "SAPISID", "SIDCC", "__Secure-1PSID", "__Secure-3PSID")
"""The cookies without which nobody is signed in."""

_READABLE: Final = {"SID", "APISID", "SAPISID", "SIDCC", "__Secure-1PAPISID", "__Secure-3PAPISID"}
_REFRESHED: Final = ("SIDCC", "__Secure-1PSIDCC", "__Secure-3PSIDCC")
_YEAR_S: Final = 365 * 24 * 3600
_PREFERENCE: Final = {"autosaveEnabled": False, "isAdvancedOpen": True, "areToolsOpen": True}


def is_signed_in(headers: Mapping[str, str]) -> bool:
    """Tell whether a request carries the auth cookies; their values are made up, so only presence counts."""
    try:
        jar = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return False
    return all(name in jar and jar[name].value for name in AUTH_COOKIES)


def refreshed_cookies() -> list[str]:
    """Give the Set-Cookie values that every RPC answer carries upstream."""
    value = secrets.token_urlsafe(48)
    return [_set_cookie(name, value) for name in _REFRESHED]


def signing_in_cookies() -> list[str]:
    """Give the Set-Cookie values that sign a browser in."""
    return [_set_cookie(name, value) for name, value in _new_values().items()]


def storage_state() -> bytes:
    """Make a Playwright storage state, as JSON: a year of being signed in and the page's least preference."""
    state = {
        "cookies": [_cookie(name, value) for name, value in _new_values().items()],
        "origins": [
            {
                "origin": PAGE_ORIGIN,
                "localStorage": [{"name": "aiStudioUserPreference", "value": json.dumps(_PREFERENCE)}],
            }
        ],
    }
    return json.dumps(state, indent=2).encode()


def _new_values() -> dict[str, str]:
    sapisid = secrets.token_urlsafe(25)
    values = {name: secrets.token_urlsafe(40) for name in (*AUTH_COOKIES, *_REFRESHED)}
    return values | dict.fromkeys(("SAPISID", "__Secure-1PAPISID", "__Secure-3PAPISID"), sapisid)


def _set_cookie(name: str, value: str) -> str:
    attributes = f"domain=.google.com; path=/; max-age={_YEAR_S}; secure"
    return f"{name}={value}; {attributes}" + ("" if name in _READABLE else "; httponly") + "; priority=high"


def _cookie(name: str, value: str) -> dict[str, str | float | bool]:
    return {
        "name": name,
        "value": value,
        "domain": ".google.com",
        "path": "/",
        "expires": time.time() + _YEAR_S,
        "httpOnly": name not in _READABLE,
        "secure": True,
        # The RPC host is same-site with the page, so Lax would do; upstream sets None on the third-party ones.
        "sameSite": "None" if name.startswith("__Secure-3P") else "Lax",
    }
