"""The proxy's life: mitmproxy as a library in the gateway's own loop.

`Master.run()` is never called: it would replace the task factory and the exception handler of the whole process. The
steps it takes are taken here one by one, and undone in reverse.

mitmproxy keeps its current master in a module global, so one proxy runs per process at a time; a second start is
refused. Start after stop is fine.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager

import attrs
from mitmproxy import http

from studiogate.errors import ConfigurationError
from studiogate_stream_intercept import mitm
from studiogate_stream_intercept.abort import AbortStream
from studiogate_stream_intercept.bare import Master, Proxyserver
from studiogate_stream_intercept.certificates import Authority, ensure_authority, gather_trusted
from studiogate_stream_intercept.destinations import ProxySettings
from studiogate_stream_intercept.errors import PortTaken
from studiogate_stream_intercept.interception import Interception
from studiogate_stream_intercept.turns import Matches, Patch, Turn, Turns
from studiogate_stream_intercept.upstream import ThroughOthers


@attrs.frozen(kw_only=True)
class _Running:
    """What exists between start and stop."""

    master: Master
    server: Proxyserver
    authority: Authority
    port: int


class InterceptingProxy:
    """A proxy on loopback that decrypts the page's hosts and binds its prompts to their answers."""

    def __init__(self, settings: ProxySettings) -> None:
        self._settings = settings
        self._turns = Turns(buffer_limit=settings.buffer_limit)
        self._running: _Running | None = None
        self._cuts: set[asyncio.Task[None]] = set()
        others = (settings.upstream, settings.interceptor)
        self._through = ThroughOthers(settings, self._drop_server) if any(others) else None

    @property
    def port(self) -> int:
        """Return the port it listens on. Raises `RuntimeError` unless started."""
        return self._started().port

    @property
    def spki(self) -> str:
        """Return what Chromium has to trust, see `Authority.spki`. Raises `RuntimeError` unless started."""
        return self._started().authority.spki

    @property
    def trouble(self) -> str | None:
        """Return what is wrong with a proxy behind this one, in a sentence; None when nothing is, or there is none."""
        return None if self._through is None else self._through.trouble

    def expect(
        self, matches: Matches, patch: Patch, *, pressed: Callable[[], bool] = lambda: True
    ) -> AbstractAsyncContextManager[Turn]:
        """Take the submit lock for one prompt: click inside the block, await `Turn.sent`, leave, await `Turn.answer`.

        See `Turns.expect`.
        """
        return self._turns.expect(matches, patch, pressed=pressed)

    async def start(self) -> None:
        """Make the CA if there is none, and listen.

        Raises `PortTaken` when the port is, `ConfigurationError` when the CA's folder can't be used or another proxy
        runs in this process; nothing is left behind then.
        """
        if mitm.one_runs():
            raise ConfigurationError("An intercepting proxy already runs in this process; there can be only one.")
        settings = self._settings
        authority = await asyncio.to_thread(ensure_authority, settings.ca_dir)
        trusted = await asyncio.to_thread(gather_trusted, settings.ca_dir, settings.trusted_files)
        _probe_port(settings.listen_host, settings.port)
        _hush_mitmproxy()
        master, server = mitm.assemble(settings, trusted, *self._addons())
        port = None
        try:
            port = await mitm.listen(master, server)
        finally:
            if port is None:
                await mitm.shut(master, server)
        if port is None:
            raise _port_taken(settings.port)
        self._running = _Running(master=master, server=server, authority=authority, port=port)
        self._turns.open()

    def _addons(self) -> Iterator[object]:
        yield Interception(self._settings, self._turns, self._cut)
        if self._through is not None:
            yield self._through

    async def stop(self) -> None:
        """End every turn with `StreamBroken`, close every connection, free the port. Idempotent."""
        running, self._running = self._running, None
        self._turns.close("the proxy stopped")
        if running is not None:
            await mitm.shut(running.master, running.server)

    def _cut(self, flow: http.HTTPFlow) -> asyncio.Task[None]:
        """Abort a flow in a task of its own: the tap, which may ask for it, holds the connection's lock."""
        task = asyncio.get_running_loop().create_task(self._abort(flow), name="abort flow")
        self._cuts.add(task)
        task.add_done_callback(self._cuts.discard)
        return task

    async def _abort(self, flow: http.HTTPFlow) -> None:
        if self._running is not None:
            await mitm.inject(self._running.server, flow, AbortStream(flow))

    def _drop_server(self, flow: http.HTTPFlow) -> None:
        if self._running is not None:
            mitm.drop_server(self._running.server, flow)

    def _started(self) -> _Running:
        if self._running is None:
            raise RuntimeError("The proxy is not started.")
        return self._running


def _probe_port(host: str, port: int) -> None:
    """Find a taken port before mitmproxy does: it would only log it, with advice on its own command line."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise _port_taken(port, error.strerror or str(error)) from error


def _port_taken(port: int, why: str = "Address already in use") -> PortTaken:
    return PortTaken(f"The proxy can't listen on port {port} ({why}): choose a free one, or 0 for any.")


def _hush_mitmproxy() -> None:
    """Keep a line per connection out of the gateway's log, unless the operator set that logger's level."""
    theirs = logging.getLogger("mitmproxy")
    if theirs.level == logging.NOTSET:
        theirs.setLevel(logging.WARNING)
