"""The process that `helper` measures: a gateway that asks a service, or one whose backend answers from memory.

The first argument is the service's `base_url`; without one it answers from memory. Says its address in its first line
and serves until standard input ends. Its log is written as `studiogate serve` does.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from studiogate import hookimpl, logs
from studiogate.config import Config
from studiogate.events import Event, Finish, FinishReason, TextDelta, Usage
from studiogate.web.server import running_gateway
from studiogate_helper_backend import HelperBackend


class Knows:
    """A backend that knows its answer."""

    @hookimpl
    async def fetch_response(self) -> AsyncGenerator[Event]:
        """Answer."""
        yield TextDelta(text="Short and sweet.")
        yield Finish(reason=FinishReason.STOP)
        yield Usage(prompt=7, completion=5)


async def main(base_url: str | None) -> None:
    """Serve until standard input ends."""
    config = Config(
        path=Path("/plugins.toml"),
        plugins=("knows",) if base_url is None else ("helper_backend",),
        tables={"gateway": {"port": 0}, "helper_backend": {"protocol": "openai", "base_url": base_url}},
        environ={},
    )
    async with running_gateway(config, {"knows": lambda: Knows, "helper_backend": lambda: HelperBackend}) as running:
        print(running.url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    logs.configure()
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
