"""Keeps a browser running: waits for a usable profile, launches, relaunches when it is gone, ends with its task.

    STARTING ──profile──▶ launch ──▶ READY ──browser gone──▶ RESTARTING ──back-off──▶ launch …
       │                    │          └──page asks to sign in──▶ SIGNED_OUT ──file changes, or a while──▶ launch …
       │                    ├─ no executable ─▶ NO_BROWSER (looked for again)
       │                    ├─ no display for a window ─▶ NO_DISPLAY (looked for again)
       ├─ no file ──▶ NO_PROFILE (looked at again)
       └─ dead cookies ──▶ SIGNED_OUT (looked at again)
    any ──task cancelled──▶ STOPPED

Who waits for a session waits for `changed`; every change of state wakes all.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import StrEnum

import attrs
from playwright.async_api import Playwright

from studiogate_studio.browser import BrowserSession, LaunchFailed, open_browser, running_driver
from studiogate_studio.errors import NotReady, SignedOut, StudioError
from studiogate_studio.launch import (
    BrowserLaunch,
    BrowserNotFound,
    NoDisplay,
    apply_reroute,
    apply_upstream,
    check_display,
    prepare_launch,
)
from studiogate_studio.profile import SIGN_IN, DeadProfile, NoProfile, Profile, Stamp, read_profile, stamp_of
from studiogate_studio.saving import ProfileSaver
from studiogate_studio.settings import StudioSettings

log = logging.getLogger(__name__)

type Configure = Callable[[BrowserLaunch], Awaitable[None]]
"""Lets plugins change a launch."""

_FIRST_DELAY_S = 0.25
_LAST_DELAY_S = 30.0
_LIVED_S = 60.0
"""A browser that ran this long was healthy, so its end starts the back-off anew."""


class BrowserState(StrEnum):
    """How the browser fares."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    NO_PROFILE = "no profile"
    SIGNED_OUT = "signed out"
    NO_BROWSER = "browser not found"
    NO_DISPLAY = "no display"
    STOPPED = "stopped"


WAITING_HELPS = (BrowserState.STARTING, BrowserState.READY, BrowserState.RESTARTING)
"""The states that pass without anybody doing anything."""

ADVICE = {
    BrowserState.NO_PROFILE: SIGN_IN,
    BrowserState.SIGNED_OUT: SIGN_IN,
    BrowserState.NO_BROWSER: "Install Chromium or Chrome, or set studio.browser to its executable.",
    BrowserState.NO_DISPLAY: "Run the gateway where DISPLAY or WAYLAND_DISPLAY is set, or set studio.headless to true.",
}


@attrs.define(eq=False)
class BrowserKeeper:
    """Supervise the browser. `run` is its life; everything else only looks."""

    settings: StudioSettings
    configure: Configure
    """Called before each launch."""
    state: BrowserState = attrs.field(default=BrowserState.STARTING, init=False)
    reason: str = attrs.field(default="The browser is starting.", init=False)
    """What the state means, in a sentence; no paths."""
    session: BrowserSession | None = attrs.field(default=None, init=False)
    """The running browser; None unless the state is READY."""
    driver_runs: bool = attrs.field(default=False, init=False)
    """Whether Playwright's driver has been started and not yet been stopped; the browser may still be on its way."""
    launches: int = attrs.field(default=0, init=False)
    """How many browsers were started, the running one included."""
    listeners: list[Callable[[], None]] = attrs.field(factory=list[Callable[[], None]], init=False)
    """Called on each change of state."""
    _worked: str | None = attrs.field(default=None, init=False)
    """The browser that started last; where the settings name none, it is taken again rather than looked for."""
    _changed: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _delay_s: float = attrs.field(default=_FIRST_DELAY_S, init=False)

    @property
    def advice(self) -> str | None:
        """Return what the operator should do; None when nothing helps."""
        return ADVICE.get(self.state)

    @property
    def connected(self) -> bool:
        """Whether the browser runs and answers, as far as is known."""
        return self.session is not None and not self.session.over.is_set()

    def trouble(self) -> StudioError | None:
        """Return why no session is there, as a client is told; None while there is one."""
        if self.session is not None:
            return None
        kind = SignedOut if self.state is BrowserState.SIGNED_OUT else NotReady
        return kind(f"{self.reason} {self.advice}" if self.advice else self.reason)

    async def ready(self) -> BrowserSession:
        """Wait for a session, however long it takes."""
        while self.session is None or self.session.over.is_set():
            await self._changed.wait()
        return self.session

    async def run(self) -> None:
        """Keep a browser running until cancelled; then nothing of it is left."""
        try:
            while True:
                profile = await self._usable_profile()
                launch = await self._prepared()
                if launch is not None:
                    await self._live(launch, profile)
        finally:
            self._enter(BrowserState.STOPPED, "The browser has been stopped.")

    async def _live(self, launch: BrowserLaunch, profile: Profile) -> None:
        """Run one browser from its launch to its end, and wait what has to be waited after it."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        saver = ProfileSaver(settings=self.settings, profile=profile)
        try:
            async with (
                self._driver() as driver,
                open_browser(driver, launch, profile, self.settings) as session,
                saver.saving(session),
            ):
                self.launches += 1
                self._worked = session.executable
                self._enter(BrowserState.READY, "The browser is running.", session)
                await session.over.wait()
                self._leave(session)
        except BrowserNotFound as found:
            await self._no_browser(found)
            return
        except LaunchFailed:
            self._worked = None
            self._enter(BrowserState.RESTARTING, "The browser did not start; it is tried again. The log says why.")
            await self._back_off()
            return
        if session.signed_out:
            await self._profile_changes(saver.profile.stamp, self.settings.signed_out_retry_s)
            return
        if loop.time() - started > _LIVED_S:
            self._delay_s = _FIRST_DELAY_S
        await self._back_off()

    @asynccontextmanager
    async def _driver(self) -> AsyncGenerator[Playwright]:
        async with running_driver(self.settings) as driver:
            self.driver_runs = True
            try:
                yield driver
            finally:
                self.driver_runs = False

    def _leave(self, session: BrowserSession) -> None:
        if session.signed_out:
            log.warning("AI Studio asks to sign in; waiting for a fresh profile")
            self._enter(BrowserState.SIGNED_OUT, "Nobody is signed in to AI Studio in this browser.")
        else:
            log.warning("the browser is gone; starting it again")
            self._enter(BrowserState.RESTARTING, "The browser is restarting.")

    async def _usable_profile(self) -> Profile:
        path = self.settings.profile
        while True:
            try:
                return await asyncio.to_thread(read_profile, path)
            except NoProfile as found:
                state, reason = BrowserState.NO_PROFILE, str(found)
            except DeadProfile as found:
                state, reason = BrowserState.SIGNED_OUT, str(found)
            if (self.state, self.reason) != (state, reason):
                log.warning("%s: %s %s", path, reason, SIGN_IN)
                self._enter(state, reason)
            await self._profile_changes(stamp_of(path), self.settings.signed_out_retry_s)

    async def _profile_changes(self, stamp: Stamp | None, within_s: float) -> None:
        """Wait until the profile's file is another one, at most `within_s` seconds."""
        deadline = asyncio.get_running_loop().time() + within_s
        # Polled: the file may lie where nothing tells of changes, and may not exist yet.
        while stamp_of(self.settings.profile) == stamp and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(self.settings.profile_poll_s)

    async def _prepared(self) -> BrowserLaunch | None:
        """Make the launch ready and have plugins change it; None, after a wait, when that failed."""
        if self.state not in {BrowserState.RESTARTING, BrowserState.NO_BROWSER, BrowserState.NO_DISPLAY}:
            self._enter(BrowserState.STARTING, "The browser is starting.")
        try:
            launch = prepare_launch(self.settings)
            launch.executable = launch.executable or self._worked
            await self.configure(launch)
            check_display(launch)
            apply_reroute(launch, self.settings)
            apply_upstream(launch, self.settings)
        except BrowserNotFound as found:
            await self._no_browser(found)
            return None
        except NoDisplay:
            await self._lacks(BrowserState.NO_DISPLAY, "There is no display for the browser's window.")
            return None
        except Exception:  # a plugin's hook may fail in any way; the browser can be tried again
            log.exception("the browser's launch could not be prepared")
            self._enter(BrowserState.RESTARTING, "The browser's launch could not be prepared. The log says why.")
        else:
            return launch
        await self._back_off()
        return None

    async def _no_browser(self, found: BrowserNotFound) -> None:
        await self._lacks(BrowserState.NO_BROWSER, "There is no browser to start.", f" It was looked for: {found}.")

    async def _lacks(self, state: BrowserState, reason: str, detail: str = "") -> None:
        """Wait without what only the operator can bring; `detail` is for the log alone."""
        if self.state is not state:
            log.warning("%s%s %s", reason, detail, ADVICE[state])
            self._enter(state, reason)
        await self._back_off()

    async def _back_off(self) -> None:
        await asyncio.sleep(self._delay_s)
        self._delay_s = min(self._delay_s * 2, _LAST_DELAY_S)

    def _enter(self, state: BrowserState, reason: str, session: BrowserSession | None = None) -> None:
        self.state, self.reason, self.session = state, reason, session
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        for listener in tuple(self.listeners):
            listener()
