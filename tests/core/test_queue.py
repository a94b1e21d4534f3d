import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from studiogate.errors import RateLimited
from studiogate.exchange import Caller, Exchange
from studiogate.queue import ExchangeQueue

from .backends import exchange_of, until


class Visitor:
    """Hold a slot until told to leave."""

    def __init__(self, queue: ExchangeQueue, order: list["Visitor"] | None = None, caller: str = "") -> None:
        self.exchange = exchange_of(caller=Caller(id=caller))
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


async def waiters(
    queue: ExchangeQueue, count: int, order: list[Visitor] | None = None, caller: str = ""
) -> list[Visitor]:
    """Let so many more come, one after the other."""
    made: list[Visitor] = []
    for _ in range(count):
        made.append(Visitor(queue, order, caller))
        await until(lambda: made[-1].exchange in queue.waiting)
    return made


async def test_a_free_slot_is_given_at_once() -> None:
    """An exchange that finds a free slot never waits."""
    queue = ExchangeQueue(slots=1, limit=1)
    exchange = exchange_of()
    empty = queue.full

    async with queue.slot(exchange):
        assert (queue.running, queue.waiting, queue.full) == ((exchange,), (), True)

    assert (queue.running, queue.full, empty) == ((), False, False)


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


async def test_who_waits_moves_up_to_the_slot() -> None:
    """The next one stands first, and leaves the line when it runs."""
    queue = ExchangeQueue(slots=1, limit=5)

    async with full(queue) as (holder,):
        came = await waiters(queue, 3)
        before = queue.waiting
        await holder.gone()
        await until(lambda: came[0].exchange in queue.running)
        after = queue.waiting
        for each in came:
            await each.gone()

    assert before == tuple(each.exchange for each in came)
    assert after == before[1:]


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
        refused = exchange_of()
        with pytest.raises(RateLimited, match=r"queue is full \(2 requests wait\)") as refusal:
            async with queue.slot(refused):
                pass
        held = queue.waiting
        for each in waiting:
            each.task.cancel()

    assert refusal.value.retry_after_s == 5
    assert refused.enqueued_at is None
    assert held == tuple(each.exchange for each in waiting)


async def test_who_stops_waiting_leaves_the_queue() -> None:
    """A cancelled waiter gives up its place, and those behind it move up."""
    queue = ExchangeQueue(slots=1, limit=2)

    async with full(queue):
        first, second = await waiters(queue, 2)
        first.task.cancel()
        await first.gone()
        left = queue.waiting
        second.task.cancel()

    assert left == (second.exchange,)


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


async def test_a_hundred_of_one_caller_hold_up_anothers_one_by_one() -> None:
    """Of two with nothing else running, the one that was served longest ago goes first."""
    queue = ExchangeQueue(slots=1, limit=100)
    order: list[Visitor] = []

    holder = Visitor(queue, order, "busy")
    hundred = await waiters(queue, 100, order, "busy")
    (one,) = await waiters(queue, 1, order, "other")
    shown = queue.waiting
    for each in (holder, one, *hundred):
        await until(partial(order.__contains__, each))
        await each.gone()

    assert shown == tuple(each.exchange for each in (one, *hundred))
    assert order == [holder, one, *hundred]


async def test_the_caller_with_the_fewest_running_goes_first() -> None:
    """Who holds two slots of three waits until the others hold as many, whenever it came."""
    queue = ExchangeQueue(slots=3, limit=10)
    order: list[Visitor] = []

    mine, _, _ = holders = [Visitor(queue, order, caller) for caller in ("many", "many", "few")]
    await until(lambda: len(queue.running) == 3)
    many = await waiters(queue, 2, order, "many")
    few = await waiters(queue, 2, order, "few")
    shown = queue.waiting
    await mine.gone()
    await until(lambda: len(queue.running) == 3)
    for each in (*holders, *many, *few):
        await each.gone()

    # The first to end leaves one of each running, and "many" has just been served; after that it is one of each again.
    assert shown == (few[0].exchange, many[0].exchange, many[1].exchange, few[1].exchange)
    assert order[3] is few[0]


async def test_of_equals_the_one_served_longest_ago_goes_first() -> None:
    """Also when both have one running: what counts is when each got its slot, not when each began to wait."""
    queue = ExchangeQueue(slots=3, limit=10)
    order: list[Visitor] = []

    holders = [Visitor(queue, order, caller) for caller in ("gone", "gone", "earlier")]
    await until(lambda: len(order) == 3)
    waiting = [*(await waiters(queue, 2, order, "later")), *(await waiters(queue, 1, order, "earlier"))]
    await holders[0].gone()
    await until(lambda: len(order) == 4)
    await holders[1].gone()
    await until(lambda: len(order) == 5)
    began = order[3:]
    for each in (holders[2], *waiting):
        await each.gone()

    assert began == [waiting[0], waiting[2]]


async def test_one_caller_cant_keep_another_out_of_a_full_queue() -> None:
    """Beyond the limit a caller may still come until an equal share of the limit waits, and at least one."""
    queue = ExchangeQueue(slots=1, limit=4)

    async def refused(caller: str) -> bool:
        late = Visitor(queue, caller=caller)
        await until(lambda: late.task.done() or late.exchange in queue.waiting)
        return late.task.done() and isinstance(late.task.exception(), RateLimited)

    async with full(queue):
        came = await waiters(queue, 4, caller="greedy")
        came += await waiters(queue, 2, caller="second")
        came += await waiters(queue, 1, caller="third")
        full_for = [caller for caller in ("greedy", "second", "third") if await refused(caller)]
        came += await waiters(queue, 1, caller="fourth")
        waiting = len(queue.waiting)
        for each in came:
            each.task.cancel()

    assert full_for == ["greedy", "second", "third"]
    assert waiting == 8


@attrs.define
class Crowd:
    """Let callers come, end and give up, one step at a time."""

    queue: ExchangeQueue
    here: list[Visitor] = attrs.field(factory=list[Visitor])

    def those(self, exchanges: tuple[Exchange, ...]) -> list[Visitor]:
        """Return the visitors of some exchanges, in the same order."""
        return [visitor for exchange in exchanges for visitor in self.here if visitor.exchange is exchange]

    async def step(self, step: tuple[str, Any]) -> None:
        """Let somebody come, by caller, or let one of those that run or wait go, by number."""
        what, value = step
        if what == "come":
            visitor = Visitor(self.queue, caller=value)
            await until(lambda: visitor.task.done() or visitor.exchange in (*self.queue.running, *self.queue.waiting))
            if visitor.task.done():
                assert isinstance(visitor.task.exception(), RateLimited)
            else:
                self.here.append(visitor)
        elif those := self.those(self.queue.running if what == "end" else self.queue.waiting):
            await self.leave(those[int(value) % len(those)])

    async def leave(self, visitor: Visitor) -> None:
        """Let one end that runs, or give up that waits."""
        if visitor.exchange in self.queue.waiting:
            visitor.task.cancel()
        await visitor.gone()
        self.here.remove(visitor)

    async def drain(self) -> list[Exchange]:
        """End whoever has run longest until nobody is left; return who was admitted, in order."""
        admitted: list[Exchange] = []
        while self.queue.running:
            waiting = set(self.queue.waiting)
            (oldest,) = self.those(self.queue.running[:1])
            await self.leave(oldest)
            admitted += [each for each in self.queue.running if each in waiting]
        return admitted


STEPS = st.lists(
    st.tuples(st.just("come"), st.sampled_from("abcd"))
    | st.tuples(st.just("come"), st.just("a"))
    | st.tuples(st.sampled_from(("end", "quit")), st.integers(0, 99)),
    max_size=60,
)
"""Comings and goings; one caller comes more often than the others."""


def callers(exchanges: tuple[Exchange, ...]) -> Counter[str]:
    """Count exchanges by caller."""
    return Counter(each.caller.id for each in exchanges)


@given(slots=st.integers(1, 4), limit=st.integers(1, 8), steps=STEPS)
def test_whatever_happens_the_queue_keeps_its_bounds(slots: int, limit: int, steps: list[tuple[str, Any]]) -> None:
    """No slot is free while somebody waits, none is given twice, and nobody ever has more than the limit waiting."""

    async def run() -> None:
        queue = ExchangeQueue(slots=slots, limit=limit)
        crowd = Crowd(queue)
        for step in steps:
            await crowd.step(step)
            assert len(queue.running) <= slots
            assert queue.full or not queue.waiting
            assert len({*queue.running, *queue.waiting}) == len(crowd.here)
            assert max(callers(queue.waiting).values(), default=0) <= limit
        await crowd.drain()
        assert (queue.running, queue.waiting, crowd.here) == ((), (), [])

    asyncio.run(run())


@given(slots=st.integers(1, 4), limit=st.integers(1, 8), steps=STEPS)
def test_only_who_has_its_share_is_refused(slots: int, limit: int, steps: list[tuple[str, Any]]) -> None:
    """Nobody is refused while fewer than the limit wait, or while fewer of its own wait than an equal share of it."""

    async def run() -> None:
        queue = ExchangeQueue(slots=slots, limit=limit)
        crowd = Crowd(queue)
        for step in steps:
            before, waiting, full = len(crowd.here), callers(queue.waiting), queue.full
            await crowd.step(step)
            if step[0] == "come":
                share = max(1, limit // len({*waiting, step[1]}))
                let_in = not full or waiting.total() < limit or waiting[step[1]] < share
                assert len(crowd.here) == before + let_in
        await crowd.drain()

    asyncio.run(run())


@given(slots=st.integers(1, 4), steps=STEPS)
def test_who_has_nothing_running_is_overtaken_once_by_each_at_most(slots: int, steps: list[tuple[str, Any]]) -> None:
    """However many the others have waiting, and whatever they do."""

    async def run() -> None:
        queue = ExchangeQueue(slots=slots, limit=60)
        crowd = Crowd(queue)
        overtaken: dict[str, Counter[str]] = {}
        for step in steps:
            before = set(queue.running)
            await crowd.step(step)
            running, waiting = callers(queue.running), callers(queue.waiting)
            patient = [caller for caller in waiting if not running[caller]]
            begun = callers(tuple(set(queue.running) - before))
            overtaken = {caller: overtaken.get(caller, Counter()) + begun for caller in patient}
            assert all(max(each.values(), default=0) <= 1 for each in overtaken.values())
        await crowd.drain()

    asyncio.run(run())


@given(slots=st.integers(1, 4), steps=STEPS)
def test_the_order_shown_is_the_order_of_admission(slots: int, steps: list[tuple[str, Any]]) -> None:
    """As long as those that run end in the order in which they began; within a caller it is the order of coming."""

    async def run() -> None:
        queue = ExchangeQueue(slots=slots, limit=60)
        crowd = Crowd(queue)
        for step in steps:
            await crowd.step(step)
        shown, came = queue.waiting, [each.exchange for each in crowd.here]

        assert await crowd.drain() == list(shown)
        for caller in "abcd":
            mine = [each for each in shown if each.caller.id == caller]
            assert mine == sorted(mine, key=came.index)

    asyncio.run(run())
