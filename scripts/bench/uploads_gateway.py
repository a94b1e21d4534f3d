"""The process that `uploads` measures: a gateway with attachments, and a backend that only looks at them, or a page.

Says its address in its first line, then answers `late` with the most milliseconds that its event loop came late since
`forget`.
"""

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from scripts.bench.waiting import SETTLE_S
from studiogate import hookimpl
from studiogate.config import Config, load_config
from studiogate.events import Event, Finish, FinishReason, TextDelta
from studiogate.exchange import Exchange
from studiogate.web.running import Running
from studiogate.web.server import running_gateway
from studiogate_attachments import Attachments

LOOK_EVERY_S = 0.001
READY_S = 60.0
ENOUGH = 10**9


class Looks:
    """A backend that says how big the files are."""

    @hookimpl
    async def fetch_response(self, exchange: Exchange) -> AsyncGenerator[Event]:
        """Answer."""
        yield TextDelta(text=" ".join(str(file.size) for file in exchange.attachments))
        yield Finish(reason=FinishReason.STOP)


class Lateness:
    """Look at the clock as often as the event loop lets one.

    The time that its thread stood in the system's queue doesn't count: then another process had the processor.
    """

    def __init__(self) -> None:
        self.most_s = 0.0

    async def watch(self) -> None:
        """Look until cancelled."""
        loop = asyncio.get_running_loop()
        schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        while True:
            due, queued = loop.time() + LOOK_EVERY_S, _queued_s(schedule)
            await asyncio.sleep(LOOK_EVERY_S)
            late = loop.time() - due
            self.most_s = max(self.most_s, late - (_queued_s(schedule) - queued))


def _queued_s(schedule: Path) -> float:
    """Return how long a thread has waited for a processor so far; 0 where the system doesn't say."""
    try:
        return int(schedule.read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def looking(folder: Path) -> AbstractAsyncContextManager[Running]:
    """Run a gateway whose backend only looks at the files."""
    config = Config(
        path=folder / "plugins.toml",
        plugins=("attachments", "looks"),
        tables={"gateway": {"port": 0, "max_body_bytes": ENOUGH}, "attachments": {"max_file_bytes": ENOUGH}},
        environ={},
    )
    return running_gateway(config, {"attachments": lambda: Attachments, "looks": lambda: Looks})


async def main(place: Path) -> None:
    """Serve until standard input ends; from a plugins.toml if `place` is one."""
    lateness = Lateness()
    async with looking(place) if place.suffix != ".toml" else running_gateway(load_config(place)) as running:
        watching = asyncio.create_task(lateness.watch())
        await _settled(running)
        print(running.url, flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            if line.strip() == "forget":
                await _settled(running)
                lateness.most_s = 0.0
            print(lateness.most_s * 1e3, flush=True)
        watching.cancel()


async def _settled(running: Running) -> None:
    """Wait until a page, if there is one, is ready and has been for a while."""
    async with asyncio.timeout(READY_S):
        while not running.gateway.ready:  # noqa: ASYNC110 - readiness is looked at, nobody announces it
            await asyncio.sleep(0.05)
    await asyncio.sleep(SETTLE_S)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
