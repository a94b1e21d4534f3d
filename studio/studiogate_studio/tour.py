"""Leads a page through the states in which it shows its elements, and notes which candidate finds each there.

    a new chat -> a text, typed and removed -> every menu, list and dialog, opened and closed
               -> if a prompt may be sent: a file, a prompt, the answer -> its menus

Which menus there are, `elements.toml` says. What can't be brought about is passed over with the reason, and what can't
be closed is left by opening a new chat.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from pathlib import Path

import attrs
from playwright.async_api import Error as PlaywrightError

from studiogate.attachments import Attachment, AttachmentRef
from studiogate.errors import StudiogateError
from studiogate_studio.elements import ALWAYS, Inventory
from studiogate_studio.errors import PageBroken
from studiogate_studio.page import ChatPage
from studiogate_studio.probe import RunState, broken, load_part
from studiogate_studio.selectors import Match

TEMPORARY = "temporary"
TEXT = "text"
FILE = "file"
GENERATING = "generating"
ANSWERED = "answered"
"""The states that take more than a click, by their names in `elements.toml`."""
SENDS = (FILE, GENERATING, ANSWERED)
"""Those that take a prompt."""

_PART = load_part(__package__ or "", "elements.js")

_SETTLE_S = 2.0
"""How long a menu may take to show something."""
_QUIET_S = 0.3
"""After how long without anything more it is taken to show all it has."""
_CLOSE_S = 1.0
_ANSWER_S = 120.0
_POLL_S = 0.1

_TYPED = "studiogate doctor types this and removes it"
_PROMPT = "Write the numbers from 1 to 20, each on a line of its own, and nothing else."
_FILE = ("studiogate.txt", b"A file of studiogate doctor.\n")


@attrs.frozen(kw_only=True)
class Sighting:
    """Say where an element was found."""

    state: str
    """The state that the page was in."""
    match: Match


@attrs.define(eq=False)
class Tour:
    """Lead one page, which shows a new chat. What was noted stays readable."""

    chat: ChatPage
    inventory: Inventory
    sightings: dict[str, Sighting] = attrs.field(factory=dict[str, Sighting], init=False)
    """For each element that was found: where it was first, or in the state that it is expected in."""
    reached: list[str] = attrs.field(factory=list[str], init=False)
    """The states that the page was in, in order."""
    passed_over: dict[str, str] = attrs.field(factory=dict[str, str], init=False)
    """The states that it could not be brought into, with the reason."""
    wrong: dict[str, tuple[int, ...]] = attrs.field(factory=dict[str, tuple[int, ...]], init=False)
    """For each element that has candidates that are no CSS, their indexes."""

    async def look(self, state: str = ALWAYS) -> None:
        """Note what the page has now.

        :raises PageBroken: the page is gone.
        """
        matches = await self.chat.matches()
        if state not in self.reached:
            self.reached.append(state)
        for match in matches:
            if match.wrong:
                self.wrong[match.element] = match.wrong
            element = self.inventory.elements[match.element]
            if not (match.visible or (element.hidden and match.nodes)):
                continue
            known = self.sightings.get(match.element)
            if known is None or known.state != element.when == state:
                self.sightings[match.element] = Sighting(state=state, match=match)

    async def run(self, *, ready: bool = True, send: bool = False) -> None:
        """Lead the page through all states that it can be brought into.

        :param ready: whether it shows all that a prompt needs; otherwise it can still show which elements it has.
        :param send: whether a prompt with a file may be sent.
        :raises StudiogateError: the page can't be led any further.
        """
        await self.look()
        if self.chat.settings.temporary_chat and ready:
            await self.look(TEMPORARY)
        await self._type()
        await self._open_all(ALWAYS)
        if send and ready:
            await self._send()

    async def _type(self) -> None:
        if await self._done(TEXT, self.chat.type_prompt(_TYPED)):
            await self.look(TEXT)
        await self.chat.probe.ask(bool, "write", text="")

    async def _open_all(self, within: str) -> None:
        for state in self.inventory.within(within):
            await self._open(state)

    async def _open(self, state: str) -> None:
        """Bring the page into a state by a click, look at it and those behind it, and come back."""
        way = self.inventory.states[state]
        button = way.click or ""
        if way.within == ANSWERED:
            await self._hover()
        outcome = await self.chat.probe.ask(str, "press", part=_PART, element=button, off=way.off)
        if outcome in {"missing", "disabled"}:
            self.passed_over[state] = f"{button} {'is not there' if outcome == 'missing' else 'is disabled'}"
            return
        visible = [name for name in self.inventory.shown(state) if not self.inventory.elements[name].hidden]
        await self._settle(visible)
        await self.look(state)
        await self._open_all(state)
        if outcome == "pressed":
            await self._leave(state, visible)

    async def _leave(self, state: str, elements: Sequence[str]) -> None:
        back = self.inventory.states[state].back
        for _ in range(2):
            if back is None or not await self.chat.probe.ask(bool, "click", element=back):
                await self._escape()
            if await self.chat.probe.ask(bool, "gone", part=_PART, wait_s=_CLOSE_S, elements=elements):
                return
            back = None
        await self.chat.open_new_chat()

    async def _escape(self) -> None:
        try:
            await self.chat.page.keyboard.press("Escape")
        except PlaywrightError as error:
            raise broken(error, "closing a menu") from error

    async def _send(self) -> None:
        with tempfile.TemporaryDirectory(prefix="studiogate-") as folder:
            if await self._done(FILE, self.chat.attach([_file(Path(folder))])):
                await self.look(FILE)
            else:
                await self.chat.open_new_chat()
            if not await self._done(GENERATING, self._ask()):
                self.passed_over[ANSWERED] = "no answer came"
                return
        if GENERATING not in self.reached:
            self.passed_over[GENERATING] = "the answer was there at once"
        await self._hover()
        await self._settle(self.inventory.shown(ANSWERED))
        await self.look(ANSWERED)
        await self._open_all(ANSWERED)

    async def _hover(self) -> None:
        """Point at the answer, as its buttons are there only then."""
        candidates, chosen = self.chat.selectors["bubble"], self.chat.probe.chosen.get("bubble")
        if chosen is not None:
            with suppress(PlaywrightError):
                await self.chat.page.locator(candidates[chosen]).last.hover(timeout=_SETTLE_S * 1000)

    async def _ask(self) -> None:
        """Send a prompt, and look at the page while it is answered."""
        await self.chat.type_prompt(_PROMPT)
        await self.chat.submit()
        try:
            async with asyncio.timeout(_ANSWER_S):
                while await self.chat.run_state() is RunState.GENERATING:
                    await self.look(GENERATING)
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            await self.chat.stop()
            raise PageBroken(f"the answer has not ended within {_ANSWER_S:g} s") from None

    async def _settle(self, elements: Sequence[str]) -> None:
        if elements:
            await self.chat.probe.ask(
                bool, "settled", part=_PART, wait_s=_SETTLE_S, elements=elements, quiet_ms=_QUIET_S * 1000
            )

    async def _done(self, state: str, work: Awaitable[object]) -> bool:
        """Do what leads to a state; returns whether it did."""
        try:
            await work
        except StudiogateError as error:
            self.passed_over[state] = str(error)
            return False
        return True


def _file(folder: Path) -> Attachment:
    name, data = _FILE
    path = folder / name
    path.write_bytes(data)
    ref = AttachmentRef(source="", param="file")
    return Attachment(ref=ref, path=path, mime="text/plain", filename=name, size=len(data))
