"""The service's two ports: the proxy that reads along, and the API that retells."""

import asyncio
import json
import ssl
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import h11
import httpx

from .authority import Authority
from .decoder import Chunk, Decoder, make_chunk
from .faults import Fault, Kept
from .told import CUT, Told
from .tunnel import Request, TunnelledPage

HOST = "127.0.0.1"
PATH = "/getStreamResponse"
KEEP_ALIVE = b": keep-alive\n\n"
_OK = 200
_CLOSE_S = 5.0
_HOP = {"connection", "proxy-connection", "keep-alive", "transfer-encoding", "te", "upgrade", "accept-encoding"}

type _Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@attrs.define(kw_only=True, eq=False)
class HelperService:
    """The service's two ports, what it was asked, and what shall go wrong with it."""

    simulator: int
    """The simulator's port."""
    simulator_ca: Path
    sapisid: str
    """The cookie that the account's browser has; who asks without it gets 401."""
    ca: Path
    """The service's own authority, PEM; the browser has to trust it."""
    proxy_port: int = 0
    api_port: int = 0
    kept: Kept = Kept.QUEUE
    fault: Fault | None = None
    fault_status: int = 500
    fault_after: int = 0
    fault_let: threading.Event = attrs.field(factory=threading.Event)
    """Set once the fault may happen."""
    connect_status: int = 200
    """What CONNECT is answered with; other than 200 opens no tunnel."""
    told: list[Told] = attrs.field(factory=list[Told])
    """Every answer of the page's since the start or `reset`."""
    asked: list[dict[str, str]] = attrs.field(factory=list[dict[str, str]])
    """The headers of every request for a stream, and under `path` where it went."""
    tunnels: list[str] = attrs.field(factory=list[str])
    """What CONNECT named, in order, such as `aistudio.google.com:443`."""
    listening: int = 0
    """How many are being answered now."""
    _new: asyncio.Event = attrs.field(factory=asyncio.Event)
    _authority: Authority = attrs.field(init=False)

    @property
    def proxy(self) -> str:
        """Return `host:port` of the intercepting proxy."""
        return f"{HOST}:{self.proxy_port}"

    @property
    def endpoint(self) -> str:
        """Return the address that streams are fetched from."""
        return f"http://{HOST}:{self.api_port}{PATH}"

    def table(self, *, proxy: bool = True) -> dict[str, Any]:
        """Return the `[helper_backend]` table that names this service."""
        way = {"proxy": self.proxy, "proxy_ca": str(self.ca)} if proxy else {}
        return {"protocol": "helper", "endpoint": self.endpoint, **way}

    def fail(self, fault: Fault | None, *, after: int = 0, status: int = 500, held: bool = False) -> None:
        """Let a fault happen from now on, or once `fault_let` is set; None for none."""
        self.fault_let.clear()
        if not held:
            self.fault_let.set()
        self.fault_after, self.fault_status, self.fault = after, status, fault

    def reset(self) -> None:
        """Forget everything but where it is."""
        self.fail(None)
        self.kept, self.connect_status = Kept.QUEUE, 200
        self.told.clear()
        self.asked.clear()
        self.tunnels.clear()

    def plant(self, text: str, *, over: bool = True) -> None:
        """Have an answer from earlier lie about that nobody fetched, or that still runs."""
        told = Told()
        told.chunks = [make_chunk({"content": text}), *([make_chunk({}, "stop")] if over else [])]
        told.over = told.whole = over
        self.told.append(told)

    # The proxy.

    async def serve_proxy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one tunnel: read what passes, and copy the RPC's answers."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, target, _ = head.split("\r\n")[0].split(" ")
            self.tunnels.append(target)
            if method != "CONNECT" or self.connect_status != _OK:
                status = 502 if method != "CONNECT" else self.connect_status
                writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
                return
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            host = target.rpartition(":")[0].strip("[]")
            await writer.start_tls(self._authority.context_for(host))
            trust = ssl.create_default_context(cafile=self.simulator_ca)
            trust.check_hostname = False  # a tunnel may name a host that the simulator has no certificate for
            async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=None) as upstream:
                page = TunnelledPage(reader, writer)
                while (request := await page.next_request()) is not None:
                    await self._pass(page, upstream, request)
        except (OSError, asyncio.IncompleteReadError, h11.RemoteProtocolError, h11.LocalProtocolError):
            pass
        finally:
            with suppress(OSError):
                writer.close()

    async def _pass(self, page: TunnelledPage, upstream: httpx.AsyncClient, request: Request) -> None:
        passing = asyncio.create_task(self._passed(page, upstream, request))
        leaving = asyncio.create_task(page.gone())
        try:
            await asyncio.wait({passing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not passing.done():
                raise ConnectionResetError
            await passing
        finally:
            for task in (passing, leaving):
                task.cancel()
            await asyncio.gather(passing, leaving, return_exceptions=True)

    async def _passed(self, page: TunnelledPage, upstream: httpx.AsyncClient, request: Request) -> None:
        headers = [(name, value) for name, value in request.headers if name not in _HOP]
        # Compressed answers would only have to be undone.
        headers.append(("accept-encoding", "identity"))
        url = f"https://{HOST}:{self.simulator}{request.target}"
        told: Told | None = None
        try:
            async with upstream.stream(request.method, url, headers=headers, content=request.body) as response:
                kept = [(name, value) for name, value in response.headers.multi_items() if name not in _HOP]
                await page.begin(response.status_code, kept)
                # A refusal is nothing that such services tell of.
                told = self._begin() if request.is_rpc and response.status_code == _OK else None
                decoder = Decoder()
                async for piece in response.aiter_raw():
                    if told is not None:
                        told.add(*decoder.feed(piece))
                    await page.send(piece)
                await page.end()
                if told is not None:
                    told.whole = True
        except httpx.HTTPError as error:
            raise ConnectionResetError from error
        finally:
            if told is not None:
                told.end()

    def _begin(self) -> Told:
        told = Told()
        self.told.append(told)
        new, self._new = self._new, asyncio.Event()
        new.set()
        return told

    # The service.

    async def serve_api(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        self.listening += 1
        asking: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        gone = asyncio.create_task(_head_then_gone(reader, asking))
        answering = asyncio.create_task(self._answer(asking, writer))
        try:
            await asyncio.wait({gone, answering}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, answering):
                task.cancel()
            await asyncio.gather(gone, answering, return_exceptions=True)
            self.listening -= 1
            with suppress(OSError):
                writer.close()

    async def _answer(self, asking: "asyncio.Future[str]", writer: asyncio.StreamWriter) -> None:
        first, *lines = (await asking).split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines) if name}
        path = first.split(" ")[1]
        self.asked.append({"path": path, **headers})
        fault, after = self.fault, self.fault_after
        if fault is Fault.SILENT:
            await asyncio.Event().wait()
        status = 404 if path.partition("?")[0] != PATH else 200
        if status == _OK and f"SAPISID={self.sapisid}" not in headers.get("cookie", ""):
            status = 401
        if fault is Fault.REFUSE:
            status = self.fault_status
        if status != _OK:
            body = b'{"error": {"message": "The helper does not want to."}}'
            head = f"HTTP/1.1 {status} No\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
            return
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        stream = _ChunkedWriter(writer)
        sent, whole = 0, True
        async with aclosing(self._to_tell()) as chunks:
            async for chunk in chunks:
                if chunk is None:
                    await stream.send(KEEP_ALIVE)
                    continue
                if chunk is CUT:
                    whole = False
                    continue
                if fault is not None and sent >= after and await self._spoiled(fault, stream, chunk):
                    return
                await stream.send(b"data: " + json.dumps(chunk).encode() + b"\n\n")
                sent += 1
        if whole:
            await stream.send(b"data: [DONE]\n\n")
        await stream.end()

    async def _spoiled(self, fault: Fault, stream: "_ChunkedWriter", chunk: Chunk) -> bool:
        """Let the fault happen; return whether that was the end."""
        await asyncio.to_thread(self.fault_let.wait)
        return await _spoil(fault, stream, chunk)

    async def _to_tell(self) -> AsyncGenerator[Chunk | None]:
        """Yield the chunks of the answer that is to be told, and None while nothing comes."""
        async for told in self._chosen():
            if told is None:
                yield None
                continue
            told.fetched = True
            async for chunk in told.follow():
                yield chunk
            if not told.whole:
                yield CUT

    async def _chosen(self) -> AsyncIterator[Told | None]:
        """Yield the answer to tell, with None for each while that passes before there is one."""
        seen = len(self.told)
        while True:
            first = {Kept.NONE: seen, Kept.NEWEST: -1}.get(self.kept, 0)
            waiting = [told for told in self.told[first:] if not told.fetched]
            if waiting:
                yield waiting[0]
                return
            if self.kept is Kept.AT_ONCE:
                return
            new = self._new
            try:
                async with asyncio.timeout(0.1):
                    await new.wait()
            except TimeoutError:
                yield None

    @asynccontextmanager
    async def serving(self, folder: Path) -> AsyncGenerator[None]:
        """Listen on any two ports."""
        self._authority = Authority.made(folder)
        self.ca = self._authority.file
        self._new = asyncio.Event()
        connections, writers = set[asyncio.Task[None]](), list[asyncio.StreamWriter]()

        def served(by: _Serve) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
            def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writers.append(writer)
                task = asyncio.create_task(by(reader, writer))
                connections.add(task)
                task.add_done_callback(connections.discard)

            return connected

        proxy = await asyncio.start_server(served(self.serve_proxy), HOST, 0, limit=2**20)
        api = await asyncio.start_server(served(self.serve_api), HOST, 0)
        self.proxy_port = proxy.sockets[0].getsockname()[1]
        self.api_port = api.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            proxy.close()
            api.close()
            for connection in tuple(connections):
                connection.cancel()
            await asyncio.gather(*connections, return_exceptions=True)
            for writer in writers:
                writer.transport.abort()
            async with asyncio.timeout(_CLOSE_S):
                await proxy.wait_closed()
                await api.wait_closed()
            # What was opened to the simulator is closed by callbacks of the loop, which is about to end.
            for _ in range(10):
                await asyncio.sleep(0)


async def _spoil(fault: Fault, stream: "_ChunkedWriter", chunk: Chunk) -> bool:
    """Let the fault happen; return whether that was the end."""
    match fault:
        case Fault.STALL:
            while True:
                await stream.send(KEEP_ALIVE)
                await asyncio.sleep(0.1)
        case Fault.GARBAGE:
            await stream.send(b"data: <html>502 Bad Gateway</html>\n\n")
            await stream.end()
        case Fault.HALF:
            whole = b"data: " + json.dumps(chunk).encode()
            await stream.send(whole[: len(whole) // 2])
            await stream.end()
        case Fault.EARLY:
            await stream.end()
        case Fault.RESET:
            stream.drop()
        case Fault.REFUSE | Fault.SILENT:
            return False
    return True


async def _head_then_gone(reader: asyncio.StreamReader, asking: "asyncio.Future[str]") -> None:
    """Read a request's head, then wait until whoever asked leaves."""
    asking.set_result((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
    while await reader.read(65536):
        pass


@attrs.frozen
class _ChunkedWriter:
    """Write the pieces of an HTTP/1.1 body."""

    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        await self.writer.drain()

    async def end(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    def drop(self) -> None:
        self.writer.transport.abort()
