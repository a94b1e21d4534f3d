"""Another OpenAI-compatible service, in a thread of its own, for gateways that run as processes."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager

import attrs

from tests.helper_backend.standin import Asked, Reply, StandIn, standing_in


@attrs.frozen
class Service:
    """A service that a test plays; see `tests.helper_backend.standin` for the replies there are."""

    url: str
    """Its `base_url`."""
    _standing: StandIn
    _loop: asyncio.AbstractEventLoop

    def reply(self, *replies: Reply) -> None:
        """Answer so from now on, the last one again and again."""
        self._loop.call_soon_threadsafe(self._standing.reply, *replies)

    @property
    def asked(self) -> list[Asked]:
        """Return the requests since the last `forget`."""
        return list(self._standing.asked)

    def forget(self) -> None:
        """Forget what was asked."""
        self._loop.call_soon_threadsafe(self._standing.asked.clear)


@contextmanager
def running_service() -> Generator[Service]:
    """Run a service until the block ends; it answers `Hello`."""
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    running: list[Service] = []

    async def run() -> None:
        async with standing_in() as standing:
            running.append(Service(standing.url, standing, loop))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield running[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
