"""What lets the page's own scripts, and no other page's, ask the hosts beside it."""

from studiogate_simulator.hosts import PAGE_ORIGIN
from studiogate_simulator.http import Header, Request


def allow(request: Request) -> list[Header]:
    """Give the headers that let the page read an answer; none to other origins."""
    if request.headers.get("origin") != PAGE_ORIGIN:
        return []
    return [
        (b"access-control-allow-origin", PAGE_ORIGIN.encode()),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


def preflight(request: Request) -> list[Header]:
    """Give the headers that answer a preflight: every method, and the headers it asks for."""
    asked = request.headers.get("access-control-request-headers", "")
    return [
        (b"access-control-allow-methods", b"DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"),
        (b"access-control-allow-headers", asked.encode("latin-1")),
        (b"access-control-max-age", b"3600"),
    ]
