"""An OpenAI-compatible service that a test plays by hand, down to the bytes: what it is asked it remembers."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import attrs

HANG = None
"""Among a stream's pieces: say nothing more, and keep the connection."""
CUT = b""
"""Among a stream's pieces: close the connection in the middle."""
DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}

type Reply = Callable[["Asked"], Awaitable[None]]


@attrs.define(eq=False, kw_only=True)
class Asked:
    """One request that came, and the way to answer it."""

    path: str
    headers: dict[str, str]
    raw: bytes
    connection: int
    """Counts the connections."""
    writer: asyncio.StreamWriter
    gone: asyncio.Event
    """Set when the connection ends, by whomever."""
    answered: bool = False
    """Whether the reply was sent to its end."""

    @property
    def body(self) -> Any:
        """Return what was sent, decoded."""
        return json.loads(self.raw)

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: int, **headers: str) -> None:
        """Send an answer's beginning."""
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send("\r\n".join([f"HTTP/1.1 {status} Whatever", *lines, "", ""]).encode())


@attrs.define(eq=False)
class StandIn:
    """Answer with one reply after the other, the last one again and again."""

    url: str = ""
    """Its `base_url`."""
    replies: list[Reply] = attrs.field(factory=list[Reply])
    asked: list[Asked] = attrs.field(factory=list[Asked])
    connections: int = 0
    unread: bool = False
    """Whether bodies are left unread; then the connection is good for one request."""
    came: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set at each request."""

    def reply(self, *replies: Reply) -> None:
        """Answer so from now on."""
        self.replies = list(replies)

    @property
    def last(self) -> Asked:
        """Return the last request."""
        return self.asked[-1]

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        number = self.connections
        try:
            while (asked := await _read(reader, writer, number, unread=self.unread)) is not None:
                self.asked.append(asked)
                self.came.set()
                reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                await reply(asked)
                asked.answered = True
                if self.unread:
                    # To close on one who still sends would make it lose the answer.
                    while await reader.read(65536):
                        pass
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()


class _Watched(asyncio.StreamReaderProtocol):
    """Notice when the other side leaves, also while nobody reads."""

    def __init__(self, connected: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]) -> None:
        super().__init__(asyncio.StreamReader(), connected)
        self.gone = asyncio.Event()

    def eof_received(self) -> bool | None:
        """Notice a polite end."""
        self.gone.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Notice any end."""
        self.gone.set()
        super().connection_lost(exc)


async def _read(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int, *, unread: bool
) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:]) if name}
        sent = b"" if unread else await reader.readexactly(int(headers.get("content-length", "0")))
    except asyncio.IncompleteReadError:
        return None
    gone = cast("_Watched", writer.transport.get_protocol()).gone
    return Asked(path=lines[0].split(" ")[1], headers=headers, raw=sent, connection=number, writer=writer, gone=gone)


@asynccontextmanager
async def standing_in(tls: ssl.SSLContext | None = None, sock: socket.socket | None = None) -> AsyncGenerator[StandIn]:
    """Serve on any port of 127.0.0.1, or on a socket; answers `Hello` until a test says otherwise."""
    service = StandIn()
    service.reply(whole("Hello"))
    connections: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.create_task(service.connected(reader, writer)))

    loop = asyncio.get_running_loop()
    bound = socket.create_server(("127.0.0.1", 0)) if sock is None else sock
    server = await loop.create_server(lambda: _Watched(connected), sock=bound, ssl=tls)
    scheme = "http" if tls is None else "https"
    service.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield service
    finally:
        server.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def answer(status: int, body: bytes | dict[str, Any], *, kind: str = "application/json", **headers: str) -> Reply:
    """Reply with a whole body."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def reply(asked: Asked) -> None:
        await asked.head(status, content_type=kind, content_length=str(len(data)), **headers)
        await asked.send(data)

    return reply


def error(status: int, message: str = "Nope.", code: str | None = None, **headers: str) -> Reply:
    """Reply with an error as OpenAI writes it."""
    return answer(status, {"error": {"message": message, "type": "some_error", "param": None, "code": code}}, **headers)


def completion(message: Mapping[str, Any], reason: str | None = "stop", **more: Any) -> dict[str, Any]:
    """Return a whole completion."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], **more}


def whole(text: str, reason: str = "stop") -> Reply:
    """Reply with a whole completion of a text."""
    return answer(200, completion({"content": text}, reason, usage=USAGE))


def chunk(delta: Mapping[str, Any], reason: str | None = None, **more: Any) -> bytes:
    """Return one event of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    data = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more}
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def streams(*pieces: bytes | None, kind: str = "text/event-stream; charset=utf-8") -> Reply:
    """Reply with a stream, each piece on its own; see `HANG` and `CUT`."""

    async def reply(asked: Asked) -> None:
        await asked.head(200, content_type=kind, transfer_encoding="chunked")
        for piece in pieces:
            if piece is None:
                await asked.gone.wait()
                return
            if piece == CUT:
                asked.writer.transport.abort()
                return
            await asked.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await asyncio.sleep(0)
        await asked.send(b"0\r\n\r\n")

    return reply


def says(*texts: str) -> list[bytes]:
    """Return the events of a whole stream of texts."""
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": text}) for text in texts),
        chunk({}, "stop"),
        DONE,
    ]


def at_once(events: Iterable[bytes]) -> Sequence[bytes]:
    """Put a stream into one piece."""
    return [b"".join(events)]


def bytewise(events: Iterable[bytes]) -> Sequence[bytes]:
    """Cut a stream into its bytes."""
    return [bytes([byte]) for byte in b"".join(events)]


async def breaks_off(asked: Asked) -> None:
    """Close the connection instead of an answer."""
    asked.writer.transport.abort()


async def hangs(asked: Asked) -> None:
    """Never answer."""
    await asked.gone.wait()


def raw(data: bytes) -> Reply:
    """Reply with bytes that may be no HTTP, and close."""

    async def reply(asked: Asked) -> None:
        await asked.send(data)
        asked.writer.close()

    return reply
