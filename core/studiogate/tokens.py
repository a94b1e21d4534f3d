"""Token counts for answers whose backend knows none.

A guess, and marked as one wherever a client sees it: four bytes of UTF-8 to a token. That is the usual rule of thumb
for English, and about right for scripts of three bytes a character, of which a token takes little more than one.
"""

import math

import attrs

from studiogate.events import Event, TextDelta, ThoughtDelta, ToolCall, Usage
from studiogate.prompt import Prompt

_BYTES_PER_TOKEN = 4


@attrs.define
class UsageEstimate:
    """Add up an answer's text as its events come."""

    _answer: int = attrs.field(default=0, init=False)
    """Bytes."""
    _thoughts: int = attrs.field(default=0, init=False)
    """Bytes."""

    def add(self, event: Event) -> None:
        """Count an event's text; media and citations are none."""
        match event:
            case TextDelta():
                self._answer += _size(event.text)
            case ThoughtDelta():
                self._thoughts += _size(event.text)
            case ToolCall():
                self._answer += _size(event.name) + _size(event.arguments)
            case _:
                pass

    def usage(self, prompt: Prompt) -> Usage:
        """Return the estimate for the prompt and all that was added."""
        reasoning = _tokens(self._thoughts)
        return Usage(
            prompt=_tokens(_size(prompt.system or "") + _size(prompt.text)),
            completion=_tokens(self._answer) + reasoning,
            reasoning=reasoning,
        )


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _tokens(size: int) -> int:
    return math.ceil(size / _BYTES_PER_TOKEN)
