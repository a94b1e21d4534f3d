import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from studiogate_studio.floor import Floor

ONE, TWO, THREE = "one", "two", "three"


async def waits(waiting: "asyncio.Task[Any]") -> bool:
    """Tell whether a task is still waiting when all others have had their turn."""
    for _ in range(5):
        await asyncio.sleep(0)
    return not waiting.done()


def start(waiting: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    """Begin to wait."""
    return asyncio.create_task(waiting)


async def be_alone(floor: Floor, tab: str, until: asyncio.Event) -> None:
    """Hold the floor alone until told to leave."""
    async with floor.alone(tab, within_s=5):
        await until.wait()


async def test_tabs_are_on_the_floor_side_by_side() -> None:
    """Nobody waits while nobody wants it alone; joining again changes nothing."""
    floor = Floor()
    for tab in (ONE, TWO, ONE):
        async with asyncio.timeout(10):
            await floor.join(tab)


async def test_one_alone_waits_for_the_others_and_holds_up_later_ones() -> None:
    """It comes before those who join after it asked, or it might wait for ever."""
    floor, until = Floor(), asyncio.Event()
    await floor.join(ONE)
    alone = start(be_alone(floor, TWO, until))
    assert await waits(alone)
    later = start(floor.join(THREE))

    assert await waits(later)
    floor.leave(ONE)
    assert await waits(alone)
    assert await waits(later)
    until.set()
    await asyncio.gather(alone, later)


async def test_whoever_was_alone_stays_until_it_leaves() -> None:
    """Its page may go on with the answer, whoever reads it; a next one has to wait for that."""
    floor, done = Floor(), asyncio.Event()
    done.set()
    await be_alone(floor, ONE, done)
    waiting = start(be_alone(floor, TWO, done))

    assert await waits(waiting)
    floor.leave(ONE)
    await waiting


async def test_two_that_are_in_may_both_want_it_alone() -> None:
    """Neither waits for the other to leave first: who asks has nothing under way."""
    floor, done = Floor(), asyncio.Event()
    await floor.join(ONE)
    await floor.join(TWO)
    first = start(be_alone(floor, ONE, done))
    second = start(be_alone(floor, TWO, done))
    assert await waits(second)
    done.set()

    await first
    floor.leave(ONE)
    await second


async def test_who_gives_up_waiting_holds_nobody_up() -> None:
    """Because it took too long, or because it was cancelled."""
    floor = Floor()
    await floor.join(ONE)
    with pytest.raises(TimeoutError):
        async with floor.alone(TWO, within_s=0):
            pass
    waiting = start(be_alone(floor, TWO, asyncio.Event()))
    assert await waits(waiting)
    waiting.cancel()

    async with asyncio.timeout(10):
        await floor.join(THREE)


async def test_one_that_was_alone_all_the_time_can_keep_the_others_out() -> None:
    """From then on they wait."""
    floor = Floor()
    await floor.join(ONE)
    with floor.keep(ONE) as kept:
        joining = start(floor.join(TWO))
        assert kept
        assert await waits(joining)
    await joining

    with floor.keep(ONE) as kept:
        assert not kept


async def test_one_that_was_not_alone_can_keep_nobody_out() -> None:
    """Also when the other has left: something of it may have come in between. A new start forgets that."""
    floor = Floor()
    await floor.join(ONE)
    await floor.join(TWO)
    floor.leave(TWO)
    with floor.keep(ONE) as kept:
        assert not kept
    floor.leave(ONE)
    with floor.keep(ONE) as kept:
        assert not kept
    await floor.join(ONE)

    with floor.keep(ONE) as kept:
        assert kept
