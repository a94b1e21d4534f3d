"""One running browser: Playwright's driver, Chromium and one context with the profile, opened and closed as one.

Each launch gets a driver of its own, so that a dead driver is replaced with the browser. Chromium hangs on a pipe of
the driver's and the driver on one of ours: when we end in any way, they do.
"""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
from playwright.async_api import (
    Browser,
    BrowserContext,
    Error as PlaywrightError,
    Playwright,
    ProxySettings,
    StorageState,
    async_playwright,
)

from studiogate_studio.launch import BrowserLaunch, BrowserNotFound, installed_browsers
from studiogate_studio.preferences import preferences_script
from studiogate_studio.profile import Profile
from studiogate_studio.proxy_login import log_in
from studiogate_studio.settings import StudioSettings

log = logging.getLogger(__name__)

_DRIVER_S = 15.0
"""How long Playwright's driver may take to start."""

_PULSE_S = 2.0
"""How often the browser is asked whether it lives."""
_SILENT_S = 20.0
"""After how long without an answer it is taken for dead; a busy machine may be slow."""


class LaunchFailed(Exception):  # noqa: N818 - a finding
    """The browser did not start; the log says why."""


@attrs.define(eq=False, kw_only=True)
class BrowserSession:
    """Hold one running browser, signed in with one profile."""

    context: BrowserContext
    """The one context that all tabs live in."""
    version: str
    """Chromium's version, such as `156.0.7300.1`."""
    executable: str
    """Path of the browser that runs."""
    over: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set when the browser is gone, or to be given up."""
    signed_in: bool = False
    """Whether a page has shown that somebody is signed in."""
    signed_out: bool = False
    """Whether it was given up because the page asked to sign in."""

    def give_up(self, *, signed_out: bool = False) -> None:
        """Ask for the session's end."""
        self.signed_out = self.signed_out or signed_out
        self.over.set()


@asynccontextmanager
async def running_driver(settings: StudioSettings) -> AsyncGenerator[Playwright]:
    """Run Playwright's driver until the end.

    :raises LaunchFailed: it did not start.
    """
    playwright = await _start_driver(settings)
    try:
        yield playwright
    finally:
        await _bounded(playwright.stop(), settings.stop_s)


@asynccontextmanager
async def open_browser(
    playwright: Playwright, launch: BrowserLaunch, profile: Profile, settings: StudioSettings
) -> AsyncGenerator[BrowserSession]:
    """Launch the browser with a running driver and open its context; closes both at the end.

    :raises LaunchFailed: browser or context did not start.
    :raises BrowserNotFound: none was asked for, and there is none, not even Playwright's own.
    """
    async with _launched(playwright, launch, settings) as (browser, executable):
        with _start_failures():
            context = await _new_context(browser, launch, profile, settings)
        session = BrowserSession(context=context, version=browser.version, executable=executable)
        browser.on("disconnected", lambda _: session.give_up())
        pulse = asyncio.create_task(_feel_pulse(browser, session))
        try:
            yield session
        finally:
            session.give_up()
            pulse.cancel()
            await asyncio.gather(pulse, return_exceptions=True)


@asynccontextmanager
async def open_window(
    playwright: Playwright, launch: BrowserLaunch, state: StorageState | None, settings: StudioSettings
) -> AsyncGenerator[BrowserContext]:
    """Launch the browser for a person: the page is as AI Studio makes it, and as large as the window.

    :param state: what the browser remembers; None for nothing.
    :raises LaunchFailed: browser or context did not start.
    :raises BrowserNotFound: none was asked for, and there is none, not even Playwright's own.
    """
    async with _launched(playwright, launch, settings) as (browser, _):
        with _start_failures():
            context = await browser.new_context(storage_state=state, locale=launch.locale, no_viewport=True)
            if launch.proxy_login is not None:
                await log_in(context, launch.proxy_login)
        yield context


@asynccontextmanager
async def _launched(
    playwright: Playwright, launch: BrowserLaunch, settings: StudioSettings
) -> AsyncGenerator[tuple[Browser, str]]:
    with _start_failures():
        browser, executable = await _launch_first(playwright, launch, settings)
    try:
        yield browser, executable
    finally:
        if browser.is_connected():
            await _bounded(browser.close(), settings.stop_s / 2)


@contextmanager
def _start_failures() -> Generator[None]:
    try:
        yield
    except PlaywrightError as error:
        log.warning("the browser did not start: %s", error.message)
        raise LaunchFailed from error


async def _feel_pulse(browser: Browser, session: BrowserSession) -> None:
    """End the session when driver or browser no longer answer; a driver's death is told by no event."""
    try:
        cdp = await browser.new_browser_cdp_session()
        while True:
            async with asyncio.timeout(_SILENT_S):
                await cdp.send("Browser.getVersion")  # pyright: ignore[reportUnknownMemberType] - Playwright's open dict
            await asyncio.sleep(_PULSE_S)
    except (PlaywrightError, TimeoutError) as error:
        log.debug("the browser has no pulse: %s", error)
        session.give_up()


async def _start_driver(settings: StudioSettings) -> Playwright:
    starting = asyncio.create_task(async_playwright().start())
    try:
        async with asyncio.timeout(_DRIVER_S):
            return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # A driver cancelled while it starts would be nobody's to stop.
        with suppress(Exception):
            async with asyncio.timeout(settings.stop_s):
                await (await starting).stop()
        raise
    except (TimeoutError, PlaywrightError, OSError) as error:
        starting.cancel()
        log.warning("Playwright's driver did not start: %s", error)
        raise LaunchFailed from error


async def _launch_first(playwright: Playwright, launch: BrowserLaunch, settings: StudioSettings) -> tuple[Browser, str]:
    """Launch the browser that was asked for, or the first that starts; an installed one may be an empty shell."""
    *others, last = _candidates(playwright, launch)
    for executable in others:
        try:
            return await _launch(playwright, executable, launch, settings), executable
        except PlaywrightError as error:
            log.warning("%s did not start; trying the next browser: %s", executable, error.message)
    return await _launch(playwright, last, launch, settings), last


def _candidates(playwright: Playwright, launch: BrowserLaunch) -> tuple[str, ...]:
    """Return which browsers to try, in order; never empty."""
    if launch.executable is not None:
        return (launch.executable,)
    own = playwright.chromium.executable_path
    candidates = (*installed_browsers(), *([own] if Path(own).exists() else []))
    if not candidates:
        raise BrowserNotFound("Chromium or Chrome on PATH, or Playwright's own")
    return candidates


async def _launch(playwright: Playwright, executable: str, launch: BrowserLaunch, settings: StudioSettings) -> Browser:
    return await playwright.chromium.launch(
        executable_path=executable,
        headless=launch.headless,
        args=launch.arguments(),
        proxy=None if launch.proxy is None else ProxySettings(server=launch.proxy),
        timeout=settings.launch_s * 1000,
        # Chromium's sandbox does not run as root.
        chromium_sandbox=os.geteuid() != 0,
        # Ctrl-C is the gateway's to handle: running answers may end first.
        handle_sigint=False,
        handle_sigterm=False,
        handle_sighup=False,
    )


async def _new_context(
    browser: Browser, launch: BrowserLaunch, profile: Profile, settings: StudioSettings
) -> BrowserContext:
    context = await browser.new_context(
        storage_state=profile.state,
        locale=launch.locale,
        viewport={"width": launch.width, "height": launch.height},
    )
    context.set_default_timeout(settings.ready_s * 1000)
    await context.add_init_script(preferences_script(settings))
    if launch.proxy_login is not None:
        await log_in(context, launch.proxy_login)
    return context


async def _bounded(closing: Coroutine[Any, Any, None], within_s: float) -> None:
    """Close something that may be dead already, or hang."""
    try:
        async with asyncio.timeout(within_s):
            await closing
    except TimeoutError:
        log.warning("the browser did not end within %g s", within_s)
    except Exception as error:  # noqa: BLE001 - a dead driver fails its calls with plain exceptions too
        log.debug("the browser was gone before it was closed: %s", error)
