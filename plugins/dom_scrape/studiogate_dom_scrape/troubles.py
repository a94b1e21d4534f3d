"""What the page says went wrong, in the gateway's words."""

import re
from collections.abc import Sequence

import attrs

from studiogate.errors import Unavailable
from studiogate.events import Finish, FinishReason
from studiogate_dom_scrape.page_state import Trouble

_BLOCKED = re.compile(
    r"\b(content|prompt|response|answer|output)\b.{0,40}\bblocked\b|\bblocked\b.{0,40}\b(content|prompt|safety)\b"
    r"|\bprohibited (content|use)\b|\bsafety (settings|filter)",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"\b(max(imum)?|output) (output )?(tokens?|length)\b.{0,40}|\btoken limit\b|\btruncated\b", re.IGNORECASE
)


@attrs.frozen(kw_only=True)
class _Meaning:
    words: re.Pattern[str]
    status: int
    text: str


_MEANINGS = (
    _Meaning(
        words=re.compile(
            r"\bquota\b|\brate.?limit|\bexhausted\b|\btoo many requests\b|\bout of free generations\b|\blimit reached\b"
            r"|\breached your .{0,20}limit",
            re.IGNORECASE,
        ),
        status=429,
        text="the account's quota is used up",
    ),
    _Meaning(
        words=re.compile(r"\bsigned? (in|out)\b|\bunauthenticated\b|\blog in\b", re.IGNORECASE),
        status=503,
        text="the account is signed out",
    ),
    _Meaning(
        words=re.compile(r"\bpermission\b", re.IGNORECASE),
        status=502,
        text="AI Studio refused the request (no permission for this model, or this browser)",
    ),
    _Meaning(
        words=re.compile(r"\boverloaded\b|\bunavailable\b|\btry again later\b", re.IGNORECASE),
        status=502,
        text="AI Studio is overloaded",
    ),
    _Meaning(
        words=re.compile(r"\binternal error\b|\bsomething went wrong\b", re.IGNORECASE),
        status=502,
        text="AI Studio had an internal error",
    ),
)
_AS_TEXT = re.compile(
    r"(an )?internal error (has )?occurred\.?|(user has exceeded )?quota( exceeded)?\.?"
    r"|resource has been exhausted.{0,60}|the model is overloaded.{0,60}",
    re.IGNORECASE,
)
_PHRASES = (
    "an internal error has occurred.",
    "quota exceeded",
    "resource has been exhausted",
    "the model is overloaded",
)
_LONGEST = 200


def refusal(troubles: Sequence[Trouble]) -> Unavailable:
    """Return the error for what the page says went wrong; the gravest that is known by its words, else the first.

    :param troubles: at least one.
    """
    for meaning in _MEANINGS:
        for trouble in troubles:
            if meaning.words.search(trouble.said):
                return Unavailable(f'{meaning.text}: the page says "{_short(trouble.said)}"', status=meaning.status)
    return Unavailable(f'the page says "{_short(troubles[0].said)}"')


def verdict(troubles: Sequence[Trouble]) -> Finish | None:
    """Return the end that the page tells of in a notice, which is none of its failures; None if it tells of none."""
    for trouble in troubles:
        if _BLOCKED.search(trouble.said):
            return Finish(reason=FinishReason.CONTENT_FILTER, message=_short(trouble.said))
        if _LENGTH.search(trouble.said) and not _MEANINGS[0].words.search(trouble.said):
            return Finish(reason=FinishReason.LENGTH, message=_short(trouble.said))
    return None


def failure_as_text(text: str) -> Trouble | None:
    """Return the failure that some builds of the page show as if it were the answer; None for an answer."""
    text = text.strip()
    return Trouble(where="turn", said=text) if len(text) <= _LONGEST and _AS_TEXT.fullmatch(text) else None


def may_become_failure(text: str) -> bool:
    """Tell whether a text may be the beginning of such a failure."""
    text = text.strip().lower()
    return any(phrase.startswith(text) for phrase in _PHRASES) or failure_as_text(text) is not None


def _short(said: str) -> str:
    said = " ".join(said.split())
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
