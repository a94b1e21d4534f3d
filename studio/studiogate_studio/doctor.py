"""`studiogate doctor`: opens AI Studio's page as the gateway does, and tells which of its elements are found.

It has a browser of its own, so a gateway may run meanwhile, and leaves the profile as it is. Plugins have no say in the
launch: what a proxy of theirs would add, the page doesn't show.
"""

import asyncio
from contextlib import suppress

from studiogate.errors import ConfigurationError, StudiogateError
from studiogate_studio.browser import BrowserSession, LaunchFailed, open_browser, running_driver
from studiogate_studio.elements import load_inventory
from studiogate_studio.errors import PageBroken, SignedOut, StudioError
from studiogate_studio.keeper import ADVICE, BrowserState
from studiogate_studio.launch import (
    BrowserNotFound,
    NoDisplay,
    apply_reroute,
    apply_upstream,
    check_display,
    prepare_launch,
)
from studiogate_studio.page import ChatPage, refuse
from studiogate_studio.profile import SIGN_IN, DeadProfile, NoProfile, read_profile
from studiogate_studio.report import Report, examine
from studiogate_studio.selectors import Selectors
from studiogate_studio.settings import StudioSettings
from studiogate_studio.tour import Tour


class NotOpened(Exception):  # noqa: N818 - a finding
    """The page could not be opened; the message says why, and what to do."""


async def look_at_page(settings: StudioSettings, selectors: Selectors, *, send: bool) -> Report:
    """Open the page and report on its elements.

    :param send: whether a prompt may be sent, to see the elements of an answer.
    :raises NotOpened: there is no page to look at.
    :raises ConfigurationError: `reroute_ca` can't be used.
    """
    try:
        profile = await asyncio.to_thread(read_profile, settings.profile)
        launch = prepare_launch(settings)
        check_display(launch)
        apply_reroute(launch, settings)
        apply_upstream(launch, settings)
        async with (
            running_driver(settings) as driver,
            open_browser(driver, launch, profile, settings) as session,
        ):
            return await _examined(session, settings, selectors, send=send)
    except (NoProfile, DeadProfile) as found:
        raise NotOpened(f"{found} {SIGN_IN}") from found
    except SignedOut as found:
        raise NotOpened(f"{found.reason} {SIGN_IN}") from found
    except BrowserNotFound as found:
        raise NotOpened(f"There is no browser to start ({found}). {ADVICE[BrowserState.NO_BROWSER]}") from found
    except NoDisplay:
        raise NotOpened(f"There is no display for the browser's window. {ADVICE[BrowserState.NO_DISPLAY]}") from None
    except LaunchFailed as failed:
        raise NotOpened("The browser did not start; what it said stands above.") from failed
    except StudioError as error:
        raise NotOpened(error.reason) from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"studio.reroute_ca: {settings.reroute_ca} can't be used: {error}") from error


async def _examined(session: BrowserSession, settings: StudioSettings, selectors: Selectors, *, send: bool) -> Report:
    chat = ChatPage(await session.context.new_page(), selectors, settings)
    tour = Tour(chat, load_inventory())
    trouble: str | None = None
    try:
        await chat.open_new_chat()
    except PageBroken as error:
        await _give_up_without_page(chat, error)
        trouble = error.reason
    try:
        await tour.run(ready=trouble is None, send=send)
    except StudiogateError as error:
        trouble = trouble or str(error)
    return examine(tour, selectors, trouble)


async def _give_up_without_page(chat: ChatPage, error: PageBroken) -> None:
    """Go on only where there is a page of AI Studio's, which has lost the elements that a prompt needs.

    :raises StudioError: there is none, or it waits for the account's owner.
    """
    look = None
    with suppress(PageBroken):
        look = await chat.probe.look()
    if look is None or look.terms or not look.url.startswith(f"https://{chat.settings.page_host}"):
        raise error
    refuse(look)
