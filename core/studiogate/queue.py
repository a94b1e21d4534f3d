"""The queue: as many slots as exchanges may run at once, shared fairly between callers.

A free slot goes to the caller with the fewest exchanges running; between equals, to the one that was served longest ago
(a caller is served from the moment it gets a slot to the moment it gives one back; one that comes anew goes behind
those that wait already). Within a caller it is first in, first out. So a caller that has nothing running waits for at
most one exchange of each other caller to begin, however many they have waiting, and a caller alone has every slot.

`limit` exchanges may wait, whoever sent them. When so many do, a caller may still come while fewer of its own wait than
an equal share: `limit` divided by the callers that wait, itself included, and at least one. So nobody can keep another
out by filling the queue, and nobody ever has more than `limit` waiting.

A reload may change slots and limit (`resize`). One that waits goes on by the slots it was promised where these are
fewer: what answers it has room for no more. So while such wait, the smaller number holds for all.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import attrs

from studiogate.errors import RateLimited
from studiogate.exchange import Exchange


@attrs.define(eq=False)
class _Waiter:
    exchange: Exchange
    admitted: asyncio.Future[None]
    slots: int
    """How many exchanges, this one included, may run at once for it to begin."""

    @property
    def caller(self) -> str:
        return self.exchange.caller.id


@attrs.define
class _Line:
    """Say who is next. Knows of each caller how many run and who waits; of time and slots it knows nothing."""

    _running: Counter[str] = attrs.field(factory=Counter[str])
    _waiting: dict[str, deque[_Waiter]] = attrs.field(factory=dict[str, deque[_Waiter]])
    # By caller, never empty; the one that was served longest ago stands first.
    _promised: Counter[int] = attrs.field(factory=Counter[int])
    # How many of those that wait do so for which number of slots.

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def copy(self) -> "_Line":
        waiting = {caller: waiters.copy() for caller, waiters in self._waiting.items()}
        return _Line(self._running.copy(), waiting, self._promised.copy())

    def room(self, slots: int) -> int:
        """Return how many exchanges may run at once for everyone who waits to be content; of `slots` at most."""
        return min(self._promised, default=slots)

    def count(self, caller: str) -> int:
        """Return how many of a caller wait."""
        return len(self._waiting.get(caller, ()))

    def callers_with(self, caller: str) -> int:
        """Return how many callers would wait if this one did."""
        return len(self._waiting.keys() | {caller})

    def join(self, waiter: _Waiter) -> None:
        self._waiting.setdefault(waiter.caller, deque()).append(waiter)
        self._promised[waiter.slots] += 1

    def leave(self, waiter: _Waiter) -> bool:
        """Take a waiter out; returns False if it doesn't wait."""
        waiters = self._waiting.get(waiter.caller, deque())
        if waiter not in waiters:
            return False
        waiters.remove(waiter)
        self._promised[waiter.slots] -= 1
        if not self._promised[waiter.slots]:
            del self._promised[waiter.slots]
        if not waiters:
            del self._waiting[waiter.caller]
        return True

    def next(self) -> _Waiter | None:
        """Return who gets the next slot; None if nobody waits."""
        # Of equals, `min` takes the first.
        caller = min(self._waiting, key=self._running.__getitem__, default=None)
        return None if caller is None else self._waiting[caller][0]

    def began(self, caller: str) -> None:
        """Count an exchange that has got its slot."""
        self._running[caller] += 1
        self._to_the_end(caller)

    def ended(self, caller: str) -> None:
        """Count an exchange that has given its slot back."""
        self._running[caller] -= 1
        if not self._running[caller]:
            del self._running[caller]
        self._to_the_end(caller)

    def _to_the_end(self, caller: str) -> None:
        if caller in self._waiting:
            self._waiting[caller] = self._waiting.pop(caller)


class ExchangeQueue:
    """Admit exchanges fairly, `slots` at a time; refuse them once `limit` are waiting, see the top of this module."""

    def __init__(self, *, slots: int, limit: int) -> None:
        self.slots = slots
        self.limit = limit
        self._running: list[Exchange] = []
        self._line = _Line()

    @property
    def running(self) -> tuple[Exchange, ...]:
        """Return the exchanges that hold a slot, oldest first."""
        return tuple(self._running)

    @property
    def waiting(self) -> tuple[Exchange, ...]:
        """Return the exchanges that wait, next one first.

        The order is the one in which they will be admitted if those that run end in the order in which they began, and
        nobody comes or leaves meanwhile.
        """
        line, running = self._line.copy(), deque(each.caller.id for each in self._running)
        order: list[Exchange] = []
        while (waiter := line.next()) is not None:
            if len(running) >= min(self.slots, line.room(self.slots)):
                line.ended(running.popleft())
                continue
            line.leave(waiter)
            line.began(waiter.caller)
            running.append(waiter.caller)
            order.append(waiter.exchange)
        return tuple(order)

    @property
    def length(self) -> int:
        """Return how many exchanges wait."""
        return len(self._line)

    @property
    def full(self) -> bool:
        """Whether every slot is held."""
        return not self._fits(self.slots)

    def resize(self, *, slots: int, limit: int) -> None:
        """Change how many may run at once and how many may wait; nobody who does is sent away."""
        self.slots, self.limit = slots, limit
        self._admit()

    @asynccontextmanager
    async def slot(self, exchange: Exchange, slots: int | None = None) -> AsyncGenerator[None]:
        """Hold a slot; waits for one.

        :param slots: how many may run at once for this exchange to begin, where that isn't the queue's own number.
        :raises RateLimited: too many wait already.
        """
        await self._enter(exchange, self.slots if slots is None else slots)
        try:
            yield
        finally:
            self._end(exchange)
            self._admit()

    async def _enter(self, exchange: Exchange, slots: int) -> None:
        if not self._line and self._fits(slots):
            exchange.enqueue()
            self._begin(exchange)
            return
        self._refuse_too_many(exchange.caller.id)
        exchange.enqueue()
        waiter = _Waiter(exchange, asyncio.get_running_loop().create_future(), slots)
        self._line.join(waiter)
        try:
            await waiter.admitted
        except asyncio.CancelledError:
            if not self._line.leave(waiter) and exchange in self._running:
                # Cancelled in the same turn of the loop in which the slot was given: hand it on.
                self._end(exchange)
            self._admit()
            raise

    def _refuse_too_many(self, caller: str) -> None:
        waiting = len(self._line)
        share = max(1, self.limit // self._line.callers_with(caller))
        if waiting >= self.limit and self._line.count(caller) >= share:
            raise RateLimited(
                f"The gateway's queue is full ({waiting} requests wait). Try again later.", retry_after_s=5
            )

    def _admit(self) -> None:
        while self._fits(self._line.room(self.slots)) and (waiter := self._line.next()) is not None:
            self._line.leave(waiter)
            if not waiter.admitted.cancelled():
                self._begin(waiter.exchange)
                waiter.admitted.set_result(None)
            # Else its task was cancelled in this same turn and hasn't run since.

    def _fits(self, slots: int) -> bool:
        return len(self._running) < min(self.slots, slots)

    def _begin(self, exchange: Exchange) -> None:
        self._running.append(exchange)
        self._line.began(exchange.caller.id)
        exchange.start()

    def _end(self, exchange: Exchange) -> None:
        self._running.remove(exchange)
        self._line.ended(exchange.caller.id)
