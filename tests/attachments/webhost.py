"""A host that files are fetched from: answers what a test says, and remembers what it was asked."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress

import attrs


@attrs.define(eq=False)
class Host:
    """Answer by path."""

    port: int = 0
    answers: dict[str, bytes] = attrs.field(factory=dict[str, bytes])
    """Whole responses, by path with query."""
    asked: list[str] = attrs.field(factory=list[str])
    """The heads of the requests, in order."""

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """Return an address of this host."""
        return f"http://{host}:{self.port}{path}"

    def serve(self, path: str, body: bytes, status: str = "200 OK", headers: Mapping[str, str] | None = None) -> str:
        """Answer a path; return its address."""
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
        length = [] if headers and "transfer-encoding" in headers else [f"content-length: {len(body)}"]
        self.answers[path] = "\r\n".join([*lines, *length, "connection: close", "", ""]).encode() + body
        return self.url(path)

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        """Send who asks for a path elsewhere; return its address."""
        return self.serve(path, b"", f"{status} Elsewhere", {"location": to})


@asynccontextmanager
async def serving_host(tls: ssl.SSLContext | None = None) -> AsyncGenerator[Host]:
    """Serve on any port of 127.0.0.1; a path without an answer gets none, however long one waits."""
    host = Host()
    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            host.asked.append(head)
            answer = host.answers.get(head.split(" ")[1])
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    async with server:
        host.port = server.sockets[0].getsockname()[1]
        yield host
        for writer in writers:
            writer.close()
