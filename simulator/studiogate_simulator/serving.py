"""The process around the application: certificates, granian in our own event loop, signals, and a clean end.

granian waits for open responses without limit, and a scenario may hold one open for ever. So the end goes: tell the
streams (`Simulation.closing`), then stop the server, then wait a bounded time.
"""

import asyncio
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import frozen
from granian.constants import Interfaces, SSLProtocols
from granian.server.embed import Server

from studiogate_simulator.account import storage_state
from studiogate_simulator.app import build_app
from studiogate_simulator.certificates import Certificates, make_certificates, write_private
from studiogate_simulator.simulation import Simulation

_STOP_S: Final = 3.0
"""How long the server may take to end its connections, in seconds."""


class PortTaken(Exception):  # noqa: N818 - named for what happened
    """The port that was asked for is in use."""


@frozen(kw_only=True)
class Options:
    """How to run the simulator."""

    host: str
    """Address to listen on."""
    port: int
    """Port, 0 for any free one."""
    state_dir: Path
    """Folder for the certificate authority and the browser state; made if absent, its mode set to 0700."""
    hydration_ms: int
    """How long the page stays empty after its scripts run, in milliseconds."""
    generation: str
    """Period of the page, one of `GENERATIONS`."""
    exit_on_stdin_eof: bool
    """Whether to end when standard input closes."""


async def serve(options: Options) -> None:
    """Serve until a signal (or the end of standard input); prints the one line of JSON when ready."""
    options.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    options.state_dir.chmod(0o700)
    certificates = make_certificates(options.state_dir)
    state_path = options.state_dir / "storage_state.json"
    write_private(state_path, storage_state())
    port = free_port(options.host, options.port)

    simulation = Simulation(hydration_ms=options.hydration_ms, generation=options.generation)
    stop = _stop_event(exit_on_stdin_eof=options.exit_on_stdin_eof)
    server = _server(options.host, port, certificates, simulation)
    serving = asyncio.create_task(server.serve())
    try:
        await _accepting(options.host, port, serving)
        _announce(options.host, port, certificates, state_path)
        await stop.wait()
    finally:
        simulation.closing.set()
        end_server: Callable[[], None] = server.stop
        end_server()
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                await serving
        # A process that exits right after granian's end can abort; its threads need a moment.
        await asyncio.sleep(0.25)


def free_port(host: str, port: int) -> int:
    """Bind once to learn a free port; without this, granian would share a taken port (SO_REUSEPORT) silently."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(f"cannot listen on {host}:{port}: {error.strerror}") from error
        bound: int = probe.getsockname()[1]
        return bound


def _server(host: str, port: int, certificates: Certificates, simulation: Simulation) -> Server:
    return Server(
        build_app(simulation),
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_enabled=False,
        ssl_cert=certificates.leaf,
        ssl_key=certificates.leaf_key,
        ssl_protocol_min=SSLProtocols.tls12,
    )


def _stop_event(*, exit_on_stdin_eof: bool) -> asyncio.Event:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if exit_on_stdin_eof:

        def end() -> None:
            # The loop is closed when a signal came first.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(stop.set)

        # A thread, because an event loop cannot watch every kind of standard input (files, /dev/null).
        threading.Thread(target=_drain_stdin, args=(end,), daemon=True).start()
    return stop


def _drain_stdin(at_end: Callable[[], None]) -> None:
    with suppress(OSError):
        while os.read(0, 65536):
            pass
    at_end()


async def _accepting(host: str, port: int, serving: asyncio.Task[None]) -> None:
    while not serving.done():
        with suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return
        await asyncio.sleep(0.01)
    await serving
    raise RuntimeError("the server ended before it listened")


def _announce(host: str, port: int, certificates: Certificates, state_path: Path) -> None:
    ready = {
        "url": f"https://{f'[{host}]' if ':' in host else host}:{port}",
        "port": port,
        "ca": str(certificates.ca.resolve()),
        "storage_state": str(state_path.resolve()),
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
