"""Why an answer ended: the page's finish and block reasons in OpenAI's words.

The numbers are those of the public proto. OpenAI knows four words, so what has none of its own becomes the nearest, and
the upstream's name travels as the message:

- refused for what it would say or show, or for its language: `content_filter`;
- the model got its tool calls wrong, made no image, or stopped for an unnamed reason: `stop`, as what was said stands;
- an ordinary end after a function call: `tool_calls` (the page says STOP there as well).
"""

from studiogate.events import Finish, FinishReason
from studiogate_studio.wire.indices import Candidate, Feedback, Frame
from studiogate_studio.wire.jspb import Json, at, int_at, list_at, text_at

_STOP = 1
_MAX_TOKENS = 2
_NAMES = {
    3: "SAFETY",
    4: "RECITATION",
    5: "OTHER",
    6: "LANGUAGE",
    7: "BLOCKLIST",
    8: "PROHIBITED_CONTENT",
    9: "SPII",
    10: "MALFORMED_FUNCTION_CALL",
    11: "IMAGE_SAFETY",
    12: "UNEXPECTED_TOOL_CALL",
    13: "TOO_MANY_TOOL_CALLS",
    14: "IMAGE_PROHIBITED_CONTENT",
    15: "IMAGE_OTHER",
    16: "NO_IMAGE",
    17: "IMAGE_RECITATION",
    18: "MISSING_THOUGHT_SIGNATURE",
    19: "CONTENT_BLOCKED",
}
_FILTERED = frozenset({3, 4, 6, 7, 8, 9, 11, 14, 15, 17, 19})
_BLOCKED = {1: "SAFETY", 2: "OTHER", 3: "BLOCKLIST", 4: "PROHIBITED_CONTENT", 5: "IMAGE_SAFETY"}


def read_finish(candidate: Json, *, called: bool) -> Finish | None:
    """Return the end a candidate announces, None while it goes on.

    `called` says whether the answer holds a function call.
    """
    reason = int_at(candidate, Candidate.FINISH_REASON)
    if not reason:
        return None
    message = text_at(candidate, Candidate.FINISH_MESSAGE) or None
    if reason not in (_STOP, _MAX_TOKENS):
        name = _NAMES.get(reason, f"finish reason {reason}")
        message = f"{name}: {message}" if message else name
    return Finish(reason=_word(reason, called=called), message=message)


def _word(reason: int, *, called: bool) -> FinishReason:
    if reason == _MAX_TOKENS:
        return FinishReason.LENGTH
    if reason in _FILTERED:
        return FinishReason.CONTENT_FILTER
    return FinishReason.TOOL_CALLS if called else FinishReason.STOP


def read_block(frame: Json) -> Finish | None:
    """Return the end of an answer that never began because its prompt was refused, None where it wasn't.

    The upstream's sentence is the last string of the feedback.
    """
    feedback = at(frame, Frame.FEEDBACK)
    reason = int_at(feedback, Feedback.REASON)
    if not reason:
        return None
    name = _BLOCKED.get(reason, f"block reason {reason}")
    words = [item for item in list_at(feedback) if isinstance(item, str)]
    return Finish(reason=FinishReason.CONTENT_FILTER, message=f"{name}: {words[-1]}" if words else name)
