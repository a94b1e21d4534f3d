"""Who asks over HTTP: `Authorization: Bearer <key>` or `X-API-Key: <key>`.

Who it is is decided once for each request, so that a file of keys that changes meanwhile can't have one half of the
gateway ask for a key and the other not.
"""

from collections.abc import Iterator
from typing import Any

from litestar import Request

from studiogate.errors import Unauthorized
from studiogate.exchange import Caller
from studiogate.keys import ApiKeys

type AnyRequest = Request[Any, Any, Any]

NOBODY_ASKED = Caller()
"""Who asks where nobody is asked for a key."""


def caller_of(request: AnyRequest) -> Caller | None:
    """Return who asks: the holder of a key, or `NOBODY_ASKED`; None if a key is asked for and none given is valid."""
    if "auth" not in request.scope:
        keys: ApiKeys = request.app.state.api_keys
        request.scope["auth"] = keys.caller(_presented(request))
    caller: Caller | None = request.scope["auth"]
    return caller


def authenticated(request: AnyRequest) -> Caller:
    """Return who asks, for what needs a key.

    :raises Unauthorized: a key is asked for and none given is valid.
    """
    caller = caller_of(request)
    if caller is not None:
        return caller
    error = Unauthorized(
        "Invalid API key: this gateway doesn't know it."
        if any(_presented(request))
        else "This gateway asks for an API key. Send it as 'Authorization: Bearer <key>' or 'X-API-Key: <key>'."
    )
    error.headers = {"www-authenticate": "Bearer"}
    raise error


def _presented(request: AnyRequest) -> Iterator[bytes]:
    """Yield the keys that a request brings, as they are on the wire; what else its headers say is left out."""
    for value in request.headers.getall("authorization", []):
        scheme, _, key = value.strip(" \t").partition(" ")
        if scheme.lower() == "bearer" and key.strip(" \t"):
            yield key.strip(" \t").encode("latin-1")
    for value in request.headers.getall("x-api-key", []):
        if value.strip(" \t"):
            yield value.strip(" \t").encode("latin-1")
