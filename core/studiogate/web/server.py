"""The granian server inside our own loop, and the order in which everything ends.

granian's embedded server is experimental, so everything that knows of it is here. It waits for running responses
without limit and offers no sign of being ready, so the deadline of a stop is ours, and readiness is a successful
connection. Two servers could share a port silently (SO_REUSEPORT), so the port is probed before it is bound.
"""

import asyncio
import errno
import logging
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server

from studiogate.config import Config
from studiogate.errors import ConfigurationError
from studiogate.gateway import Gateway
from studiogate.keys import ApiKeys
from studiogate.plugins import InstalledPlugins, PluginHost
from studiogate.settings import GatewaySettings, is_loopback
from studiogate.web.app import create_app
from studiogate.web.metrics import counted
from studiogate.web.reloading import Reloads
from studiogate.web.running import Running
from studiogate.web.unread import taking_in_the_unread

log = logging.getLogger(__name__)

LISTEN_S = 10.0
"""Seconds granian gets to accept its first connection."""
LET_GO_S = 2.0
"""Seconds clients get at the end to send the rest of a request or to read the rest of an answer."""


@asynccontextmanager
async def running_gateway(config: Config, installed: InstalledPlugins | None = None) -> AsyncGenerator[Running]:
    """Serve a configuration inside this context; leaving it ends whatever still runs at once.

    :param installed: plugin classes to choose from, as `PluginHost` takes them; the installed ones when None.
    :raises ConfigurationError: the configuration, a plugin or the address can't be used.
    """
    settings = config.gateway
    keys = ApiKeys(settings)
    refuse_open_doors(settings, keys)
    address, port = free_address(settings.host, settings.port)
    gateway = Gateway(config, PluginHost(config, installed))
    app = create_app(gateway, keys)
    async with gateway.lifespan():
        server: Any = Server(
            taking_in_the_unread(counted(app, gateway.counts)),
            address=address,
            port=port,
            # The app has no lifespan; the gateway's is entered around the server.
            interface=Interfaces.ASGINL,
            log_enabled=False,
            websockets=False,
        )
        serving = asyncio.create_task(server.serve(), name="granian")
        try:
            await _listening(address, port, serving)
            host = f"[{address}]" if ":" in address else address
            yield Running(gateway, f"http://{host}:{port}", app, installed)
        finally:
            server.stop()
            # Streams end because their exchanges do; only then does granian return.
            await gateway.end_exchanges()
            app.state.log_stream.end()
            await _ended(serving)
    # A process that ends right after granian can abort under load.
    await asyncio.sleep(0.25)


async def serve(config: Config, then: Callable[[Running], Awaitable[None]] | None = None) -> None:
    """Serve until a signal: the first one lets running answers finish for `grace_s`, a second one doesn't wait.

    SIGHUP and `studiogate reload` have the configuration read again.

    :param then: runs beside the server once it listens, and is cancelled at the first signal; what it raises ends all.
    """
    stop = StopSignals()
    with stop.installed():
        async with running_gateway(config) as running:
            log.info("listening on %s; OpenAI's base URL is %s/v1", running.url, running.url)
            async with Reloads(running, config).on(stop.hangup):
                if then is not None:
                    await stop.unless(stop.first, then(running))
                await stop.first.wait()
            log.info("stopping; running answers have %g s", config.gateway.grace_s)
            await stop.unless(stop.second, running.gateway.drain(config.gateway.grace_s))


class StopSignals:
    """Turn SIGINT and SIGTERM into two events, stop and stop now, and SIGHUP into a third that ends nothing."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()
        self.hangup = asyncio.Event()

    @contextmanager
    def installed(self) -> Generator[None]:
        """Handle the signals inside this context."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._signalled)
        loop.add_signal_handler(signal.SIGHUP, self.hangup.set)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)

    async def unless(self, event: asyncio.Event, work: Awaitable[None]) -> None:
        """Run `work` to its end or until the event, whichever is first; raises what `work` raises."""
        task = asyncio.ensure_future(work)
        waiting = asyncio.create_task(event.wait())
        try:
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                await task
        finally:
            for each in (task, waiting):
                each.cancel()
            await asyncio.gather(task, waiting, return_exceptions=True)

    def _signalled(self) -> None:
        (self.second if self.first.is_set() else self.first).set()


def refuse_open_doors(settings: GatewaySettings, keys: ApiKeys) -> None:
    """Refuse to listen to other machines without a key.

    :raises ConfigurationError: the settings say so, and nobody would be asked for one.
    """
    if settings.insecure or is_loopback(settings.host) or keys.required:
        return
    raise ConfigurationError(
        f"[gateway] host: {settings.host} can be reached from other machines, and this gateway asks nobody for a key. "
        "Make one with 'studiogate keys add', listen on 127.0.0.1, or say --insecure if that is what you want."
    )


def free_address(host: str, port: int) -> tuple[str, int]:
    """Return the address to bind, as granian takes no names, and the port: the given one, or any free one for 0.

    :raises ConfigurationError: the address isn't this machine's, or somebody listens there already.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ConfigurationError(
                    f"port {port} on {host} is taken, perhaps by another gateway. Stop it, or choose with --port."
                ) from None
            raise ConfigurationError(f"can't listen on {host}:{port}: {error.strerror}.") from None
        address: tuple[str, int] = probe.getsockname()[:2]
        return address


async def _ended(serving: "asyncio.Task[None]") -> None:
    """Wait for the server to end, but not for a client that has stopped reading or writing: granian would, forever."""
    done, _ = await asyncio.wait({serving}, timeout=LET_GO_S)
    if done:
        await serving
    else:
        log.warning("cutting connections that did not end")


async def _listening(host: str, port: int, serving: "asyncio.Task[None]") -> None:
    """Return once the server accepts connections."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LISTEN_S):
            while not serving.done():
                with suppress(OSError):
                    _, writer = await asyncio.open_connection(host, port)
                    writer.close()
                    return
                await asyncio.sleep(0.01)
    raise ConfigurationError(f"the server on {host}:{port} did not come up.")
