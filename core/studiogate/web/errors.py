"""Errors over HTTP: whatever a handler raises becomes the one error body, here and nowhere else."""

import logging
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from studiogate.crash import crash_report
from studiogate.errors import ClientError, InternalError, error_for_status, error_response
from studiogate.web.requests import entry_of

log = logging.getLogger(__name__)

_WORDS = {
    404: "There is nothing at this path. The API is under /v1.",
    405: "This path doesn't take this method.",
    413: "The request's body is larger than this gateway takes.",
}


def on_client_error(request: Request[Any, Any, Any], error: ClientError) -> Response[dict[str, Any]]:
    """Answer with an error of the gateway's own table."""
    return _response(request, error)


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """Answer with what Litestar refused: unknown path, wrong method, body too large."""
    told = error_for_status(error.status_code, _WORDS.get(error.status_code, error.detail))
    # `Allow`, where another method is right.
    told.headers = dict(error.headers or {})
    return _response(request, told)


def on_bug(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Answer with a bare 500; where it happened goes to the log, without the message, which may hold a prompt."""
    log.error("a handler raised %s\n%s", type(error).__name__, crash_report(error))
    return _response(request, InternalError("The gateway failed unexpectedly; its log says where."))


def _response(request: Request[Any, Any, Any], error: ClientError) -> Response[dict[str, Any]]:
    entry_of(request).error = error
    told = error_response(error)
    return Response(told.body, status_code=told.status, headers=told.headers, media_type="application/json")
