"""A stand-in upstream that a test plays by hand: it sees every request and sends each byte when the test says so.

It speaks HTTP/2 or, when made so, HTTP/1.1, over real TLS, in the test's own loop; so a test can hold the second
chunk back until the first was read, and see a stream's reset as an event.
"""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import h2.config
import h2.connection
import h2.events
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


@attrs.define(kw_only=True, eq=False)
class Exchange:
    """One request, and the means to answer it."""

    method: str
    path: str
    host: str
    headers: dict[str, str]
    body: bytes
    begin: Callable[[int, dict[str, str]], None]
    """Send the response's headers."""
    send: Callable[[bytes], None]
    end: Callable[[], None]
    cut: Callable[[], None]
    """Drop the connection, as a crash would."""
    reset: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set when the other side gave this request up: RST_STREAM, or the connection closed."""

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Send a whole response."""
        self.begin(status, headers or {})
        self.send(body)
        self.end()


@attrs.define(kw_only=True, eq=False)
class Upstream:
    """A listening server and what has reached it."""

    port: int
    ca_file: Path
    arrived: asyncio.Queue[Exchange] = attrs.field(factory=asyncio.Queue[Exchange])
    """Requests that no test has taken yet; empty means nothing went upstream."""
    hellos: int = 0
    """TLS connections made."""
    received: int = 0
    """Bytes of bodies that came over HTTP/2, of requests that aren't whole yet too."""
    grew: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set when more has come."""

    async def next(self) -> Exchange:
        """Wait for the next request."""
        return await self.arrived.get()


@asynccontextmanager
async def serving(folder: Path, *, alpn: str = "h2") -> AsyncGenerator[Upstream]:
    """Serve on a free port until the block ends."""
    ca_file = folder / "upstream.pem"
    _write_certificate(ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca_file)
    context.set_alpn_protocols([alpn])
    upstream = Upstream(port=0, ca_file=ca_file)
    writers: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream.hellos += 1
        writers.add(writer)
        try:
            await (_speak_h2 if alpn == "h2" else _speak_h1)(upstream, reader, writer)
        except OSError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(connected, HOST, 0, ssl=context)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()


class _H2Connection:
    """One HTTP/2 connection of the server."""

    def __init__(self, upstream: Upstream, writer: asyncio.StreamWriter) -> None:
        self._upstream = upstream
        self._writer = writer
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self._connection = h2.connection.H2Connection(config)
        self._connection.initiate_connection()
        self._heads: dict[int, dict[str, str]] = {}
        self._bodies: dict[int, bytearray] = {}
        self._exchanges: dict[int, Exchange] = {}
        self._flush()

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Serve until the connection ends; then every request on it was given up."""
        try:
            while data := await reader.read(65536):
                for event in self._connection.receive_data(data):
                    self._take(event)
                self._flush()
        finally:
            for exchange in self._exchanges.values():
                exchange.reset.set()

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived(stream_id=int(stream), headers=list(headers)):
                self._heads[stream] = {str(name): str(value) for name, value in headers}
                self._bodies[stream] = bytearray()
            case h2.events.DataReceived(stream_id=int(stream), data=bytes(chunk)):
                self._bodies[stream] += chunk
                self._upstream.received += len(chunk)
                self._upstream.grew.set()
                self._connection.acknowledge_received_data(event.flow_controlled_length or 0, stream)
            case h2.events.StreamEnded(stream_id=int(stream)):
                self._arrived(stream)
            case h2.events.StreamReset(stream_id=int(stream)) if stream in self._exchanges:
                self._exchanges[stream].reset.set()
            case _:
                pass

    def _arrived(self, stream: int) -> None:
        connection, head = self._connection, self._heads.pop(stream)

        def begin(status: int, headers: dict[str, str]) -> None:
            connection.send_headers(stream, [(":status", str(status)), *headers.items()])
            self._flush()

        def send(data: bytes) -> None:
            connection.send_data(stream, data)
            self._flush()

        def end() -> None:
            connection.end_stream(stream)
            self._flush()

        exchange = Exchange(
            method=head.pop(":method"),
            path=head.pop(":path"),
            host=head.pop(":authority"),
            headers=head,
            body=bytes(self._bodies.pop(stream)),
            begin=begin,
            send=send,
            end=end,
            cut=self._writer.transport.abort,
        )
        self._exchanges[stream] = exchange
        self._upstream.arrived.put_nowait(exchange)

    def _flush(self) -> None:
        self._writer.write(self._connection.data_to_send())


async def _speak_h2(upstream: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _H2Connection(upstream, writer).run(reader)


async def _speak_h1(upstream: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take one request, which is all that a connection from an HTTP/2 page carries."""
    request_line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    method, path, _ = request_line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def begin(status: int, headers: dict[str, str]) -> None:
        fields = {**headers, "transfer-encoding": "chunked", "connection": "close"}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(f"HTTP/1.1 {status} OK\r\n{head}\r\n".encode())

    exchange = Exchange(
        method=method,
        path=path,
        host=headers["host"],
        headers=headers,
        body=await reader.readexactly(int(headers.get("content-length", "0"))),
        begin=begin,
        send=lambda data: writer.write(b"%x\r\n%s\r\n" % (len(data), data)),
        end=lambda: writer.write(b"0\r\n\r\n"),
        cut=writer.transport.abort,
    )
    upstream.arrived.put_nowait(exchange)
    try:
        await reader.read()
    finally:
        exchange.reset.set()


def _write_certificate(path: Path) -> None:
    """Write a certificate for 127.0.0.1 and localhost that is its own authority, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST)), x509.DNSName("localhost")]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
