"""One exchange's way to an OpenAI-compatible service and back.

    exchange -> JSON -> POST -> a whole completion, or a stream of chunks -> events

The service streams when the client does. What comes is taken as what it says it is, whatever was asked for. Leaving
early closes the connection, which is how such services are told to stop.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import aiohttp

from studiogate.events import Event
from studiogate.exchange import Exchange
from studiogate.functions import FunctionPlan
from studiogate_helper_backend.answer import DONE, AnswerReader, Garbage, ServiceFailed
from studiogate_helper_backend.errors import ServiceError
from studiogate_helper_backend.refusals import failure
from studiogate_helper_backend.request import encoded_request, plan_text
from studiogate_helper_backend.service import Service, read_all
from studiogate_helper_backend.sse import EventScanner, TooLong
from studiogate_helper_backend.words import Censor

TAIL_S = 2.0
"""Seconds a stream gets to end once the answer is whole: only token counts may still come."""
_DRAIN_S = 0.1
"""Seconds the connection gets to be free for the next request, after all has been said."""


async def answer(exchange: Exchange, service: Service) -> AsyncGenerator[Event]:
    """Send the exchange's request and yield what the service says; close it with `aclose`.

    :raises ServiceError: the service can't be reached, refuses, or its answer is broken.
    """
    in_text = plan_text(exchange)
    said = _said(exchange, service, in_text)
    async with aclosing(said if in_text is None else in_text.read(said)) as events:
        async for event in events:
            yield event


async def _said(exchange: Exchange, service: Service, in_text: FunctionPlan | None) -> AsyncGenerator[Event]:
    """Send the request and yield the service's own events."""
    options = service.options
    body = await encoded_request(exchange, options, in_text)
    censor = Censor(options.api_key, exchange.request.messages)
    async with service.ask(body, censor, exchange.trace_headers) as response:
        reader = AnswerReader()
        streams = response.content_type == "text/event-stream"
        reading = read_stream if streams else read_whole
        try:
            async with aclosing(reading(response.content, reader, options.answer_bytes)) as events:
                async for event in events:
                    yield event
            for event in reader.close():
                yield event
            if not response.content.at_eof():
                await _drain(response.content)
        except Garbage as error:
            raise ServiceError(f"the service's answer makes no sense: {error}") from error
        except ServiceFailed as error:
            raise failure(error.document, censor) from error
        except TooLong as error:
            raise ServiceError(f"the service's answer has more than {options.answer_bytes} bytes") from error


async def read_whole(content: aiohttp.StreamReader, reader: AnswerReader, limit: int) -> AsyncGenerator[Event]:
    """Yield what a whole completion says.

    :param limit: bytes that it may have.
    :raises Garbage: it is none.
    :raises ServiceFailed: it is an error.
    :raises TooLong: it is over the limit.
    """
    for event in reader.feed(await read_all(content, limit)):
        yield event
    _check_begun(reader)


async def read_stream(content: aiohttp.StreamReader, reader: AnswerReader, limit: int) -> AsyncGenerator[Event]:
    """Yield what a stream's chunks say; whatever goes wrong after its finish reason, the answer is whole all the same.

    :param limit: bytes that one event may have.
    :raises Garbage: a chunk is none.
    :raises ServiceFailed: one is an error.
    :raises TooLong: one is over the limit.
    :raises ServiceError: the stream ended before the answer did.
    :raises aiohttp.ClientError: it broke off.
    """
    scanner = EventScanner(limit=limit)
    try:
        while True:
            async with asyncio.timeout(TAIL_S if reader.finished else None):
                piece = await content.readany()
            for data in scanner.feed(piece) if piece else scanner.close():
                if data == DONE:
                    _check_begun(reader)
                    return
                for event in reader.feed(data):
                    yield event
            if not piece:
                break
    except (aiohttp.ClientError, TimeoutError, Garbage, TooLong):
        if not reader.finished:
            raise
    if not reader.finished:
        raise ServiceError("the stream ended before the answer did")


async def _drain(content: aiohttp.StreamReader) -> None:
    with suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(_DRAIN_S):
            while await content.readany():
                pass


def _check_begun(reader: AnswerReader) -> None:
    if not reader.begun:
        raise Garbage("there is no choice in it")
