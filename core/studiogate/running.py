"""The gateway that runs with a configuration, asked from outside: at the address that the configuration names."""

import http.client
import json
from collections.abc import Mapping
from typing import Any, cast

from studiogate.settings import GatewaySettings, is_loopback

_ASK_S = 5.0


def ask_health(settings: GatewaySettings) -> Mapping[str, Any] | None:
    """Return what a running gateway says of itself at `/health`; None if none answers within some seconds."""
    connection = http.client.HTTPConnection(_reachable(settings.host), settings.port, timeout=_ASK_S)
    try:
        connection.request("GET", "/health")
        body: object = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    known = isinstance(body, dict) and {"status", "message", "backends", "plugins", "breakers"} <= body.keys()
    return cast("dict[str, Any]", body) if known else None


def address(settings: GatewaySettings) -> str:
    """Return the URL at which it should answer."""
    return f"http://{_reachable(settings.host)}:{settings.port}"


def _reachable(host: str) -> str:
    """Return an address of this machine for one to listen on: 0.0.0.0 is none to connect to."""
    return host if is_loopback(host) or host not in {"0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104 - only compared
