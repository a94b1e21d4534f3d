"""What a service's refusal means: from its HTTP status and its words to the error that moves the chain on."""

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, cast

from studiogate_helper_backend.errors import ServiceError
from studiogate_helper_backend.words import Censor

_SAID: dict[int, tuple[int, str]] = {
    400: (400, "the service refuses the request"),
    402: (429, "the account with the service has no credit"),
    404: (502, "the service knows nothing at this address; is base_url right?"),
    408: (504, "the service took too long"),
    413: (413, "the request is too large for the service"),
    422: (400, "the service refuses the request"),
    429: (429, "the service's quota is used up"),
    502: (502, "the service can't be reached behind its front"),
    503: (502, "the service is overloaded or stopped"),
    504: (504, "the service took too long"),
}
"""HTTP status of the service -> (status for the client, what it means)."""

_KEY_REFUSED = (401, 403)
"""What is said to these may quote the key, and is nothing for clients anyway."""
_NO_MODEL = "the service doesn't have the model"
_MODEL_CODES = ("model_not_found", "model_not_supported")
_NAMES_A_MODEL = re.compile(r"\bmodels?\b", re.IGNORECASE)


def refusal(
    status: int, document: Mapping[str, Any], censor: Censor, *, retry_after_s: float | None = None
) -> ServiceError:
    """Return the error for an answer that is none.

    :param document: what the service sent; empty where it was no JSON object.
    """
    words, code = told(document)
    if status in _KEY_REFUSED:
        meaning = "the service refuses the gateway's key" if censor.key else "the service wants a key from the gateway"
        return ServiceError(f"{meaning} (HTTP {status})", status=503)
    said = censor.pass_on(words)
    if code in _MODEL_CODES or (status == 404 and _NAMES_A_MODEL.search(words)):  # noqa: PLR2004
        return ServiceError(_NO_MODEL, said=said, status=422)
    if 300 <= status < 400:  # noqa: PLR2004
        return ServiceError(f"the service redirects elsewhere, which is not followed (HTTP {status})")
    otherwise = "the service failed" if status >= 500 else "the service refuses the request"  # noqa: PLR2004
    to_client, meaning = _SAID.get(status, (502, otherwise))
    return ServiceError(f"{meaning} (HTTP {status})", said=said, status=to_client, retry_after_s=retry_after_s)


def failure(document: Mapping[str, Any], censor: Censor) -> ServiceError:
    """Return the error for one that the service reports in place of an answer, or in its middle."""
    words, code = told(document)
    status = status_in(document)
    if status is not None or code in _MODEL_CODES:
        return refusal(status or 404, document, censor)
    return ServiceError("the service failed", said=censor.pass_on(words))


def told(document: Mapping[str, Any]) -> tuple[str, str]:
    """Return a service's words and its code for what went wrong, each empty where there is none.

    OpenAI's `{"error": {"message", "code"}}`, a bare `{"error": "..."}`, the same without `error` around it, and
    FastAPI's `{"detail": ...}`.
    """
    error = document.get("error", document)
    if isinstance(error, str):
        return error, ""
    if not isinstance(error, dict):
        return "", ""
    fields = cast("dict[str, object]", error)
    code = fields.get("code")
    words = fields.get("message") or _detail(fields.get("detail"))
    return words if isinstance(words, str) else "", code if isinstance(code, str) else ""


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how long the service asks to wait, in seconds; None where it doesn't say, or not in a way to be read."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "")
    if (seconds := _number(text)) is not None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _detail(detail: object) -> str:
    """Read FastAPI's words: a text, or a list of what is wrong where; the wrong values stay out."""
    if isinstance(detail, str):
        return detail
    if not isinstance(detail, list):
        return ""
    wrong = [cast("dict[str, object]", each) for each in cast("list[object]", detail) if isinstance(each, dict)]
    return "; ".join(f"{_place(each.get('loc'))}: {each.get('msg')}" for each in wrong)


def _place(steps: object) -> str:
    return ".".join(str(step) for step in cast("list[object]", steps)) if isinstance(steps, list) else "request"


def status_in(document: Mapping[str, Any]) -> int | None:
    """Return the HTTP status that an error names, as a number or as text."""
    error: object = document.get("error")
    if not isinstance(error, dict):
        return None
    fields = cast("dict[str, object]", error)
    for value in (fields.get("status"), fields.get("code")):
        number = _number(str(value))
        if number is not None and 400 <= number < 600:  # noqa: PLR2004
            return int(number)
    return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
