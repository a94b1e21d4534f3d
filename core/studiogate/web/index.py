"""`GET /`: a plain page for people: is it ready, and where to look further.

It needs nothing but itself: no script, no image, nothing from elsewhere, and its policy allows none of it.
"""

import base64
import hashlib
import html
import json
import shlex
from pathlib import Path
from string import Template
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.datastructures import State

from studiogate.gateway import Gateway
from studiogate.keys import ApiKeys
from studiogate.web.address import address_of
from studiogate.web.info import NAME, VERSION

_PAGE = Path(__file__).with_name("index.html").read_text(encoding="utf-8")
_STYLE = _PAGE.partition("<style>")[2].partition("</style>")[0]
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


@get("/", media_type=MediaType.HTML)
async def show_index(request: Request[Any, Any, State], state: State) -> Response[str]:
    """Show people whether the gateway is ready, and where to look further."""
    gateway: Gateway = state.gateway
    keys: ApiKeys = state.api_keys
    trouble, queue, model = gateway.trouble(gateway.health()), gateway.queue, gateway.catalogue.default
    api = f"{address_of(request)}/v1"
    values = {
        "name": NAME,
        "version": VERSION,
        "state": "ready" if trouble is None else "unavailable",
        "words": "Ready." if trouble is None else trouble,
        "api_base_url": api,
        "running": len(queue.running),
        "slots": queue.slots,
        "waiting": len(queue.waiting),
        "backends": ", ".join(backend.plugin for backend in gateway.chain.backends) or "none",
        "model": model or "none yet",
        "example": _example(api, model, key_required=keys.required),
    }
    page = Template(_PAGE).substitute({name: html.escape(str(value)) for name, value in values.items()})
    return Response(page, media_type=MediaType.HTML, headers=HEADERS)


def _example(api: str, model: str | None, *, key_required: bool) -> str:
    """Return a command line that asks for an answer."""
    body = {**({"model": model} if model else {}), "messages": [{"role": "user", "content": "Hello!"}]}
    key = ["  -H 'Authorization: Bearer <key>'"] if key_required else []
    data = shlex.quote(json.dumps(body, ensure_ascii=False))
    return " \\\n".join([f"curl {api}/chat/completions", *key, "  -H 'Content-Type: application/json'", f"  -d {data}"])
