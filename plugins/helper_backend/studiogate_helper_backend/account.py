"""The cookie by which a helper service knows the account: in the profile, and in the browser that has it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from playwright.async_api import Error as PlaywrightError

from studiogate.errors import Unavailable
from studiogate_studio.errors import PageBroken
from studiogate_studio.profile import NoProfile, Stamp, read_storage, stamp_of
from studiogate_studio.tab import Tab

SAPISID = "SAPISID"


@attrs.define(eq=False)
class ProfileCookie:
    """Look whether a profile has the cookie, again when its file has changed."""

    path: Path
    _stamp: Stamp | None = attrs.field(default=None, init=False)
    _missing: bool = attrs.field(default=False, init=False)

    @property
    def missing(self) -> bool:
        """Tell whether there is a profile without it. Where there is none at all, the studio says so."""
        stamp = stamp_of(self.path)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                state = read_storage(self.path).state
            except NoProfile:
                self._missing = False
            else:
                self._missing = _find(list(state.get("cookies", []))) is None
        return self._missing


async def sapisid_of(tab: Tab) -> str:
    """Return the cookie as the browser has it now.

    :raises Unavailable: it has none.
    :raises PageBroken: the tab is gone.
    """
    tab.check()
    try:
        cookies = await tab.page.context.cookies(tab.page.url)
    except PlaywrightError as error:
        raise PageBroken("The browser is gone.") from error
    if (sapisid := _find(list(cookies))) is None:
        raise Unavailable(f"the browser has no cookie {SAPISID}; sign in again", status=503)
    return sapisid


def _find(cookies: "list[Mapping[str, Any]] | list[Any]") -> str | None:
    return next((str(each["value"]) for each in cookies if each.get("name") == SAPISID and each.get("value")), None)
