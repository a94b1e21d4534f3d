"""The gateway's address as its client sees it, which a reverse proxy may have changed: for links and examples."""

import re
from typing import Any

from litestar import Request

_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


def address_of(request: Request[Any, Any, Any]) -> str:
    """Return scheme, host and port, such as `http://127.0.0.1:2048`; no path.

    The host is the one the client asked for. A proxy that speaks TLS for the gateway says so in `X-Forwarded-Proto`;
    whoever makes that up, or a host, only misleads itself.
    """
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    scheme = forwarded if forwarded in {"http", "https"} else "http"
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        name, port = request.scope["server"] or ("127.0.0.1", None)
        host = (f"[{name}]" if ":" in name else name) + ("" if port is None else f":{port}")
    return f"{scheme}://{host}"
