"""The faults that wait to happen besides those of scenarios, and what has happened.

A page learns of its load's faults with its document. Of those of a turn it asks when a prompt was typed; so as not to
slow pages where nobody wants faults, only once there were any (`armed`). Every open page keeps one request waiting, by
which it is told that, and of faults that are to happen now.
"""

import asyncio
from contextlib import suppress
from typing import Final

from attrs import Factory, define

from studiogate_simulator.faults import ACCOUNT, NOW, PAGE, PlannedFault, read_planned
from studiogate_simulator.jspb import Json
from studiogate_simulator.scenarios import BadScenario, Matcher, read_posted
from studiogate_simulator.turns import now

_WAIT_S: Final = 20.0
"""How long a page's request waits before it is answered with nothing."""
_KNOWN_S: Final = 1.0
"""How long to wait for the open pages to have heard; one that hangs never will."""
_TEXT: Final = 200
"""How many characters of a prompt are kept."""


@define
class Waiting:
    """A posted fault with what is left of it."""

    planned: PlannedFault
    when: str | None
    times: int | None
    since: int
    """Its number among the faults that were posted."""

    def row(self) -> dict[str, Json]:
        """Give it as JSON."""
        return {**self.planned.row(), "when": self.when, "times": self.times}


@define(kw_only=True)
class FaultBoard:
    """What was posted to happen and has not yet."""

    closing: asyncio.Event
    """Set when the process ends."""
    armed: bool = False
    """Whether any fault was ever wanted of a page."""
    shown: list[Json] = Factory(list[Json])
    """What has happened: fault, moment, the beginning of the prompt, unix seconds."""
    _waiting: list[Waiting] = Factory(list[Waiting])
    """In the order they were posted."""
    _posted: int = 0
    """How many there ever were."""
    _changed: asyncio.Event = Factory(asyncio.Event)
    """Set, and then replaced, when pages are to be told something."""
    _deaf: set[str] = Factory(set[str])
    """Pages that have not heard yet that there are faults."""
    _listening: set[str] = Factory(set[str])
    """Pages whose request waits."""
    _heard: asyncio.Event = Factory(asyncio.Event)
    """Set when all pages have heard."""

    async def post(self, posted: Json) -> Waiting:
        """Have a fault happen: once if nothing else is said, but with the account for ever, and now in every open page.

        :raises BadScenario: it can't.
        """
        planned, often = _read(posted)
        waiting = self._add(planned, often.when, often.times)
        await self.tell_pages()
        return waiting

    def add(self, planned: PlannedFault) -> None:
        """Have an account fault hold from now on."""
        self._add(planned, None, planned.times)

    def clear(self) -> None:
        """Forget all of them, and what has happened."""
        self._waiting.clear()
        self.shown.clear()

    def rows(self) -> list[Json]:
        """List those that wait."""
        return [waiting.row() for waiting in self._waiting]

    def take(self, where: str, at: str = "", text: str = "", *, after: int = 0) -> list[PlannedFault]:
        """Give the faults that happen at a moment, and use each once; those of the number `after` and before not."""
        found = [
            waiting
            for waiting in self._waiting
            if (waiting.planned.fault.where, waiting.planned.at) == (where, at)
            and waiting.since > after
            and (waiting.when is None or waiting.when in text)
        ]
        for waiting in found:
            self._use(waiting)
            self.happened(waiting.planned, text)
        return [waiting.planned for waiting in found]

    def take_one(self, name: str, **parameters: Json) -> PlannedFault | None:
        """Give a fault by its name and parameters if it waits, and use it once."""
        for waiting in self._waiting:
            planned = waiting.planned
            if planned.fault.name == name and parameters.items() <= planned.parameters.items():
                self._use(waiting)
                self.happened(planned)
                return planned
        return None

    def holding(self, name: str) -> list[PlannedFault]:
        """Give the faults of a name that wait, without using them."""
        return [waiting.planned for waiting in self._waiting if waiting.planned.fault.name == name]

    def end(self, name: str) -> None:
        """Forget a kind of fault."""
        self._waiting = [waiting for waiting in self._waiting if waiting.planned.fault.name != name]

    def happened(self, planned: PlannedFault, text: str = "") -> None:
        """Note that a fault has happened."""
        self.shown.append({"fault": planned.fault.name, "at": planned.at, "text": text[:_TEXT], "time": now()})

    @property
    def last(self) -> int:
        """The number of the last posted fault."""
        return self._posted

    async def tell_pages(self) -> None:
        """Let the open pages know that there are faults; returns when they do."""
        first, self.armed = not self.armed, True
        if first:
            self._deaf = set(self._listening)
        self._heard.clear()
        self._wake()
        if self._deaf:
            with suppress(TimeoutError):
                async with asyncio.timeout(_KNOWN_S):
                    await self._heard.wait()

    async def news(self, page: str, after: int, *, armed: bool) -> list[PlannedFault]:
        """Wait until there is something that a page has not heard: faults for now, or that there are any at all."""
        self._hears(page, armed=armed)
        self._listening.add(page)
        try:
            async with asyncio.timeout(_WAIT_S):
                while not self.closing.is_set() and armed == self.armed:
                    if found := self.take(PAGE, NOW, after=after):
                        return found
                    await self._next_change()
        except TimeoutError:
            pass
        finally:
            self._listening.discard(page)
        return self.take(PAGE, NOW, after=after)

    def _add(self, planned: PlannedFault, when: str | None, times: int | None) -> Waiting:
        self._posted += 1
        waiting = Waiting(planned, when, times, self._posted)
        self._waiting.append(waiting)
        return waiting

    def _hears(self, page: str, *, armed: bool) -> None:
        if armed:
            self._deaf.discard(page)
        if not self._deaf:
            self._heard.set()

    async def _next_change(self) -> None:
        changed, closing = (asyncio.create_task(event.wait()) for event in (self._changed, self.closing))
        try:
            await asyncio.wait((changed, closing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            closing.cancel()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _use(self, waiting: Waiting) -> None:
        if waiting.times is None:
            return
        waiting.times -= 1
        if waiting.times == 0:
            self._waiting.remove(waiting)


def _read(posted: Json) -> tuple[PlannedFault, Matcher]:
    """Read `{"fault": ..., "when"?, "times"?, ...}`."""
    if not isinstance(posted, dict):
        raise BadScenario('a fault is a JSON object with "fault": its name')
    often = {key: value for key, value in posted.items() if key in {"when", "times"}}
    try:
        planned = read_planned({key: value for key, value in posted.items() if key not in often})
    except ValueError as error:
        raise BadScenario(str(error)) from None
    lasts = planned.fault.where == ACCOUNT or planned.at == NOW
    return planned, read_posted({"times": None if lasts else 1, **often}, Matcher, "fault")
