"""`GET /api/info`: what a client's author needs to know to use this gateway."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import attrs
from litestar import Litestar, Request, get
from litestar.datastructures import State
from litestar.routes import HTTPRoute

from studiogate.gateway import Gateway
from studiogate.keys import ApiKeys
from studiogate.web.address import address_of

NAME = "studiogate"
VERSION = version(NAME)


@get("/api/info")
async def show_info(request: Request[Any, Any, State], state: State) -> dict[str, Any]:
    """Tell the address, whether a key is needed, the default model, the defaults of parameters, and every endpoint."""
    gateway: Gateway = state.gateway
    keys: ApiKeys = state.api_keys
    required, address = keys.required, address_of(request)
    return {
        "name": NAME,
        "version": VERSION,
        "message": "Chats need an API key." if required else "No API key is needed.",
        "openai_compatible": True,
        "server_base_url": address,
        "api_base_url": f"{address}/v1",
        "api_key_required": required,
        "auth_header": "Authorization: Bearer <key>",
        "supported_auth_methods": ["Authorization: Bearer", "X-API-Key"],
        "model_name": gateway.catalogue.default,
        "backends": [backend.plugin for backend in gateway.chain.backends],
        "defaults": attrs.asdict(gateway.config.defaults),
        "endpoints": list(_endpoints(request.app)),
    }


def _endpoints(app: Litestar) -> Iterator[dict[str, str]]:
    """Yield what the application serves, as its routes say."""
    for route in sorted((each for each in app.routes if isinstance(each, HTTPRoute)), key=lambda each: each.path):
        for handler in route.route_handlers:
            for method in sorted(handler.http_methods - {"OPTIONS"}):
                words = (handler.fn.__doc__ or "").strip().partition("\n")[0]
                yield {"method": method, "path": route.path_format, "description": words}
