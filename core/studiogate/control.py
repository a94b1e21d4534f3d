"""The control socket: how `studiogate reload` reaches the gateway that runs, on this machine and as the same user only.

A Unix socket in `[gateway] state_dir`, named for the port that is configured, readable and writable by its owner alone.
The caller sends one line, a command; the gateway answers with one line of JSON, `{"ok": ..., "lines": [...]}`.
"""

import asyncio
import errno
import json
import logging
import os
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import attrs

from studiogate.errors import ConfigurationError
from studiogate.settings import GatewaySettings

log = logging.getLogger(__name__)

RELOAD = "reload"
ASK_S = 300.0
"""Seconds that the caller waits: new plugins may have a browser to start."""


@attrs.frozen
class Outcome:
    """Say how a command ended."""

    ok: bool
    lines: tuple[str, ...]
    """For the operator; no secrets."""


def socket_path(settings: GatewaySettings) -> Path:
    """Return where the gateway with these settings listens."""
    return settings.state_dir / f"control-{settings.port}.sock"


@asynccontextmanager
async def answering(path: Path, answer: Callable[[str], Awaitable[Outcome]]) -> AsyncGenerator[None]:
    """Answer commands inside this context; one under way is cancelled at its end.

    Where the socket can't be had, the log says so and commands go unheard.
    """
    busy: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        busy.add(task)
        try:
            command = (await reader.readline()).decode(errors="replace").strip()
            outcome = await answer(command)
            writer.write(json.dumps(attrs.asdict(outcome)).encode() + b"\n")
            with suppress(OSError):
                await writer.drain()
        except asyncio.CancelledError:
            # The gateway stops; the caller sees that no answer comes.
            pass
        finally:
            busy.discard(task)
            writer.close()

    try:
        listening = _listening(path)
    except OSError as error:
        log.warning(
            "studiogate reload can't reach this gateway, SIGHUP can: %s: %s", path.name, error.strerror or error
        )
        yield
        return
    server = await asyncio.start_unix_server(serve, sock=listening)
    try:
        yield
    finally:
        server.close()
        for task in busy:
            task.cancel()
        if busy:
            await asyncio.wait(busy)
        path.unlink(missing_ok=True)  # noqa: ASYNC240 - a moment, at the end


def ask(path: Path, command: str) -> Outcome:
    """Send a command to the gateway that listens, and wait for its answer.

    :raises ConfigurationError: none listens, or it ended before its answer.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection, _short(path) as name:
            connection.settimeout(ASK_S)
            connection.connect(name)
            connection.sendall(f"{command}\n".encode())
            with connection.makefile("rb") as answer:
                said = answer.readline()
    except OSError as error:
        raise ConfigurationError(
            f"no gateway of this configuration can be reached ({error.strerror or error}). One that was started with "
            "another port or [gateway] state_dir is reached with --port, or by the signal SIGHUP."
        ) from None
    if not said:
        raise ConfigurationError("the gateway ended before it answered.")
    told = cast("dict[str, Any]", json.loads(said))
    return Outcome(ok=bool(told["ok"]), lines=tuple(told["lines"]))


def _listening(path: Path) -> socket.socket:
    """Return a socket that listens; what a crash left in its place goes.

    :raises OSError: another gateway listens there, or the folder can't be used.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = socket.socket(socket.AF_UNIX)
    try:
        with _short(path) as name:
            if _answered(name):
                raise OSError(errno.EADDRINUSE, "another gateway has it")  # noqa: TRY301 - beside its reason
            path.unlink(missing_ok=True)
            # The socket comes into being with its mode: nobody else can connect, however briefly.
            mask = os.umask(0o177)
            try:
                made.bind(name)
            finally:
                os.umask(mask)
        made.listen()
        made.setblocking(False)
    except BaseException:
        made.close()
        raise
    return made


def _answered(name: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(name) == 0


@contextmanager
def _short(path: Path) -> Generator[str]:
    """Name a path in few bytes, as a socket's address holds about a hundred: through its folder, where /proc is."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        own = Path("/proc/self/fd") / str(folder)
        yield str(own / path.name) if own.exists() else str(path)
    finally:
        os.close(folder)
