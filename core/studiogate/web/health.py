"""`GET /health`: whether requests can be answered now, and if not, why and what to do."""

from collections.abc import Iterable
from typing import Any

import attrs
from litestar import Response, get
from litestar.datastructures import State

from studiogate.breaker import Breaker
from studiogate.gateway import Gateway
from studiogate.health import Health

FLAGS = ("playwright_ready", "browser_connected", "page_ready")
"""Fields that older clients look for. Plugins set them; false where none does, as in a gateway without a browser."""


@get("/health")
async def show_health(state: State) -> Response[dict[str, Any]]:
    """Tell whether requests can be answered, and if not, why and what to do."""
    gateway: Gateway = state.gateway
    health, queue = gateway.health(), gateway.queue
    trouble, waiting = gateway.trouble(health), len(queue.waiting)
    own: dict[str, Any] = {
        "status": "ok" if trouble is None else "unavailable",
        "message": trouble,
        "worker_running": gateway.working,
        "queue_length": waiting,
        "plugins": {name: attrs.asdict(told, filter=attrs.filters.exclude("flags")) for name, told in health.items()},
        "backends": [backend.plugin for backend in gateway.chain.backends],
        "breakers": {name: _breaker(breaker) for name, breaker in gateway.chain.breakers.items()},
        "queue": {"slots": queue.slots, "running": len(queue.running), "waiting": waiting},
    }
    # In this order for people; what the gateway itself says is stronger than any plugin's flag.
    body = dict.fromkeys(("status", "message")) | flags_of(health.values()) | own
    return Response(body, status_code=200 if trouble is None else 503)


def _breaker(breaker: Breaker) -> dict[str, Any]:
    return {
        "state": str(breaker.state),
        "failures": breaker.failures,
        "again_in_s": round(breaker.again_in_s, 1),
    }


def flags_of(health: Iterable[Health]) -> dict[str, bool]:
    """Return every flag that any plugin sets, true if any says so, after those of `FLAGS`."""
    flags: dict[str, bool] = dict.fromkeys(FLAGS, False)
    for told in health:
        for name, up in told.flags.items():
            flags[name] = flags.get(name, False) or up
    return flags
