"""Who may have an answer under way: all tabs side by side, or one of them alone.

A backend that reads its answer off the page's own request, or off the page, can tell tabs apart. One that is only told
what passes between the browser and AI Studio can't: to it there is one answer. It takes the floor for its tab alone,
from before its prompt is submitted until its answer has ended; the other tabs wait before they type.

A tab that has joined stays in until it is renewed or closed, since until then its page may go on with an answer,
whoever reads it. Who wants the floor alone comes before those who join later, so it isn't kept waiting for ever.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

import attrs


@attrs.define(eq=False)
class Floor:
    """Keep who is in. One for all tabs of a browser; tabs are told apart by identity."""

    _inside: set[object] = attrs.field(factory=set[object], init=False)
    """Who may have an answer under way."""
    _crowded: set[object] = attrs.field(factory=set[object], init=False)
    """Those of them that weren't alone all the time."""
    _owner: object = attrs.field(default=None, init=False)
    _wanted: deque[object] = attrs.field(factory=deque[object], init=False)
    """Who wants it alone, in the order of asking."""
    _changed: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    async def join(self, tab: object) -> None:
        """Let a tab have an answer, beside others; waits while one of them has the floor alone, or wants it."""
        if tab in self._inside:
            return
        await self._until(lambda: self._owner is None and not self._wanted)
        self._enter(tab)

    def leave(self, tab: object) -> None:
        """Note that a tab has no answer under way any more; no-op for one that hadn't."""
        self._inside.discard(tab)
        self._crowded.discard(tab)
        self._wake()

    @asynccontextmanager
    async def alone(self, tab: object, within_s: float) -> AsyncGenerator[None]:
        """Give a tab the floor to itself, when the others have left it; afterwards it is inside like any other.

        :param tab: has nothing submitted: if it was inside, it goes to the end of the line.
        :raises TimeoutError: the others didn't leave in time.
        """
        self.leave(tab)
        self._wanted.append(tab)
        try:
            async with asyncio.timeout(within_s):
                await self._until(lambda: not self._inside and self._owner is None and self._wanted[0] is tab)
            self._enter(tab)
            self._owner = tab
        finally:
            self._wanted.remove(tab)
            self._wake()
        with self._owned():
            yield

    @contextmanager
    def keep(self, tab: object) -> Generator[bool]:
        """Keep the others out from now on, if none was in since the tab joined; yields whether that is so."""
        if tab not in self._inside or tab in self._crowded or self._owner is not None:
            yield False
            return
        self._owner = tab
        with self._owned():
            yield True

    @contextmanager
    def _owned(self) -> Generator[None]:
        try:
            yield
        finally:
            self._owner = None
            self._wake()

    def _enter(self, tab: object) -> None:
        self._inside.add(tab)
        if len(self._inside) > 1:
            self._crowded |= self._inside

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self._changed.wait()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
