"""Work that would hold up the event loop, done in a thread that ends with whoever waits for it.

A thread can't be cancelled, and one that went on would write into a folder that is being removed. So the work asks
now and then whether it is still wanted, and who is cancelled waits until it has ended.
"""

import asyncio
import threading
from collections.abc import Callable


class Stopped(Exception):  # noqa: N818 - a verdict, not a failure
    """Raised by `Wanted.check` within work that nobody waits for any more; nobody sees it but that work."""


class Wanted:
    """Tell work whether somebody still waits for it."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def check(self) -> None:
        """Return if so; call it every few milliseconds.

        :raises Stopped: nobody does.
        """
        if self._stopped.is_set():
            raise Stopped

    def no_more(self) -> None:
        """Say that nobody does."""
        self._stopped.set()


async def in_thread[T](work: Callable[[Wanted], T]) -> T:
    """Run work in a thread and return its result; when cancelled, first see it end."""
    wanted = Wanted()
    thread = asyncio.create_task(asyncio.to_thread(work, wanted))
    thread.add_done_callback(_seen)
    try:
        await asyncio.wait([thread])
    except asyncio.CancelledError:
        wanted.no_more()
        await asyncio.wait([thread])
        raise
    return thread.result()


def _seen(thread: asyncio.Task[object]) -> None:
    """Look at how it ended, or asyncio would report an error that nobody waited for."""
    if not thread.cancelled():
        thread.exception()
