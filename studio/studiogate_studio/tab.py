"""One tab as an exchange has it: its page, and whether the prompt may have been sent in it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import attrs
from playwright.async_api import Dialog, Error as PlaywrightError, Page

from studiogate.attachments import Attachment
from studiogate.errors import StudiogateError
from studiogate.functions import FunctionPlan
from studiogate.params import Params
from studiogate_studio.composer import Seen, unseen
from studiogate_studio.controls import set_run_settings
from studiogate_studio.errors import PageBroken, PromptRefused, SignedOut
from studiogate_studio.failures import kept
from studiogate_studio.floor import Floor
from studiogate_studio.page import ChatPage
from studiogate_studio.run_settings import RunSettings

log = logging.getLogger(__name__)


@attrs.define(eq=False, kw_only=True)
class Tab:
    """Lend one page to one exchange at a time."""

    chat: ChatPage
    """The page object: new chat, typing, submitting, what the page shows."""
    floor: Floor = attrs.field(factory=Floor)
    """Says whether other tabs may have an answer under way meanwhile; the same for all tabs of a pool."""
    submitted: bool = attrs.field(default=False, init=False)
    """Whether this lease's prompt may have been sent; a later backend then reads the answer and never sends again."""
    params: Params | None = attrs.field(default=None, init=False)
    """The parameters that this lease's prompt was sent with, for a later backend that reads its answer."""
    functions: FunctionPlan = attrs.field(factory=FunctionPlan, init=False)
    """What was done about functions in it, for the same."""
    answered: bool = attrs.field(default=False, init=False)
    """Whether an answer to this lease's prompt has certainly begun, seen by who reads the page's traffic."""
    refused: bool = attrs.field(default=False, init=False)
    """Whether this lease's prompt was certainly refused, so that there is no answer to read, seen by the same."""
    renewals: int = attrs.field(default=0, init=False)
    """How often it was given a fresh chat."""
    leased: bool = attrs.field(default=False, init=False)
    """Whether an exchange has it."""
    fault: str | None = attrs.field(default=None, init=False)
    """Why the tab can't be used any more; None while it can."""
    _changed: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    def __attrs_post_init__(self) -> None:
        self.page.on("crash", lambda _: self.broken("The page crashed."))
        self.page.on("close", lambda _: self.broken("The tab was closed."))
        self.page.on("dialog", _answer)

    @property
    def page(self) -> Page:
        """Return Playwright's page, for what the page object has not."""
        return self.chat.page

    def broken(self, why: str) -> None:
        """Give the tab up: it is closed and replaced at once, also while leased. The first reason stands."""
        if self.fault is None:
            self.fault = why
            self._changed.set()

    @asynccontextmanager
    async def step(self, doing: str, *, spoils: bool = True) -> AsyncGenerator[None]:
        """Do a step in the page; where it fails, tell the reason that the page shows, and keep what it shows.

        A page may be left in the middle of any step, and then fails it in any way; so it is asked where it leads.

        :param doing: what is done, in words without anything of the request's.
        :param spoils: whether a tab whose page breaks in it is replaced.
        :raises SignedOut: the page leads to the sign-in form.
        :raises PageBroken: it is gone, or doesn't do what it should.
        """
        self.check()
        try:
            async with kept(self.chat, doing):
                try:
                    yield
                except StudiogateError:
                    await self.chat.explain()
                    raise
        except (PageBroken, SignedOut) as error:
            if spoils:
                # Only now that all has been looked at: a broken tab is closed at once.
                self.broken(error.reason)
            raise

    async def set_run_settings(self, run: RunSettings) -> Mapping[str, str]:
        """Set everything that the page's run settings hold, before files and prompt are put into the composer.

        :return: what the page refused: name of the parameter -> reason; see `run_settings.note_refused`.
        :raises Declined: the page doesn't offer what the answer would be wrong without.
        :raises SignedOut: nobody is signed in any more.
        :raises PageBroken: the page is gone, or doesn't do what it should; the tab is replaced.
        """
        async with self.step("setting the run settings"):
            return await set_run_settings(self.chat, run)

    async def attach(self, files: Sequence[Attachment]) -> None:
        """Put files into the composer, in order, before the prompt is typed.

        :raises FileRefused: the page doesn't take one.
        :raises NotReady: the page asks for the owner's consent.
        :raises SignedOut: nobody is signed in any more.
        :raises PageBroken: the page is gone, or doesn't get the files ready; the tab is replaced.
        """
        async with self.step("attaching files"):
            await self.chat.attach(files)

    async def type_prompt(self, text: str) -> str:
        """Put a prompt into the composer; returns the text as the page has it.

        Waits while another tab has the floor alone.

        :raises PromptRefused: the page doesn't take it.
        :raises SignedOut: nobody is signed in any more.
        :raises PageBroken: the page is gone or shows no composer; the tab is replaced.
        """
        self.check()
        await self.floor.join(self)
        if self.fault is not None:
            self.floor.leave(self)
        async with self.step("typing a prompt"):
            return await self.chat.type_prompt(text)

    async def submit(self, seen: Seen = unseen) -> None:
        """Submit what was typed; from here on `submitted` is true, unless the page certainly did not take it.

        :param seen: tells whether the request with the prompt has been seen, for callers who see the page's requests.
        :raises PromptRefused: nothing was sent.
        :raises SignedOut: nobody is signed in any more; it may have been sent, or not.
        :raises PageBroken: it may have been sent, or not.
        """
        self.check()
        if self.submitted:
            raise PageBroken("The prompt has been submitted in this tab already.")
        self.submitted = True
        try:
            # Another backend may still read there the answer to a prompt that was sent.
            async with self.step("submitting a prompt", spoils=False):
                await self.chat.submit(seen)
        except PromptRefused:
            self.submitted = False
            raise

    def check(self) -> None:
        """Raise PageBroken if the tab can't be used any more."""
        if self.fault is not None:
            raise PageBroken(self.fault)

    # What follows is the pool's side.

    def lend(self) -> None:
        """Begin a lease."""
        self.leased = True

    def give_back(self) -> None:
        """End the lease."""
        self.leased = False
        self._changed.set()

    async def over(self, idle_s: float) -> None:
        """Wait until the tab has been given back or broke, or until nobody wanted it for `idle_s` seconds."""
        while not self._changed.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(idle_s):
                    await self._changed.wait()
            if not self.leased:
                return

    def closed(self) -> None:
        """Note that the page is gone for good."""
        self.broken("The tab was closed.")
        self.floor.leave(self)

    def renewed(self) -> None:
        """Forget the last lease."""
        self.submitted = self.answered = self.refused = False
        self.floor.leave(self)
        self.params, self.functions = None, FunctionPlan()
        self.renewals += 1
        if self.fault is None:
            self._changed.clear()


async def _answer(dialog: Dialog) -> None:
    """Let the page be left; decline whatever else it asks in a box of the browser's."""
    with suppress(PlaywrightError):
        await (dialog.accept() if dialog.type == "beforeunload" else dialog.dismiss())
