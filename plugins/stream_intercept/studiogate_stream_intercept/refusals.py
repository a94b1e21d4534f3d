"""What the upstream refused, in the gateway's words: which errors let the next backend try, and which are final."""

import re

from studiogate.errors import InvalidRequest, ModelNotFound, StudiogateError, Unavailable
from studiogate_studio.wire import AnswerDecoder, Status, StreamFailed, Truncated

_SAID = {
    401: (503, "the account is signed out (the operator has to sign in again: studiogate login)"),
    403: (502, "AI Studio refused the request (no permission for this model, or a proof it doesn't accept)"),
    404: (502, "AI Studio doesn't know what the page asked for"),
    429: (429, "the account's quota is used up"),
    500: (502, "AI Studio had an internal error"),
    503: (502, "AI Studio is overloaded"),
    504: (504, "AI Studio took too long"),
}
"""HTTP status of the upstream -> (status for the client, what it means)."""

_BAD_REQUEST = 400
_NOT_FOUND = 404
_NAMES_A_MODEL = re.compile(r"\bmodels?\b", re.IGNORECASE)
"""Other 404s are about the service and pass by themselves: `Ambiguous request for service ''`."""


def refuse_status(http_status: int, status: Status | None) -> StudiogateError:
    """Return the error for a refusal; the upstream's own words are part of it where it gave any."""
    said = status.summary if status is not None else f"HTTP {http_status}"
    if http_status == _BAD_REQUEST:
        return InvalidRequest(f"AI Studio refused the request: {said}", code="upstream_refused")
    if http_status == _NOT_FOUND and status is not None and _NAMES_A_MODEL.search(status.message):
        return Unavailable(f"AI Studio doesn't have this model for the account: {said}", status=ModelNotFound.status)
    code, meaning = _SAID.get(http_status, (502, "AI Studio refused the request"))
    wait = status.retry_after_s if status is not None else None
    return Unavailable(f"{meaning}: {said}", status=code, retry_after_s=wait)


def refuse_broken(decoder: AnswerDecoder) -> None:
    """Raise what a closed decoder says went wrong; nothing for a whole answer.

    :raises InvalidRequest: the upstream finds the request wrong.
    :raises Unavailable: the upstream failed, doesn't have the model, or the stream ended before the answer did.
    """
    match decoder.outcome:
        case StreamFailed(status=status):
            raise refuse_status(status.http_status, status)
        case Truncated():
            raise Unavailable("the stream ended before the answer did")
        case _:
            return
