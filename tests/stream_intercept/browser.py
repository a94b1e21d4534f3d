"""One HTTP/2 connection through the proxy, as a browser holds it: every stream's end is told apart.

httpx takes a reset stream for one that ended; what the abort does to the page shows only here.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import h2.config
import h2.connection
import h2.events

from studiogate_stream_intercept.mitm import CA_FILE

from .upstream import HOST


@attrs.define(kw_only=True, eq=False)
class PageStream:
    """One request of the page."""

    number: int
    body: bytearray = attrs.field(factory=bytearray)
    changed: asyncio.Condition = attrs.field(factory=asyncio.Condition)
    ended: bool = False
    reset: int | None = None
    """The code of the RST_STREAM that ended it."""

    async def until_ended(self) -> None:
        """Wait for the end, whichever it is."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.ended or self.reset is not None)

    async def until(self, body: bytes) -> None:
        """Wait until this much has come."""
        async with self.changed:
            await self.changed.wait_for(lambda: bytes(self.body) == body)


class Browser:
    """A connection to one host."""

    def __init__(self, host: str, writer: asyncio.StreamWriter) -> None:
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.closed = asyncio.Event()
        self._host = host
        self._writer = writer
        self._streams: dict[int, PageStream] = {}
        self.connection.initiate_connection()
        self._flush()

    def post(self, path: str, body: bytes) -> PageStream:
        """Send a request."""
        number = self.connection.get_next_available_stream_id()
        head = {":method": "POST", ":authority": self._host, ":scheme": "https", ":path": path}
        self.connection.send_headers(number, list(head.items()))
        self.connection.send_data(number, body, end_stream=True)
        self._flush()
        self._streams[number] = PageStream(number=number)
        return self._streams[number]

    def stop(self, stream: PageStream) -> None:
        """Reset a stream, as the page's Stop button does."""
        self.connection.reset_stream(stream.number, 8)
        self._flush()

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Take in what comes until the connection ends."""
        while data := await reader.read(65536):
            for event in self.connection.receive_data(data):
                await self._take(event)
            self._flush()
        self.closed.set()

    async def _take(self, event: h2.events.Event) -> None:
        number = getattr(event, "stream_id", None)
        stream = self._streams.get(number) if isinstance(number, int) else None
        if stream is None:
            return
        async with stream.changed:
            match event:
                case h2.events.DataReceived(data=bytes(chunk)):
                    stream.body += chunk
                    self.connection.acknowledge_received_data(event.flow_controlled_length or 0, stream.number)
                case h2.events.StreamEnded():
                    stream.ended = True
                case h2.events.StreamReset(error_code=code):
                    stream.reset = int(code)
                case _:
                    pass
            stream.changed.notify_all()

    def _flush(self) -> None:
        self._writer.write(self.connection.data_to_send())


@asynccontextmanager
async def browsing(proxy_port: int, ca_dir: Path, host: str) -> AsyncGenerator[Browser]:
    """Open a tunnel to a host and speak HTTP/2 in it."""
    trust = ssl.create_default_context(cafile=ca_dir / CA_FILE)
    trust.set_alpn_protocols(["h2"])
    reader, writer = await asyncio.open_connection(HOST, proxy_port)
    writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    await writer.start_tls(trust, server_hostname=host)
    browser = Browser(host, writer)
    reading = asyncio.create_task(browser.read(reader))
    try:
        yield browser
    finally:
        writer.transport.abort()
        reading.cancel()
        await asyncio.wait([reading])
