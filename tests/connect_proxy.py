"""A real HTTP proxy that tunnels: what operators have between their machine and the network, here with a memory."""

import base64
import socket
import socketserver
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, cast

HOST = "127.0.0.1"


class ConnectProxy(socketserver.ThreadingTCPServer):
    """Tunnel to whatever CONNECT names, each in a thread; ask for a login if it has one."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, login: str | None = None, status: int = 200, instead: tuple[str, int] | None = None) -> None:
        """Listen on any free port.

        :param login: `user:password` that is asked for; None lets everybody in.
        :param status: what CONNECT is answered with; other than 200 opens no tunnel.
        :param instead: where all tunnels lead, whatever CONNECT names; None for where it says.
        """
        super().__init__((HOST, 0), _Tunnel)
        self.status = status
        self.instead = instead
        self.wanted = None if login is None else "Basic " + base64.b64encode(login.encode()).decode()
        self.asked: list[str] = []
        """Everything that was asked of it by who may, such as `CONNECT host:443`, in order."""
        self.ends: list[socket.socket] = []
        """Both ends of every tunnel so far."""
        self.strangers = 0
        """How many requests came without the login."""

    def die(self) -> None:
        """Stop listening and drop every tunnel, as a process that ends does."""
        self.shutdown()
        self.server_close()
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return int(self.server_address[1])

    def targets(self) -> set[str]:
        """Return the destinations of its tunnels, as `host:port`."""
        return {line.split()[1] for line in self.asked if line.startswith("CONNECT ")}


class _Tunnel(socketserver.StreamRequestHandler):
    @property
    def proxy(self) -> ConnectProxy:
        """Return the server that this connection came to."""
        return cast("ConnectProxy", self.server)

    def handle(self) -> None:
        with suppress(OSError):
            while self._served():
                pass

    def _served(self) -> bool:
        """Serve one request; return whether another may follow on this connection."""
        line = self.rfile.readline().decode("latin-1").strip()
        if not line:
            return False
        headers: dict[str, str] = {}
        while header := self.rfile.readline().decode("latin-1").strip():
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        if self.proxy.wanted not in {None, headers.get("proxy-authorization")}:
            self.proxy.strangers += 1
            self._say(407, 'Proxy-Authenticate: Basic realm="network"\r\n')
            return True
        method, target, _ = line.split(" ")
        self.proxy.asked.append(f"{method} {target}")
        if method != "CONNECT" or self.proxy.status != 200:
            self._say(502 if method != "CONNECT" else self.proxy.status)
            return True
        host, _, port = target.rpartition(":")
        address = self.proxy.instead or (host.strip("[]"), int(port))
        with socket.create_connection(address, timeout=10) as there:
            there.settimeout(None)
            self.proxy.ends += [there, self.connection]
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(there, self.connection), daemon=True)
            back.start()
            _pump(self.connection, there)
            back.join()
        return False

    def _say(self, status: int, headers: str = "") -> None:
        self.wfile.write(f"HTTP/1.1 {status} No\r\n{headers}Content-Length: 0\r\n\r\n".encode())


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextmanager
def connect_proxy(**options: Any) -> Generator[ConnectProxy]:
    """Run a proxy for the length of the block."""
    with ConnectProxy(**options) as proxy:
        serving = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        serving.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            serving.join()
