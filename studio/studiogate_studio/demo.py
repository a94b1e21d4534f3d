"""`studiogate demo`: a gateway that answers, without an account: the simulator stands in for AI Studio."""

# rich-click passes on click's decorators, whose generic parameter types it leaves open.
# pyright: reportUnknownMemberType=false

import asyncio
import importlib.util
import json
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import attrs
import cattrs
import rich_click as click

from studiogate import logs
from studiogate.config import GATEWAY_TABLE, Table
from studiogate.config_option import config_option, read_config
from studiogate.errors import ConfigurationError
from studiogate.web.running import Running
from studiogate.web.server import serve

START_S = 60.0
"""Seconds that simulator and browser get to start, each."""
_STOP_S = 10.0
_POLL_S = 0.05


@attrs.frozen(kw_only=True)
class Simulator:
    """Say where a running simulator is; the one line it prints."""

    url: str
    port: int
    ca: Path
    """The certificate authority that signed its certificates, PEM."""
    storage_state: Path
    """A signed-in browser profile."""

    def flags(self) -> Table:
        """Return the `[studio]` settings that lead the browser there instead of to AI Studio."""
        return {
            "profile": self.storage_state,
            "reroute": f"127.0.0.1:{self.port}",
            "reroute_ca": self.ca,
            # The operator's way to the network doesn't lead back to this machine.
            "upstream_proxy": "",
        }


@click.command()
@config_option
@click.option(
    "--port", "--server-port", type=int, default=None, help="Port to listen on; 0: any free.  [default: 2048]"
)
@click.option("--simulator-port", type=int, default=0, help="The simulator's port; 0: any free.  [default: 0]")
def demo(config_path: Path | None, port: int | None, simulator_port: int) -> None:
    """Serve answers from a simulated AI Studio: no account, nothing leaves this machine."""
    # Read before anything starts, so that a mistake in it costs no time.
    level = read_config(config_path).gateway.log_level
    logs.run(run_demo(config_path, port, simulator_port), level=level)


async def run_demo(config_path: Path | None, port: int | None, simulator_port: int) -> None:
    """Run simulator and gateway until a signal; leaves nothing behind.

    :raises ConfigurationError: the configuration is wrong, or the simulator isn't installed.
    """
    with tempfile.TemporaryDirectory(prefix="studiogate-demo-") as folder:
        async with running_simulator(Path(folder) / "simulator", simulator_port) as simulator:
            gateway = {
                "host": "127.0.0.1",
                "port": port,
                "state_dir": str(Path(folder) / "state"),
                # The operator's keys are not for a demo, whose printed command has none.
                "keys_file": str(Path(folder) / "key.txt"),
            }
            await serve(read_config(config_path, {GATEWAY_TABLE: gateway, "studio": simulator.flags()}), announce)


async def announce(running: Running) -> None:
    """Wait until the gateway can answer, then say how to ask it.

    :raises ConfigurationError: it couldn't within `START_S`; says what it waits for.
    """
    try:
        async with asyncio.timeout(START_S):
            while not running.gateway.ready:  # noqa: ASYNC110 - plugins report health, they don't announce it
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        health = running.gateway.health().items()
        waits = "; ".join(f"{name}: {each.status} {each.advice or ''}" for name, each in health if not each.ready)
        raise ConfigurationError(f"the demo could not start: {waits}") from None
    click.echo(
        f"""
Serving a simulated AI Studio. OpenAI's base URL is {running.url}/v1 (any API key will do). Try it:

  curl -N {running.url}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{{"stream": true, "messages": [{{"role": "user", "content": "Hello!"}}]}}'

Ctrl-C ends it.
"""
    )


@asynccontextmanager
async def running_simulator(folder: Path, port: int = 0) -> AsyncGenerator[Simulator]:
    """Run the simulator as a process that ends with this context, or with this process.

    :param folder: where it keeps its certificates and the profile.
    :raises ConfigurationError: it isn't installed, or doesn't start.
    """
    if importlib.util.find_spec("studiogate_simulator") is None:
        raise ConfigurationError("the demo needs the simulator: install studiogate-simulator.")
    command = ("-m", "studiogate_simulator", "--port", str(port), "--state-dir", str(folder), "--exit-on-stdin-eof")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # Ctrl-C at a terminal goes to the whole group; the simulator has to outlive the answers it is still giving.
        start_new_session=True,
    )
    try:
        yield await _first_line(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _first_line(process: asyncio.subprocess.Process) -> Simulator:
    line = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline() if process.stdout is not None else b""
    if not line:
        raise ConfigurationError("the simulator did not start; what it said stands above.")
    return cattrs.structure(json.loads(line), Simulator)
