"""`GET /api/logs`: the log as it is written, as server-sent events.

The log names clients' addresses, models and errors: whoever may not ask for a chat may not read it either. While nobody
is asked for a key, only this machine's programs may, whatever else `insecure` and `trusted_hosts` allow.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from litestar import Request, get
from litestar.datastructures import State
from litestar.response import Stream

from studiogate.errors import Forbidden, InvalidRequest
from studiogate.gateway import Gateway
from studiogate.log_stream import LogStream
from studiogate.openai.response import KEEP_ALIVE
from studiogate.settings import LOG_LEVELS, is_loopback
from studiogate.web.auth import NOBODY_ASKED, authenticated
from studiogate.web.origin import names_loopback

LEVELS = tuple(level for level in LOG_LEVELS if level != "trace")
DROPPED = b"event: dropped\ndata: {}\n\n"
"""Ends the stream of who read too slowly."""


@get("/api/logs")
async def stream_logs(request: Request[Any, Any, State], state: State) -> Stream:
    """Stream the log as it is written, from a level on."""
    if authenticated(request) == NOBODY_ASKED:
        _refuse_others(request)
    level = request.query_params.get("level", "info")
    if level not in LEVELS:
        raise InvalidRequest(f"level: must be one of {', '.join(LEVELS)}.", param="level")
    gateway: Gateway = state.gateway
    stream: LogStream = state.log_stream
    stream.check_room()
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    events = _events(stream, level, gateway.settings.keepalive_s)
    return Stream(events, headers=headers, media_type="text/event-stream")


def _refuse_others(request: Request[Any, Any, State]) -> None:
    if request.client is None or not is_loopback(request.client.host) or not names_loopback(request):
        raise Forbidden("Without API keys only programs on this machine may read the log.")


async def _events(stream: LogStream, level: str, keepalive_s: float) -> AsyncGenerator[bytes]:
    """Yield the events. The reader is opened here, so that it is closed whenever it was opened."""
    reader = stream.open(level)
    try:
        yield KEEP_ALIVE
        while True:
            try:
                async with asyncio.timeout(keepalive_s):
                    line = await reader.line()
            except TimeoutError:
                yield KEEP_ALIVE
                continue
            if line is None:
                break
            yield f"data: {line}\n\n".encode()
        if reader.dropped:
            yield DROPPED
    finally:
        stream.close(reader)
