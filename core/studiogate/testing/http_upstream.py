"""An HTTP service that does what a rule asks of it, for backends whose upstream speaks HTTP."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import attrs

from studiogate.testing.backend import Does

_LENGTH = re.compile(rb"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)


@attrs.define(eq=False)
class HttpUpstream:
    """Serve any path of HTTP/1.1 on loopback, and answer every request as a rule wants it.

    @asynccontextmanager
    async def upstream(self, does):
        async with HttpUpstream(answer=my_service_says).playing(does) as self.service:
            yield {"base_url": self.service.url}

    def held(self):
        return self.service.held
    """

    answer: Callable[[bytes], Sequence[bytes]]
    """What the service says to a request's body, in pieces; the first is what comes before it fails or hangs."""
    content_type: str = "text/event-stream"
    failure: tuple[int, bytes] = (503, b'{"error": {"message": "out of order"}}')
    """Status and body of a failure before the answer."""
    url: str = ""
    """Without a slash at the end; set while it serves."""
    held: int = 0
    """Answers under way."""

    @asynccontextmanager
    async def playing(self, does: Does) -> AsyncGenerator["HttpUpstream"]:
        """Serve until the context is left."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talking.add(writer)
            try:
                with suppress(ConnectionError, asyncio.IncompleteReadError):
                    await self._serve(does, reader, writer)
            finally:
                talking.discard(writer)
                writer.close()

        talking: set[asyncio.StreamWriter] = set()
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            server.close()
            for writer in talking:
                writer.transport.abort()
            await server.wait_closed()

    async def _serve(self, does: Does, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        self.held += 1
        try:
            if does is Does.FAIL_BEFORE:
                status, said = self.failure
                writer.write(_head(status, "application/json", f"content-length: {len(said)}") + said)
                return
            writer.write(_head(200, self.content_type, "transfer-encoding: chunked"))
            pieces = self.answer(body)
            for piece in pieces if does is Does.ANSWER else pieces[:1]:
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                await writer.drain()
            if does is Does.ANSWER:
                writer.write(b"0\r\n\r\n")
            if does is Does.HANG:
                await reader.read()
        finally:
            self.held -= 1


def _head(status: int, content_type: str, length: str) -> bytes:
    return f"HTTP/1.1 {status} Played\r\ncontent-type: {content_type}\r\n{length}\r\nconnection: close\r\n\r\n".encode()


def chat_completion(body: bytes) -> list[bytes]:
    """Say as a stream of an OpenAI-compatible service what the last message of a request says."""
    said: str = json.loads(body)["messages"][-1]["content"]
    pieces = [said[: len(said) // 2], said[len(said) // 2 :]]
    chunks = [_chunk({"content": piece}, None) for piece in pieces if piece]
    return [*chunks, _chunk({}, "stop"), b"data: [DONE]\n\n"]


def _chunk(delta: dict[str, str], finish_reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return f"data: {json.dumps({'choices': [choice]})}\n\n".encode()
