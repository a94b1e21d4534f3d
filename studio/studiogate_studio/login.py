"""Signing in: a person does it in a visible browser, and the profile that comes of it is saved.

Nothing here types, clicks or looks at the pages of the sign-in. Only once a window is back on AI Studio's host, that
page is asked whether its composer is there.
"""

import asyncio
import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Error as PlaywrightError, Page, StorageState

from studiogate.errors import ConfigurationError
from studiogate.private_file import locked_folder
from studiogate_studio.browser import LaunchFailed, open_window, running_driver
from studiogate_studio.errors import PageBroken
from studiogate_studio.launch import (
    BrowserNotFound,
    NoDisplay,
    apply_reroute,
    apply_upstream,
    check_display,
    prepare_launch,
)
from studiogate_studio.page import net_error
from studiogate_studio.probe import Probe
from studiogate_studio.profile import DeadProfile, NoProfile, check_cookies, read_storage, write_profile
from studiogate_studio.selectors import Selectors
from studiogate_studio.settings import StudioSettings

UNTOUCHED = "nothing was saved"
HOW_TO = (
    "Sign in to AI Studio in the window that has opened. It closes by itself once AI Studio shows its prompt. "
    "To leave everything as it was, close it, or press Ctrl-C."
)

_POLL_S = 0.3

type Say = Callable[[str], None]
"""Tells the person something, a line each."""


class NotSignedIn(Exception):  # noqa: N818 - a finding
    """Nobody was signed in, so nothing was saved; the message says why."""


async def log_in(settings: StudioSettings, selectors: Selectors, path: Path, *, anew: bool, say: Say) -> None:
    """Open a window on AI Studio, wait until somebody is signed in, and save that to a profile.

    :param path: the profile; also what the browser starts with, where there is one.
    :param anew: whether the browser starts with nothing, such as for another account.
    :raises NotSignedIn: there is no browser or no display, or the window was closed before, or the profile can't be
        written; it is as it was.
    :raises ConfigurationError: `reroute_ca` can't be used.
    """
    # Before somebody takes the trouble to sign in.
    _check_folder(path)
    try:
        launch = prepare_launch(settings)
        launch.headless = False
        check_display(launch)
        apply_reroute(launch, settings)
        apply_upstream(launch, settings)
        async with (
            running_driver(settings) as driver,
            open_window(driver, launch, None if anew else _remembered(path), settings) as context,
        ):
            say(HOW_TO)
            state = await sign_in(context, settings, selectors, say)
    except NoDisplay:
        raise NotSignedIn(
            "there is no display to open a window on (DISPLAY and WAYLAND_DISPLAY are not set). Sign in on a machine "
            "that has one and copy the profile here, readable by its owner only (chmod 600)."
        ) from None
    except BrowserNotFound as found:
        raise NotSignedIn(
            f"there is no browser ({found}). Install Chromium or Chrome, or set studio.browser to its executable."
        ) from found
    except LaunchFailed as failed:
        raise NotSignedIn("the browser's window could not be opened; what it said stands above.") from failed
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"studio.reroute_ca: {settings.reroute_ca} can't be used: {error}") from error
    try:
        await asyncio.to_thread(write_profile, path, state)
    except OSError as error:
        raise _unwritable(path, error) from error


def _check_folder(path: Path) -> None:
    try:
        with locked_folder(path):
            if not os.access(path.resolve().parent, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> NotSignedIn:
    return NotSignedIn(f"{path} can't be written: {error.strerror}.")


async def sign_in(context: BrowserContext, settings: StudioSettings, selectors: Selectors, say: Say) -> StorageState:
    """Show AI Studio in a context and wait until somebody is signed in, however long it takes; returns its state.

    :raises NotSignedIn: every window was closed, or the browser ended.
    """
    try:
        page = await context.new_page()
        await _show(page, settings.page_url, say)
        told: str | None = None
        while True:
            if not context.pages:
                raise NotSignedIn(f"the window was closed before anybody was signed in; {UNTOUCHED}.")
            if await _any_composer(context, settings, selectors):
                state = await context.storage_state()
                try:
                    check_cookies(state)
                except DeadProfile as found:
                    # The gateway would refuse it. The page gets some of the cookies a moment after it is shown.
                    if str(found) != told:
                        say(f"AI Studio shows its prompt, but not all is there yet. {found}")
                    told = str(found)
                else:
                    return state
            await asyncio.sleep(_POLL_S)
    except PlaywrightError as error:
        raise NotSignedIn(f"the browser ended before anybody was signed in; {UNTOUCHED}.") from error


def _remembered(path: Path) -> StorageState | None:
    try:
        return read_storage(path).state
    except NoProfile:
        return None


async def _show(page: Page, url: str, say: Say) -> None:
    try:
        await page.goto(url, wait_until="commit")
    except PlaywrightError as error:
        # Whoever sits there may have gone somewhere else already, and can try again if not.
        if (code := net_error(error)) not in {None, "net::ERR_ABORTED"}:
            say(f"AI Studio can't be reached ({code}). Try again in the window, or close it.")


async def _any_composer(context: BrowserContext, settings: StudioSettings, selectors: Selectors) -> bool:
    for page in context.pages:
        if urlsplit(page.url).hostname == settings.page_host:
            with suppress(PageBroken):  # it navigates, or is closed
                look = await Probe(page, selectors).look()
                if look.composer and not look.terms:
                    return True
    return False
