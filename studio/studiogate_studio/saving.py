"""Saves the page's cookies back to the profile: AI Studio renews some at every answer, and a profile without that ages.

Only the cookies. The local storage stays as it was at the sign-in: the page keeps texts of chats there, such as system
instructions, and what one run left behind must not steer the next.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import cast

import attrs
from playwright.async_api import StorageState

from studiogate_studio.browser import BrowserSession
from studiogate_studio.profile import DeadProfile, Profile, ReplacedProfile, check_cookies, write_profile
from studiogate_studio.settings import StudioSettings

log = logging.getLogger(__name__)

_ASK_S = 2.0
"""How long the browser may take to tell its cookies; a healthy one needs milliseconds."""


@attrs.define(eq=False, kw_only=True)
class ProfileSaver:
    """Save one session's cookies."""

    settings: StudioSettings
    profile: Profile
    """The profile as it was read, or saved last."""
    _trouble: str | None = attrs.field(default=None, init=False)
    """Why it was not saved the last time; each reason is logged once."""

    @asynccontextmanager
    async def saving(self, session: BrowserSession) -> AsyncGenerator[None]:
        """Save at intervals and at the end, while the session runs and somebody is signed in."""
        if not self.settings.profile_save_s:
            yield
            return
        stop = asyncio.Event()
        # One task for all, so that no two saves meet.
        task = asyncio.create_task(self._save_until(stop, session), name="studio-profile")
        try:
            yield
        finally:
            stop.set()
            await task

    async def _save_until(self, stop: asyncio.Event, session: BrowserSession) -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self.settings.profile_save_s):
                    await stop.wait()
            if session.signed_in and not session.over.is_set():
                await self._save(session)

    async def _save(self, session: BrowserSession) -> None:
        try:
            async with asyncio.timeout(_ASK_S):
                cookies = await session.context.cookies()
        except Exception as error:  # noqa: BLE001 - a dead driver fails its calls with plain exceptions too
            log.debug("the browser told no cookies: %s", type(error).__name__)
            return
        state = cast("StorageState", {**self.profile.state, "cookies": cookies})
        if state == self.profile.state:
            return
        try:
            check_cookies(state)
            stamp = await asyncio.to_thread(write_profile, self.settings.profile, state, over=self.profile.stamp)
        except DeadProfile as found:
            # The page will ask to sign in; until somebody does, what was saved before may still be good.
            self._complain(str(found))
        except ReplacedProfile:
            self._complain("It was replaced meanwhile; the new one is used from the browser's next start on.")
        except OSError as error:
            self._complain(f"It can't be written: {error.strerror}.")
        else:
            self.profile = Profile(state=state, stamp=stamp)
            self._trouble = None

    def _complain(self, why: str) -> None:
        if why != self._trouble:
            log.warning("the browser's cookies were not saved to the profile. %s", why)
        self._trouble = why
