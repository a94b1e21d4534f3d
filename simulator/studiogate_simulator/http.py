"""The little of ASGI's HTTP that the hosts need, typed."""

from collections.abc import AsyncIterator, Iterable

import attrs
from attrs import frozen
from litestar.types import HTTPScope, Receive, Send

type Header = tuple[bytes, bytes]
"""A raw header."""


@frozen(kw_only=True)
class Request:
    """A request."""

    method: str
    """HTTP method."""
    path: str
    """Path, decoded."""
    query: str
    """What follows the question mark, still encoded."""
    headers: dict[str, str]
    """Headers by lowercase name; of repeated ones all values, joined as HTTP says."""
    body: bytes = b""
    """The whole body, where it was read."""


def read_head(scope: HTTPScope) -> Request:
    """Read a request but for its body."""
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=read_headers(scope),
    )


async def read_request(scope: HTTPScope, receive: Receive) -> Request:
    """Read a request to the end of its body."""
    return attrs.evolve(read_head(scope), body=await read_body(receive))


async def read_body(receive: Receive) -> bytes:
    """Read a whole body."""
    body = bytearray()
    async for chunk in stream_body(receive):
        body += chunk
    return bytes(body)


async def stream_body(receive: Receive) -> AsyncIterator[bytes]:
    """Give a body piece by piece, until its end or until the client has gone."""
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return
        yield event["body"]
        if not event["more_body"]:
            return


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
