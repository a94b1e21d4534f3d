"""The little of ASGI's HTTP that the RPC host needs, typed."""

from collections.abc import Iterable

from attrs import frozen
from litestar.types import HTTPScope, Receive, Send

type Header = tuple[bytes, bytes]
"""A raw header."""


@frozen(kw_only=True)
class Request:
    """A request whose body was read."""

    method: str
    """HTTP method."""
    path: str
    """Path, decoded."""
    headers: dict[str, str]
    """Headers by lowercase name; of repeated ones all values, joined as HTTP says."""
    body: bytes
    """The whole body."""


async def read_request(scope: HTTPScope, receive: Receive) -> Request:
    """Read a request to the end of its body."""
    body = bytearray()
    while True:
        event = await receive()
        if event["type"] != "http.request":
            break
        body += event["body"]
        if not event["more_body"]:
            break
    return Request(method=scope["method"], path=scope["path"], headers=read_headers(scope), body=bytes(body))


def read_headers(scope: HTTPScope) -> dict[str, str]:
    """Join the headers of a request; HTTP/2 may split the cookie, whose values join with a semicolon."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in headers:
            value = headers[name] + ("; " if name == "cookie" else ", ") + value
        headers[name] = value
    return headers


async def start(send: Send, status: int, headers: Iterable[Header]) -> None:
    """Send the head of a response."""
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})


async def write(send: Send, body: bytes, *, more: bool) -> None:
    """Send a piece of a response's body."""
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def respond(send: Send, status: int, headers: Iterable[Header], body: bytes) -> None:
    """Send a whole response."""
    await start(send, status, headers)
    await write(send, body, more=False)
