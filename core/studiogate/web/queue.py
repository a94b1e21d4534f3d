"""`GET /v1/queue` and `POST /v1/cancel/{req_id}`: who waits and who runs, and the end of either.

Both are open to everybody. An id is what it takes to cancel a request, so where keys are configured, a caller without
one sees only how each begins.
"""

from collections.abc import Iterable
from typing import Any

from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import FromPath

from studiogate.errors import NotFound
from studiogate.exchange import Exchange
from studiogate.gateway import Gateway
from studiogate.openai.ids import exchange_id
from studiogate.web.auth import caller_of

SHOWN = 4
"""Characters of an id that a caller without a key sees."""


@get("/v1/queue")
async def show_queue(request: Request[Any, Any, State], state: State) -> dict[str, Any]:
    """Show what waits, next one first, and what runs, oldest first."""
    gateway: Gateway = state.gateway
    queue, waiting = gateway.queue, gateway.queue.waiting
    shown = None if caller_of(request) else SHOWN
    return {
        "queue_length": len(waiting),
        "is_processing_locked": queue.full,
        "items": _items(waiting, shown),
        "running": _items(queue.running, shown),
        "slots": queue.slots,
        "limit": queue.limit,
    }


@post("/v1/cancel/{req_id:str}", status_code=200)
async def cancel_request(req_id: FromPath[str], state: State) -> dict[str, Any]:
    """End a request that waits or runs, streamed or not; its client gets a 499, or the error at the stream's end.

    Takes the `x-request-id` of a response or the `id` in its body.
    """
    gateway: Gateway = state.gateway
    wanted = exchange_id(req_id)
    if not gateway.cancel(wanted):
        raise NotFound("No request with this id is waiting or running. It may have ended already.", param="req_id")
    return {"success": True, "req_id": wanted, "message": "The request is cancelled."}


def _items(exchanges: Iterable[Exchange], shown: int | None) -> list[dict[str, Any]]:
    return [
        {
            "req_id": exchange.id[:shown],
            "enqueue_time": exchange.enqueued_at,
            "wait_time_seconds": exchange.waited_s,
            "is_streaming": exchange.request.stream,
            "cancelled": exchange.cancelled,
        }
        for exchange in exchanges
    ]
