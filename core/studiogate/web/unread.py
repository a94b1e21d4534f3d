"""Bodies that nobody read when the answer is a refusal.

A server that answers and closes while the client still sends makes the client's system throw the answer away: instead
of "wrong key" or "too large" it sees a broken connection, and tries again. So what is left of a request's body is taken
in, kept nowhere, before an error is sent. A client that asks first (`Expect: 100-continue`) is answered at once: it has
sent nothing yet.
"""

import asyncio
from contextlib import suppress

from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send, WebSocketReceiveMessage

UNREAD_BYTES = 256 * 1024 * 1024
"""How much is taken in at most; who sends more may not see the answer."""
UNREAD_S = 10.0
"""Seconds that may take."""
_ERRORS = 400


def taking_in_the_unread(app: ASGIApp, *, most_bytes: int = UNREAD_BYTES, most_s: float = UNREAD_S) -> ASGIApp:
    """Wrap an application so that its errors reach clients that still send."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        body = _Body(receive)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= _ERRORS and not _asks_first(scope):
                with suppress(TimeoutError):
                    async with asyncio.timeout(most_s):
                        await body.take_in(most_bytes)
            await send(message)

        await app(scope, body.receive, sending)

    return wrapped


def _asks_first(scope: Scope) -> bool:
    return any(name == b"expect" for name, _ in scope["headers"])


class _Body:
    """Pass a request's body on and note whether that was all of it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def receive(self) -> HTTPReceiveMessage | WebSocketReceiveMessage:
        message = await self._receive()
        self._ended = message["type"] != "http.request" or not message["more_body"]
        return message

    async def take_in(self, most_bytes: int) -> None:
        taken = 0
        while not self._ended and taken < most_bytes:
            message = await self.receive()
            taken += len(message["body"]) if message["type"] == "http.request" else 0
