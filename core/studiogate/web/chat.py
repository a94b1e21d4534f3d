"""`POST /v1/chat/completions`: the reader's side of an exchange.

Nothing here owns anything: the exchange's supervisor does. When the client goes, Litestar cancels the response's
generator in a way that forbids further awaits, so all this side ever does about it is call `exchange.cancel()`.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.exceptions import InternalServerException
from litestar.response import Stream

from studiogate.chat import ChatRequest
from studiogate.errors import ClientClosed, ClientError, InvalidRequest
from studiogate.events import Event
from studiogate.exchange import Exchange
from studiogate.gateway import Gateway
from studiogate.openai.request import parse_chat_request
from studiogate.openai.response import KEEP_ALIVE, ChunkStream, Completion
from studiogate.trace import trace_headers
from studiogate.web.auth import authenticated
from studiogate.web.requests import entry_of, recorded

JSON = "application/json"
PARSED_AT_ONCE = 8 * 1024
"""Bytes of a body that hold nobody up while they are read: tens of milliseconds if they are one wrong message after the
other, the slowest there is, and one or two if they are right."""

type ChatHTTP = Request[Any, Any, State]


@post("/v1/chat/completions", status_code=200, middleware=[recorded])
async def create_chat_completion(request: Request[Any, Any, State], state: State) -> Response[Any]:
    """Answer a chat request, streamed or whole."""
    gateway: Gateway = state.gateway
    entry = entry_of(request)
    # First of all: nobody's body is read before.
    entry.caller = authenticated(request)
    asked = await _chat_request(request)
    entry.model, entry.stream = asked.model or "", asked.stream
    exchange = entry.exchange = gateway.submit(asked, entry.caller, exchange_id=entry.id, headers=request.headers)
    # The exchange lets go of what the client sent of its files as soon as they are on disk.
    del asked
    try:
        if exchange.request.stream:
            return await _streamed(request, exchange, gateway)
        return await _whole(request, exchange)
    except ClientError as error:
        error.headers = trace_headers(exchange)
        raise
    except asyncio.CancelledError:
        exchange.cancel()
        raise


async def _chat_request(request: ChatHTTP) -> ChatRequest:
    """Read and check the body; a large one in a thread, so that no other answer waits for it.

    :raises InvalidRequest: the body isn't what it should be.
    """
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if kind != JSON:
        raise InvalidRequest(f"The body must be JSON, sent with the header Content-Type: {JSON}.")
    try:
        body = await _body(request)
    except InternalServerException:
        # Litestar's way to say so.
        raise ClientClosed("The client went away before all of its request had come.") from None
    if len(body) <= PARSED_AT_ONCE:
        return parse_chat_request(body)
    return await asyncio.to_thread(parse_chat_request, body)


async def _body(request: ChatHTTP) -> bytearray:
    """Read the body, and leave it to whoever wants it: Litestar would keep it as long as the request."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
    return body


async def _whole(request: ChatHTTP, exchange: Exchange) -> Response[bytes]:
    completion = Completion(exchange)
    async with _cancelled_when_gone(request, exchange):
        async for event in exchange.events():
            completion.add(event)
    headers = trace_headers(exchange)
    if completion.usage_is_estimated:
        headers["x-studiogate-usage"] = "estimated"
    return Response(completion.body(), headers=headers, media_type="application/json")


async def _streamed(request: ChatHTTP, exchange: Exchange, gateway: Gateway) -> Stream:
    settings = gateway.settings
    read: list[Event | None] = []
    async with _cancelled_when_gone(request, exchange):
        # Early failures keep their HTTP status as long as nothing has been sent.
        with suppress(TimeoutError):
            async with asyncio.timeout(settings.commit_s):
                read.append(await exchange.next_event())
    headers = {**trace_headers(exchange), "cache-control": "no-cache", "x-accel-buffering": "no"}
    return Stream(_chunks(exchange, read, settings.keepalive_s), headers=headers, media_type="text/event-stream")


async def _chunks(exchange: Exchange, read: list[Event | None], keepalive_s: float) -> AsyncGenerator[bytes]:
    """Yield the stream's bytes; `read` holds what has been read of the exchange already, None being its end."""
    chunks = ChunkStream(exchange)
    try:
        yield chunks.start()
        while True:
            try:
                async with asyncio.timeout(keepalive_s):
                    event = read.pop() if read else await exchange.next_event()
            except TimeoutError:
                yield KEEP_ALIVE
                continue
            except ClientError as error:
                yield chunks.fail(error)
                return
            if event is None:
                yield chunks.end()
                return
            if data := chunks.add(event):
                yield data
    finally:
        exchange.cancel()


@asynccontextmanager
async def _cancelled_when_gone(request: ChatHTTP, exchange: Exchange) -> AsyncGenerator[None]:
    """Cancel the exchange if the client disconnects inside this block; a plain handler is not told otherwise."""
    watch = asyncio.create_task(_watch(request, exchange))
    try:
        yield
    finally:
        watch.cancel()


async def _watch(request: ChatHTTP, exchange: Exchange) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    exchange.cancel()
