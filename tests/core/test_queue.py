import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from hypothesis import given, strategies as st

from studiogate.errors import RateLimited
from studiogate.queue import ExchangeQueue

from .backends import exchange_of, until


class Visitor:
    """Hold a slot until told to leave."""

    def __init__(self, queue: ExchangeQueue, order: list["Visitor"] | None = None) -> None:
        self.exchange = exchange_of()
        self.leave = asyncio.Event()
        self.task = asyncio.create_task(self._visit(queue, [] if order is None else order))

    async def _visit(self, queue: ExchangeQueue, order: list["Visitor"]) -> None:
        async with queue.slot(self.exchange):
            order.append(self)
            await self.leave.wait()

    async def gone(self) -> None:
        """Leave, or stop waiting."""
        self.leave.set()
        await asyncio.gather(self.task, return_exceptions=True)


@asynccontextmanager
async def full(queue: ExchangeQueue) -> AsyncGenerator[list[Visitor]]:
    """Fill every slot."""
    visitors = [Visitor(queue) for _ in range(queue.slots)]
    await until(lambda: len(queue.running) == queue.slots)
    yield visitors
    for visitor in visitors:
        await visitor.gone()


async def waiters(queue: ExchangeQueue, count: int, order: list[Visitor] | None = None) -> list[Visitor]:
    """Let so many more come, one after the other."""
    made: list[Visitor] = []
    for _ in range(count):
        made.append(Visitor(queue, order))
        await until(lambda: made[-1].exchange in queue.waiting)
    return made


async def test_a_free_slot_is_given_at_once() -> None:
    """An exchange that finds a free slot never waits and never has a position."""
    queue = ExchangeQueue(slots=1, limit=1)
    exchange = exchange_of()

    async with queue.slot(exchange):
        assert (queue.running, queue.waiting, exchange.position) == ((exchange,), (), None)

    assert queue.running == ()


async def test_an_exchange_knows_when_it_came_and_when_it_got_its_slot() -> None:
    """The wait grows until there is a slot and stands still from then on; the clock's hour is kept beside it."""
    queue = ExchangeQueue(slots=1, limit=1)
    stranger = exchange_of()

    async with full(queue) as (holder,):
        (waiter,) = await waiters(queue, 1)
        waiting = waiter.exchange
        before = (waiting.started_at, waiting.waited_s)
        await holder.gone()
        await until(lambda: waiting.started_at is not None)
        after = waiting.waited_s
        await asyncio.sleep(0)
        still = waiting.waited_s
        await waiter.gone()

    assert (stranger.enqueued_at, stranger.started_at, stranger.waited_s) == (None, None, None)
    assert before[0] is None
    assert before[1] is not None
    assert after is not None
    assert 0 <= before[1] <= after
    assert still == after
    assert waiting.enqueued_at is not None
    assert waiting.started_at is not None
    assert waiting.started_at - waiting.enqueued_at == pytest.approx(after, abs=0.1)


async def test_positions_count_down_to_the_slot() -> None:
    """A waiting exchange sees its place, 0 for the next one, and none once it runs."""
    queue = ExchangeQueue(slots=1, limit=5)

    async with full(queue) as (holder,):
        first, second, third = await waiters(queue, 3)
        before = [each.exchange.position for each in (holder, first, second, third)]
        await holder.gone()
        await until(lambda: first.exchange in queue.running)
        after = [each.exchange.position for each in (first, second, third)]
        for each in (first, second, third):
            await each.gone()

    assert before == [None, 0, 1, 2]
    assert after == [None, 0, 1]


@given(slots=st.integers(1, 4), count=st.integers(1, 30), seed=st.integers())
def test_first_in_is_first_out(slots: int, count: int, seed: int) -> None:
    """Whoever leaves when, and whoever gives up, the rest are admitted in the order they came."""

    async def run() -> None:
        chance = random.Random(seed)
        queue = ExchangeQueue(slots=slots, limit=count)
        order: list[Visitor] = []
        async with full(queue) as holders:
            came = await waiters(queue, count, order)
            quitters = [each for each in came if chance.random() < 0.3]
            for each in chance.sample(quitters, len(quitters)):
                each.task.cancel()
            for each in chance.sample(holders, slots):
                each.leave.set()
            stayed = [each for each in came if each not in quitters]
            for each in stayed:
                await until(partial(order.__contains__, each))
                await each.gone()

        assert order == stayed
        assert (queue.running, queue.waiting) == ((), ())

    asyncio.run(run())


async def test_a_full_queue_refuses_with_a_wait() -> None:
    """One more than may wait is a 429 that says when to come back, and leaves the queue as it was."""
    queue = ExchangeQueue(slots=1, limit=2)

    async with full(queue):
        waiting = await waiters(queue, 2)
        with pytest.raises(RateLimited, match=r"queue is full \(2 requests wait\)") as refusal:
            async with queue.slot(exchange_of()):
                pass
        held = queue.waiting
        for each in waiting:
            each.task.cancel()

    assert refusal.value.retry_after_s == 5
    assert held == tuple(each.exchange for each in waiting)


async def test_who_stops_waiting_leaves_the_queue() -> None:
    """A cancelled waiter gives up its place, and those behind it move up."""
    queue = ExchangeQueue(slots=1, limit=2)

    async with full(queue):
        first, second = await waiters(queue, 2)
        first.task.cancel()
        await first.gone()
        left = (queue.waiting, first.exchange.position, second.exchange.position)
        second.task.cancel()

    assert left == ((second.exchange,), None, 0)


async def test_a_slot_given_to_a_cancelled_waiter_is_handed_on() -> None:
    """A waiter cancelled in the turn of the loop that admitted it doesn't keep the slot."""
    queue = ExchangeQueue(slots=1, limit=2)

    async with full(queue) as (holder,):
        first, second = await waiters(queue, 2)
        holder.task.add_done_callback(lambda _: first.task.cancel())
        await holder.gone()
        await until(lambda: second.exchange in queue.running)
        await second.gone()

    assert first.task.cancelled()
    assert queue.running == ()


async def test_a_waiter_cancelled_just_before_a_slot_is_free_is_passed_over() -> None:
    """A slot freed in the same turn in which the next waiter was cancelled goes to the one behind it."""
    queue = ExchangeQueue(slots=1, limit=2)

    async with full(queue) as (holder,):
        first, second = await waiters(queue, 2)
        holder.leave.set()
        first.task.cancel()
        await holder.task
        await until(lambda: second.exchange in queue.running)
        await second.gone()

    assert first.task.cancelled()
    assert (queue.running, queue.waiting) == ((), ())


async def test_everybody_cancelled_at_once_leaves_nothing_behind() -> None:
    """Cancelling the running and the waiting together, as a stop does, empties both and breaks nothing."""
    queue = ExchangeQueue(slots=2, limit=5)

    async with full(queue) as holders:
        everybody = [*holders, *(await waiters(queue, 5))]
        for each in everybody:
            each.task.cancel()
        ends = await asyncio.gather(*(each.task for each in everybody), return_exceptions=True)

    assert all(isinstance(end, asyncio.CancelledError) for end in ends)
    assert (queue.running, queue.waiting) == ((), ())
