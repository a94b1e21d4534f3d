"""Every error of the gateway, and the one table that makes HTTP of them.

    StudiogateError               never raised directly
    ├── ConfigurationError        the operator's file, flag or plugin is wrong; the start stops, exit code 2
    │   └── PluginRefused         one plugin can't be used; it may be left out instead
    ├── Declined                  a backend: this exchange is not mine; the next one tries
    ├── Unavailable               a backend: I cannot now; the next one tries
    └── ClientError               what a client is told; each leaf is a row of docs/architecture.md's table
        ├── InvalidRequest        400
        ├── Unauthorized          401
        ├── Forbidden             403
        ├── NotFound              404
        ├── MethodNotAllowed      405
        ├── TooLarge              413
        ├── ModelNotFound         422
        ├── RateLimited           429
        ├── ClientClosed          499
        ├── InternalError         500
        ├── UpstreamFailed        502
        │   └── PluginFault       502
        ├── ServiceUnavailable    503
        └── DeadlineExceeded      504

Anything else that escapes a plugin is a fault of that plugin: a 502 that names it, with the details in the log only.
No message here may hold a key, a cookie, a prompt or a path of the server.
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import attrs


class StudiogateError(Exception):
    """Base of every error raised on purpose; never raised directly."""


class ConfigurationError(StudiogateError):
    """What the operator wrote is wrong: says where, what, and what would be right."""


class PluginRefused(ConfigurationError):  # noqa: N818 - what was done
    """A plugin that is listed or required can't be used; without it the gateway could start."""

    def __init__(self, plugin: str, message: str, in_short: str) -> None:
        """Refuse a plugin.

        :param message: all there is to say, to the operator.
        :param in_short: why, in a few words that anybody may read: no values, no paths, nobody else's words.
        """
        super().__init__(message)
        self.plugin = plugin
        self.in_short = in_short


class Declined(StudiogateError):  # noqa: N818 - a verdict, not a failure
    """Raised by a backend before its first event: this exchange is not for it.

    `status` is what the client gets if no backend could even have tried, such as 422 for a model that isn't this
    backend's; None for no say.
    """

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Unavailable(StudiogateError):  # noqa: N818 - a verdict, not a failure
    """Raised by a backend before its first event: it cannot answer now, another may.

    `status` is what the client gets if no other backend can: 429 (quota), 502 (upstream broke), 503 (not ready, signed
    out), 504 (upstream silent), or another of the table, such as 400 for what only this upstream finds wrong.
    """

    def __init__(self, reason: str, *, retry_after_s: float | None = None, status: int = 502) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.status = status


class ClientError(StudiogateError):
    """Base of what a client is told; never raised directly."""

    status: ClassVar[int]
    type: ClassVar[str]
    default_code: ClassVar[str | None] = None

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code if code is not None else self.default_code
        self.retry_after_s = retry_after_s
        self.headers: dict[str, str] = {}
        """More headers for the response, such as the exchange's trace."""


class InvalidRequest(ClientError):  # noqa: N818 - OpenAI's name for it
    """The request is malformed, or a value in it (`param`) is wrong."""

    status = 400
    type = "invalid_request_error"


class Unauthorized(ClientError):  # noqa: N818
    """The client gave no key, or one that this gateway doesn't know."""

    status = 401
    type = "authentication_error"
    default_code = "invalid_api_key"


class Forbidden(ClientError):  # noqa: N818
    """The client may not ask here: a web page of another site, or a name that isn't this gateway's."""

    status = 403
    type = "permission_error"
    default_code = "forbidden"


class NotFound(ClientError):  # noqa: N818
    """There is nothing under this path or id."""

    status = 404
    type = "not_found_error"
    default_code = "not_found"


class MethodNotAllowed(ClientError):  # noqa: N818
    """The path exists, but not for this method."""

    status = 405
    type = "invalid_request_error"
    default_code = "method_not_allowed"


class TooLarge(ClientError):  # noqa: N818
    """A body or an attachment is over the operator's limit."""

    status = 413
    type = "invalid_request_error"
    default_code = "too_large"


class ModelNotFound(ClientError):  # noqa: N818
    """The model is unknown or excluded."""

    status = 422
    type = "invalid_request_error"
    default_code = "model_not_found"


class RateLimited(ClientError):  # noqa: N818
    """The upstream's quota is used up, or the gateway's queue is full."""

    status = 429
    type = "rate_limit_error"
    default_code = "rate_limit_exceeded"


class ClientClosed(ClientError):  # noqa: N818
    """The client cancelled or went away."""

    status = 499
    type = "client_closed_request"
    default_code = "cancelled"


class InternalError(ClientError):
    """The gateway itself has a bug; its log says where."""

    status = 500
    type = "internal_error"
    default_code = "internal_error"


class UpstreamFailed(ClientError):  # noqa: N818
    """Every backend tried and failed, or one failed after it had begun to answer."""

    status = 502
    type = "upstream_error"
    default_code = "upstream_error"


class PluginFault(UpstreamFailed):
    """A plugin's hook raised what no hook should; the gateway's log says where."""


class ServiceUnavailable(ClientError):  # noqa: N818
    """The gateway starts or stops, or what it needs (browser, sign-in) is missing."""

    status = 503
    type = "service_unavailable"
    default_code = "service_unavailable"


class DeadlineExceeded(ClientError):  # noqa: N818
    """The exchange's deadline passed, or the upstream fell silent."""

    status = 504
    type = "timeout_error"
    default_code = "timeout"


ERRORS: dict[int, type[ClientError]] = {
    kind.status: kind
    for kind in (
        InvalidRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        TooLarge,
        ModelNotFound,
        RateLimited,
        ClientClosed,
        InternalError,
        UpstreamFailed,
        ServiceUnavailable,
        DeadlineExceeded,
    )
}
"""Every leaf, by its status."""


def error_for_status(status: int, message: str, *, retry_after_s: float | None = None) -> ClientError:
    """Return the error of the table for an HTTP status; other 4xx are bad requests, the rest an upstream's failure."""
    kind = ERRORS.get(status)
    if kind is None:
        kind = InvalidRequest if 400 <= status < 500 else UpstreamFailed  # noqa: PLR2004
    return kind(message, retry_after_s=retry_after_s)


def chain_exhausted(failures: Sequence[tuple[str, Unavailable | Declined]]) -> ClientError:
    """Return what the client is told when no backend answered.

    `failures` are (backend, why) in the order tried. Where all that could not answer agree on a status (all out of
    quota, all starting) that status stands, else 502; those that declined have a say only where all did. Retry-After is
    the soonest moment at which any of them may do better.
    """
    unavailable = [why for _, why in failures if isinstance(why, Unavailable)]
    statuses = {why.status for _, why in failures if why.status is not None and (why in unavailable or not unavailable)}
    reasons = "; ".join(f"{backend}: {why.reason}" for backend, why in failures)
    status = statuses.pop() if len(statuses) == 1 else 502
    message = f"No backend could answer. {reasons}" if failures else "No backend is enabled in plugins.toml."
    return error_for_status(status if failures else 503, message, retry_after_s=_soonest(unavailable))


def _soonest(failures: Sequence[Unavailable]) -> float | None:
    """Return the shortest wait that any failure names; none counts where the same request would fail again."""
    passing = [why for why in failures if why.status >= 500 or why.status == RateLimited.status]  # noqa: PLR2004
    waits = [why.retry_after_s for why in passing if why.retry_after_s is not None]
    return min((wait for wait in waits if math.isfinite(wait)), default=None)


@attrs.frozen(kw_only=True)
class ErrorResponse:
    """An error as it goes over HTTP."""

    status: int
    body: dict[str, Any]
    """`{"error": {message, type, param, code}, "detail": message}`: OpenAI's clients read the first, older ones the
    second."""
    headers: dict[str, str]


def error_response(error: ClientError) -> ErrorResponse:
    """Turn an error into status, JSON body and headers (`Retry-After` in whole seconds, rounded up)."""
    body = {
        "error": {"message": error.message, "type": error.type, "param": error.param, "code": error.code},
        "detail": error.message,
    }
    wait = error.retry_after_s
    retry = {"retry-after": str(max(1, math.ceil(wait)))} if wait is not None and math.isfinite(wait) else {}
    return ErrorResponse(status=error.status, body=body, headers={**error.headers, **retry})
