"""One tab's page as a driver needs it: open a new chat, type, submit, stop, tell what it shows.

Everything waits a bounded time and raises one of `studiogate_studio.errors`. The Playwright page is `page.page`, for
what is not here.
"""

import asyncio
import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import attrs
from playwright.async_api import Error as PlaywrightError, Page

from studiogate.attachments import Attachment
from studiogate_studio import overlays
from studiogate_studio.composer import Composer, Seen, unseen
from studiogate_studio.errors import PageBroken, SignedOut, StudioError, before_quotes, missing
from studiogate_studio.launch import ACCOUNTS_HOST
from studiogate_studio.probe import ROUND_TRIP_S, Look, Probe, RunState, broken, load_part
from studiogate_studio.selectors import Match, Selectors
from studiogate_studio.settings import StudioSettings
from studiogate_studio.temporary import make_temporary
from studiogate_studio.uploads import Uploads

log = logging.getLogger(__name__)

_ELEMENTS = load_part(__package__ or "", "elements.js")
_BYTES_PER_MB = 1_000_000
_POLL_S = 0.025
_STOP_S = 3.0
_EXPLAIN_S = 3.0
"""How long a page that is no longer AI Studio's composer gets to show what it is instead."""
_SERVER_ERROR = 500
_NET_ERROR = re.compile(r"net::ERR_\w+")


@attrs.define(eq=False)
class ChatPage:
    """Drive one AI Studio page. One task at a time."""

    page: Page
    selectors: Selectors
    settings: StudioSettings
    temporary: bool = attrs.field(default=False, init=False)
    """Whether the open chat is temporary."""
    probe: Probe = attrs.field(init=False)
    composer: Composer = attrs.field(init=False)
    uploads: Uploads = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.probe = Probe(self.page, self.selectors)
        self.composer = Composer(self.probe, self.settings)
        self.uploads = Uploads(self.probe, self.settings)

    async def open_new_chat(self, *, model: str | None = None) -> None:
        """Open a fresh chat, temporary if the settings say so, and wait until its composer can be typed into.

        A chat that can't be made temporary is no reason to fail: it is logged, and `temporary` says so.

        :param model: the id of the model to ask for; None leaves it to the page.
        :raises SignedOut: the page leads to the sign-in form.
        :raises PageBroken: it can't be opened, or shows no composer in time.
        """
        url = new_chat_url(self.settings, model=model)
        self.composer.files = 0
        try:
            answer = await self.page.goto(url, wait_until="domcontentloaded", timeout=self.settings.navigation_s * 1000)
        except PlaywrightError as error:
            raise _not_opened(error) from error
        if answer is not None and answer.status >= _SERVER_ERROR:
            # No composer would ever come; other pages without one say in their title what they are.
            raise PageBroken(f"AI Studio's page can't be had (HTTP {answer.status}).")
        look = await self._ready()
        self.temporary = look.temporary
        if self.settings.temporary_chat and not look.temporary:
            self.temporary = await make_temporary(self.probe)
            if not self.temporary:
                log.warning("the page offers no temporary chat; this one may show up in the account's history")

    async def attach(self, files: Sequence[Attachment]) -> None:
        """Put files into the composer, to go with the prompt that is typed next.

        A composer that holds files already, from an attempt that failed, gets a fresh chat first. See `Uploads.attach`.
        """
        if await self.uploads.held():
            await self.open_new_chat()
        await self.uploads.attach(files)
        self.composer.files = len(files)

    async def heap_mb(self) -> float:
        """Return how much memory the page's scripts have, in megabytes.

        :raises PageBroken: the page is gone, or doesn't respond.
        """
        try:
            async with asyncio.timeout(ROUND_TRIP_S):
                asking = await self.page.context.new_cdp_session(self.page)
                usage = cast("dict[str, float]", await asking.send("Runtime.getHeapUsage"))  # pyright: ignore[reportUnknownMemberType]
                await asking.detach()
        except TimeoutError:
            raise PageBroken("The page does not respond.") from None
        except PlaywrightError as error:
            raise broken(error, "asked for its size") from error
        return usage["totalSize"] / _BYTES_PER_MB

    async def check(self) -> None:
        """Look whether the page is still as `open_new_chat` left it; overlays that came since are typing's to close.

        :raises SignedOut: it has been left for the sign-in form.
        :raises PageBroken: it shows no composer, or doesn't respond.
        """
        look = await self.probe.look()
        refuse(look)
        if not look.composer or look.run is RunState.ABSENT:
            raise _unready(look)

    async def type_prompt(self, text: str) -> str:
        """Put a prompt into the composer; see `Composer.type_prompt`."""
        return await self.composer.type_prompt(text)

    async def submit(self, seen: Seen = unseen) -> None:
        """Submit what was typed, once; see `Composer.submit`."""
        await self.composer.submit(seen)

    async def stop(self) -> bool:
        """Stop a running answer with the page's own button; returns whether nothing is generated any more.

        :raises PageBroken: the page is gone.
        """
        if await self.run_state() is not RunState.GENERATING:
            return True
        await self.probe.ask(bool, "click", element="run_button")
        return await self.probe.ask(bool, "stopped", wait_s=_STOP_S)

    async def run_state(self) -> RunState:
        """Return what the Run button says.

        :raises PageBroken: the page is gone.
        """
        return (await self.probe.look()).run

    async def dismiss_overlays(self) -> tuple[str, ...]:
        """Close the known overlays; see `studiogate_studio.overlays`."""
        return await overlays.dismiss_overlays(self.probe)

    async def matches(self) -> tuple[Match, ...]:
        """Return for every element which candidate finds it now.

        :raises PageBroken: the page is gone.
        """
        return await self.probe.ask(tuple[Match, ...], "matches", part=_ELEMENTS)

    async def _ready(self) -> Look:
        deadline = asyncio.get_running_loop().time() + self.settings.ready_s
        while True:
            look = await self._look_while_loading()
            if look is not None:
                refuse(look)
                if look.composer and look.run is not RunState.ABSENT and not look.overlays:
                    return look
                if look.overlays:
                    await self.dismiss_overlays()
            if asyncio.get_running_loop().time() > deadline:
                raise _unready(look)
            await asyncio.sleep(_POLL_S)

    async def _look_while_loading(self) -> Look | None:
        """Look, unless the page navigates under the look, which it may do more than once at start."""
        try:
            return await self.probe.look()
        except PageBroken:
            if self.page.is_closed():
                raise
            return None

    async def explain(self) -> None:
        """Raise what the page itself shows as the reason of a failure, if it shows one.

        One that was left is waited for until it shows where it leads, for a bounded time.

        :raises SignedOut: it leads to the sign-in form.
        :raises PageBroken: it is gone, or says why it can't be used.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_EXPLAIN_S):
                while True:
                    look = await self._look_while_loading()
                    # The address is known before anything can be asked of what it leads to.
                    refuse_address(self.page.url)
                    if look is not None:
                        refuse(look)
                        if look.composer:
                            return
                    await asyncio.sleep(_POLL_S)


def new_chat_url(settings: StudioSettings, *, model: str | None = None) -> str:
    """Return the address of a new chat; it asks for a temporary one if the settings do, and for a model if given."""
    parts = urlsplit(settings.page_url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if settings.temporary_chat:
        query["incognito"] = "true"
    if model is not None:
        query["model"] = model
    return urlunsplit(parts._replace(query=urlencode(query)))


def refuse(look: Look) -> None:
    """Raise what a page that will never be ready says about the reason.

    :raises SignedOut: it is the sign-in form.
    :raises PageBroken: AI Studio refuses this network or account.
    """
    refuse_address(look.url)
    if look.composer:
        return
    if re.match(r"sign in\b", look.title, re.IGNORECASE):
        raise SignedOut("AI Studio asks to sign in.")
    if re.search(r"available regions|not available", look.title, re.IGNORECASE):
        raise PageBroken("AI Studio is not available from where this gateway runs.")
    if re.search(r"\b403\b|forbidden", look.title, re.IGNORECASE):
        raise PageBroken("AI Studio refuses this network or account (403).")


def refuse_address(url: str) -> None:
    """Raise SignedOut if an address is the sign-in form's."""
    parts = urlsplit(url)
    if parts.hostname == ACCOUNTS_HOST or parts.path.startswith(("/signin", "/ServiceLogin")):
        raise SignedOut("Nobody is signed in to AI Studio in this browser.")


def _unready(look: Look | None) -> PageBroken:
    if look is None:
        return PageBroken("The page keeps loading.")
    if look.terms:
        return PageBroken("AI Studio asks to accept its terms; sign in once with a window and answer.")
    if look.language and not look.language.lower().startswith("en"):
        said = f"The page shows no composer; its language is '{look.language}', and only English is known."
        return PageBroken(said)
    if look.overlays:
        return PageBroken(f"An overlay stays in the way: {', '.join(look.overlays)}.")
    return missing("run_button", "Run button") if look.composer else missing("composer", "composer")


def net_error(error: PlaywrightError) -> str | None:
    """Return the browser's name of what kept it from opening a page, such as `net::ERR_NAME_NOT_RESOLVED`."""
    found = _NET_ERROR.search(error.message)
    return found[0] if found else None


def _not_opened(error: PlaywrightError) -> StudioError:
    log.debug("a new chat could not be opened: %s", before_quotes(error.message))
    return PageBroken(f"AI Studio can't be reached ({net_error(error) or 'no answer'}).")
