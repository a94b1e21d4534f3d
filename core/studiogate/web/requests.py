"""Every chat request gets an id when it arrives, before anything of it is read, and is logged and counted when it ends.

Whatever is answered, a refusal too, carries the id as `x-request-id`.
"""

from typing import Any, cast

from litestar import Request
from litestar.datastructures import MutableScopeHeaders
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from studiogate.counts import OTHER
from studiogate.errors import InternalError
from studiogate.gateway import Gateway
from studiogate.request_log import RequestLog

_KEY = "studiogate_request"
_RECORDED = "studiogate_recorded"

REQUEST_ID = "x-request-id"


def recorded(app: ASGIApp) -> ASGIApp:
    """Wrap a route, as Litestar's middleware: number its requests and log them."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        client = scope["client"]
        entry = RequestLog(client=client[0] if client else "")
        cast("dict[str, RequestLog]", scope)[_KEY] = entry
        cast("dict[str, bool]", scope)[_RECORDED] = True

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                MutableScopeHeaders(message)[REQUEST_ID] = entry.id
            await send(message)

        try:
            await app(scope, receive, sending)
        except Exception:
            # Litestar lets through only what came up after the response had begun.
            entry.error = InternalError("The answer broke off: the gateway failed unexpectedly.")
            raise
        finally:
            gateway: Gateway = scope["litestar_app"].state.gateway
            entry.finish(gateway.counts, endpoint_of(scope))

    return wrapped


def entry_of(request: Request[Any, Any, Any]) -> RequestLog:
    """Return what is collected about a request; on a route that isn't recorded, what nobody will write."""
    return cast("dict[str, RequestLog]", request.scope).setdefault(_KEY, RequestLog())


def is_recorded(scope: Scope) -> bool:
    """Tell whether a request's route is one that is recorded."""
    return _RECORDED in scope


def endpoint_of(scope: Scope) -> str:
    """Return a request's method and its route's path, whatever path was asked for; `other` where there is no route."""
    path = cast("dict[str, str | None]", scope).get("path_template")
    return OTHER if path is None else f"{cast('HTTPScope', scope)['method']} {path}"
