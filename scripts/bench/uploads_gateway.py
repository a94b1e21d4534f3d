"""The process that `uploads` measures: a gateway with attachments, and a backend that only looks at them.

Says its address in its first line, then answers `late` with the most milliseconds that its event loop came late since
`forget`.
"""

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

from studiogate import hookimpl
from studiogate.config import Config
from studiogate.events import Event, Finish, FinishReason, TextDelta
from studiogate.exchange import Exchange
from studiogate.web.server import running_gateway
from studiogate_attachments import Attachments

LOOK_EVERY_S = 0.001
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


async def main(folder: Path) -> None:
    """Serve until standard input ends."""
    config = Config(
        path=folder / "plugins.toml",
        plugins=("attachments", "looks"),
        tables={"gateway": {"port": 0, "max_body_bytes": ENOUGH}, "attachments": {"max_file_bytes": ENOUGH}},
        environ={},
    )
    lateness = Lateness()
    async with running_gateway(config, {"attachments": lambda: Attachments, "looks": lambda: Looks}) as running:
        watching = asyncio.create_task(lateness.watch())
        print(running.url, flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(lateness.most_s * 1e3, flush=True)
            if line.strip() == "forget":
                lateness.most_s = 0.0
        watching.cancel()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
