"""The queue: first in, first out, with as many slots as exchanges may run at once."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import attrs

from studiogate.errors import RateLimited
from studiogate.exchange import Exchange


@attrs.define(eq=False)
class _Waiter:
    exchange: Exchange
    admitted: asyncio.Future[None]


class ExchangeQueue:
    """Admit exchanges in the order they came, `slots` at a time; refuse them once `limit` are waiting."""

    def __init__(self, *, slots: int, limit: int) -> None:
        self.slots = slots
        self.limit = limit
        self._running: list[Exchange] = []
        self._waiting: deque[_Waiter] = deque()

    @property
    def running(self) -> tuple[Exchange, ...]:
        """Return the exchanges that hold a slot, oldest first."""
        return tuple(self._running)

    @property
    def waiting(self) -> tuple[Exchange, ...]:
        """Return the exchanges that wait, next one first."""
        return tuple(waiter.exchange for waiter in self._waiting)

    @asynccontextmanager
    async def slot(self, exchange: Exchange) -> AsyncGenerator[None]:
        """Hold a slot; waits for one, with `exchange.position` kept up to date meanwhile.

        :raises RateLimited: too many wait already.
        """
        exchange.enqueue()
        await self._enter(exchange)
        try:
            yield
        finally:
            self._running.remove(exchange)
            self._admit()

    async def _enter(self, exchange: Exchange) -> None:
        if not self._waiting and len(self._running) < self.slots:
            self._start(exchange)
            return
        if len(self._waiting) >= self.limit:
            raise RateLimited(
                f"The gateway's queue is full ({self.limit} requests wait). Try again later.", retry_after_s=5
            )
        waiter = _Waiter(exchange, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        self._renumber()
        try:
            await waiter.admitted
        except asyncio.CancelledError:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            elif exchange in self._running:
                # Cancelled in the same turn of the loop in which the slot was given: hand it on.
                self._running.remove(exchange)
            self._admit()
            raise
        finally:
            exchange.position = None

    def _admit(self) -> None:
        while self._waiting and len(self._running) < self.slots:
            waiter = self._waiting.popleft()
            if waiter.admitted.cancelled():
                # Its task was cancelled in this same turn and hasn't run since.
                continue
            self._start(waiter.exchange)
            waiter.admitted.set_result(None)
        self._renumber()

    def _start(self, exchange: Exchange) -> None:
        self._running.append(exchange)
        exchange.start()

    def _renumber(self) -> None:
        for position, waiter in enumerate(self._waiting):
            waiter.exchange.position = position
