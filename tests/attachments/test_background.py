import asyncio
import threading

import pytest

from studiogate_attachments.background import Wanted, in_thread


async def test_work_is_done_elsewhere() -> None:
    """Its result comes back, and so does what it raises."""

    def fails(_: Wanted) -> None:
        raise KeyError("x")

    assert await in_thread(lambda _: threading.current_thread()) is not threading.current_thread()
    with pytest.raises(KeyError):
        await in_thread(fails)


async def test_who_is_cancelled_sees_the_work_end_first() -> None:
    """Nothing goes on behind the back of whoever removes what it works on."""
    begun, ended = threading.Event(), threading.Event()

    def works(wanted: Wanted) -> None:
        begun.set()
        try:
            while True:
                wanted.check()
        finally:
            ended.set()

    task = asyncio.create_task(in_thread(works))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ended.is_set()
