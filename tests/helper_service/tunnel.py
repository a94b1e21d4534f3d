"""One decrypted connection of the browser's, HTTP/1.1."""

import asyncio
from typing import Any, cast

import attrs
import h11

_RPC = "MakerSuiteService/GenerateContent"


@attrs.frozen
class Request:
    """A whole request of the page's."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def is_rpc(self) -> bool:
        """Tell whether it carries a prompt."""
        return self.method == "POST" and self.target.partition("?")[0].endswith(_RPC)


class TunnelledPage:
    """One decrypted connection of the browser's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._h11 = h11.Connection(h11.SERVER)
        self._early = bytearray()

    async def next_request(self) -> Request | None:
        """Return the next request, whole; None at the connection's end."""
        if self._h11.our_state in {h11.MUST_CLOSE, h11.CLOSED}:
            return None
        if self._h11.our_state is h11.DONE:
            self._h11.start_next_cycle()
        head, body = None, bytearray()
        while True:
            event = self._h11.next_event()
            match event:
                case h11.Request():
                    head = event
                case h11.Data():
                    body += event.data
                case h11.EndOfMessage() if head is not None:
                    headers = [(name.decode(), value.decode("latin-1")) for name, value in head.headers]
                    return Request(head.method.decode(), head.target.decode(), headers, bytes(body))
                case h11.ConnectionClosed():
                    return None
                case _:
                    data, self._early = bytes(self._early), bytearray()
                    self._h11.receive_data(data or await self._reader.read(65536))

    async def gone(self) -> None:
        """Wait until the browser leaves; what it says meanwhile is the next request's."""
        while data := await self._reader.read(65536):
            self._early += data

    async def begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        """Send a response's head; its body is chunked where its length isn't known."""
        sized = any(name == "content-length" for name, _ in headers) or status in {204, 304}
        more = [] if sized else [("transfer-encoding", "chunked")]
        await self._send(h11.Response(status_code=status, headers=[*headers, *more]))

    async def send(self, piece: bytes) -> None:
        """Send a piece of the body."""
        await self._send(h11.Data(data=piece))

    async def end(self) -> None:
        """End the response; no-op when it has ended."""
        if self._h11.our_state is h11.SEND_BODY:
            await self._send(h11.EndOfMessage())

    async def _send(self, event: Any) -> None:
        data = cast("bytes | None", self._h11.send(event))  # pyright: ignore[reportUnknownMemberType]
        self._writer.write(data or b"")
        await self._writer.drain()
