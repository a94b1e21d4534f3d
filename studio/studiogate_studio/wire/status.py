"""Errors of the page's RPC: `google.rpc.Status`, in every wrapping it was met in.

A `Status` is `[code, message?, details?]`, a detail `[type URL, fields]`. A streaming method wraps it as the second
field of its body (`[,[8,"..."]]`, also after frames of a stream that was answered with 200), a unary one sends it bare;
`{"error": {...}}`, Google's REST form, is taken as well. `code` is gRPC's; what it means over HTTP is one table here.
"""

from collections.abc import Iterator, Mapping

import attrs

from studiogate_studio.wire.errors import WireError
from studiogate_studio.wire.indices import ErrorInfo, QuotaViolation, StatusField
from studiogate_studio.wire.jspb import Json, at, decode, float_at, int_at, list_at, text_at

_CODES: dict[int, tuple[str, int]] = {
    0: ("OK", 200),
    1: ("CANCELLED", 499),
    2: ("UNKNOWN", 500),
    3: ("INVALID_ARGUMENT", 400),
    4: ("DEADLINE_EXCEEDED", 504),
    5: ("NOT_FOUND", 404),
    6: ("ALREADY_EXISTS", 409),
    7: ("PERMISSION_DENIED", 403),
    8: ("RESOURCE_EXHAUSTED", 429),
    9: ("FAILED_PRECONDITION", 400),
    10: ("ABORTED", 409),
    11: ("OUT_OF_RANGE", 400),
    12: ("UNIMPLEMENTED", 501),
    13: ("INTERNAL", 500),
    14: ("UNAVAILABLE", 503),
    15: ("DATA_LOSS", 500),
    16: ("UNAUTHENTICATED", 401),
}
_BY_NAME = {name: code for code, (name, _) in _CODES.items()}
_BY_HTTP = {400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 429: 8, 499: 1, 500: 13, 501: 12, 503: 14, 504: 4}


def _no_metadata() -> Mapping[str, str]:
    return {}


@attrs.frozen(kw_only=True)
class Status:
    """Say why the upstream refused or broke off."""

    code: int
    """gRPC's code; 8 is an exhausted quota, 7 a refused proof or permission, 16 a dead sign-in."""
    message: str = ""
    """The upstream's own words."""
    retry_after_s: float | None = None
    """Seconds to wait, from `RetryInfo`."""
    reason: str | None = None
    """`ErrorInfo`'s reason, for example `RATE_LIMIT_EXCEEDED`."""
    metadata: Mapping[str, str] = attrs.field(factory=_no_metadata)
    """`ErrorInfo`'s metadata, for example `quota_limit`."""
    quotas: tuple[str, ...] = ()
    """Names of the limits that were hit, such as `GenerateRequestsPerDayPerProjectPerModel`, without repeats."""

    @property
    def name(self) -> str:
        """Return the code's name, for example `RESOURCE_EXHAUSTED`."""
        return _CODES[self.code][0] if self.code in _CODES else f"CODE_{self.code}"

    @property
    def http_status(self) -> int:
        """Return the HTTP status that means the same; 500 for a code that is unknown."""
        return http_status(self.code)

    @property
    def summary(self) -> str:
        """Return one line for people: the message, the name of the code, the quotas hit."""
        quotas = f" [{', '.join(self.quotas)}]" if self.quotas else ""
        return f"{self.message.strip() or 'The upstream gave no message'} ({self.name}){quotas}"


def http_status(code: int) -> int:
    """Return the HTTP status of a gRPC code; 500 for one that is unknown."""
    return _CODES[code][1] if code in _CODES else 500


def read_status(body: bytes) -> Status | None:
    """Read an error body of any of the shapes; None where it is none of them, an HTML page for example."""
    try:
        return status_of(decode(body))
    except WireError:
        return None


def status_of(root: Json) -> Status | None:
    """Find the status in a decoded body; None where there is none."""
    if isinstance(root, dict):
        return _from_object(root.get("error", root))
    first, second = at(root, 0), at(root, 1)
    if int_at(first) is not None and not isinstance(first, bool):
        return _from_array(root)
    if isinstance(second, list):
        return _from_array(second)
    if isinstance(first, dict) or (int_at(first, 0) is not None and text_at(first, 1) is not None):
        return status_of(first)
    return None


def _from_array(status: Json) -> Status | None:
    code = int_at(status, StatusField.CODE)
    if code is None:
        return None
    details: list[tuple[str, Json]] = [
        (kind.rpartition(".")[2], at(detail, 1) if len(list_at(detail)) <= 2 else list_at(detail)[1:])  # noqa: PLR2004
        for detail in list_at(status, StatusField.DETAILS)
        if (kind := text_at(detail, 0)) is not None
    ]
    return _status(code, text_at(status, StatusField.MESSAGE), details)


def _from_object(error: Json) -> Status | None:
    if isinstance(error, str):
        return Status(code=_BY_NAME["UNKNOWN"], message=error)
    if not isinstance(error, dict):
        return None
    name, number, message = error.get("status"), int_at(error.get("code")), error.get("message")
    code = _BY_NAME.get(name) if isinstance(name, str) else None
    if code is None and number is not None:
        code = _BY_HTTP.get(number, number if number in _CODES else _BY_NAME["UNKNOWN"])
    if code is None:
        return None
    details = [
        (str(detail.get("@type", "")).rpartition(".")[2], _fields(detail))
        for detail in list_at(error.get("details"))
        if isinstance(detail, dict)
    ]
    return _status(code, message if isinstance(message, str) else None, details)


def _fields(detail: dict[str, Json]) -> Json:
    """Lay a detail of the REST form out as the array form has it."""
    metadata, violations = detail.get("metadata"), detail.get("violations")
    if "retryDelay" in detail:
        return [detail["retryDelay"]]
    if isinstance(violations, list):
        objects = [violation for violation in violations if isinstance(violation, dict)]
        return [[[None, None, None, item.get("quotaMetric"), item.get("quotaId")] for item in objects]]
    pairs: list[Json] = [[key, value] for key, value in metadata.items()] if isinstance(metadata, dict) else []
    return [detail.get("reason"), detail.get("domain"), pairs]


def _status(code: int, message: str | None, details: list[tuple[str, Json]]) -> Status:
    wait: float | None = None
    reason: str | None = None
    metadata: dict[str, str] = {}
    quotas: list[str] = []
    for kind, fields in details:
        match kind:
            case "RetryInfo":
                wait = _seconds(fields)
            case "ErrorInfo":
                reason = text_at(fields, ErrorInfo.REASON)
                metadata.update(_pairs(at(fields, ErrorInfo.METADATA)))
            case "QuotaFailure":
                quotas += _violated(fields)
            case _:
                pass
    if "quota_limit" in metadata:
        quotas.insert(0, metadata["quota_limit"])
    return Status(
        code=code,
        message=message or "",
        retry_after_s=wait,
        reason=reason,
        metadata=metadata,
        quotas=tuple(dict.fromkeys(quotas)),
    )


def _seconds(fields: Json) -> float | None:
    """Read a duration: `[seconds, nanos]` in any number of wrappers, or `"12.5s"`."""
    while isinstance(first := at(fields, 0), list):
        fields = first
    if isinstance(first, str):
        first = first.removesuffix("s")
    seconds, nanos = float_at(first), float_at(fields, 1)
    if seconds is None and nanos is None:
        return None
    return max(0.0, (seconds or 0.0) + (nanos or 0.0) / 1e9)


def _pairs(metadata: Json) -> dict[str, str]:
    pairs = ((text_at(pair, 0), text_at(pair, 1)) for pair in list_at(metadata))
    return {key: value for key, value in pairs if key is not None and value is not None}


def _violated(fields: Json) -> Iterator[str]:
    for violation in list_at(fields, 0):
        name = text_at(violation, QuotaViolation.ID) or text_at(violation, QuotaViolation.METRIC)
        if name:
            yield name
