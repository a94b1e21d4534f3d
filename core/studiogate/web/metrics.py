"""`GET /metrics`: the gateway in numbers, for Prometheus; and the counting of every request."""

from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from studiogate.counts import Counts
from studiogate.errors import ClientClosed
from studiogate.gateway import Gateway
from studiogate.scrape import exposition
from studiogate.web.auth import authenticated
from studiogate.web.requests import endpoint_of, is_recorded


@get("/metrics")
async def show_metrics(request: Request[Any, Any, State], state: State) -> Response[bytes]:
    """Show the gateway in numbers, as Prometheus reads them."""
    authenticated(request)
    gateway: Gateway = state.gateway
    body, content_type = exposition(gateway, request.headers.get("accept", ""))
    return Response(body, headers={"content-type": content_type, "cache-control": "no-store"})


def counted(app: ASGIApp, counts: Counts) -> ASGIApp:
    """Wrap an application so that its requests are counted, but for those that the log tells of: it counts them."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        status = ClientClosed.status

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, sending)
        finally:
            if not is_recorded(scope):
                counts.request(endpoint_of(scope), status)

    return wrapped
