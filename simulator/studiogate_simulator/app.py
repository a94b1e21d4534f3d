"""The application: one port, several hosts, told apart by the Host header."""

from typing import cast

from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from studiogate_simulator import http
from studiogate_simulator.control import CONTROL_PATH, build_control
from studiogate_simulator.drive import serve_drive
from studiogate_simulator.hosts import ACCOUNTS_HOST, DRIVE_HOSTS, PAGE_HOST, RPC_HOST
from studiogate_simulator.page import serve_accounts, serve_page
from studiogate_simulator.rpc import serve_rpc
from studiogate_simulator.simulation import Simulation


def build_app(simulation: Simulation) -> ASGIApp:
    """Make the ASGI application for all hosts."""
    control = build_control(simulation)

    async def app(any_scope: Scope, receive: Receive, send: Send) -> None:
        # The server is started without websockets and without lifespan.
        scope = cast("HTTPScope", any_scope)
        if scope["path"].startswith(CONTROL_PATH):
            await control(scope, receive, send)
            return
        match _host(scope):
            case host if host == RPC_HOST:
                await serve_rpc(simulation, scope, receive, send)
            case host if host == PAGE_HOST:
                await serve_page(simulation, scope, send)
            case host if host in DRIVE_HOSTS:
                await serve_drive(simulation.drive, scope, receive, send)
            case host if host == ACCOUNTS_HOST:
                await serve_accounts(simulation, scope, send)
            case host:
                body = f"The simulator does not play {host}.".encode()
                await http.respond(send, 421, [(b"content-type", b"text/plain; charset=utf-8")], body)

    return app


def _host(scope: HTTPScope) -> str:
    host = http.read_headers(scope).get("host", "")
    return host.rpartition(":")[0] or host
