"""A service's own words about what went wrong, made fit to be passed on.

They reach the client and the log. The client knows its own request, the log must not: services whose checks are
pydantic's quote what they find wrong, prompts included. And some quote the key.
"""

import re
from collections.abc import Sequence

import attrs

from studiogate.chat import Message

_LIMIT = 300
"""Characters of a service's words that are passed on."""
_RUN = 20
"""Characters in a row that are no coincidence; a shorter text counts as a whole, from `_LEAST` on."""
_LEAST = 6
_LOOKED_AT = 20_000
"""Characters at either end of a long text that are compared."""
_PYDANTIC_QUOTES = re.compile(r"input_value=.*?(?=, input_type=|\]|$)")

WITHHELD = "(its words quote the request)"


@attrs.frozen
class Censor:
    """Know what must not be passed on."""

    key: str | None = attrs.field(repr=False)
    """The key for the service."""
    messages: Sequence[Message] = attrs.field(repr=False)
    """What the request says."""

    def pass_on(self, words: str) -> str:
        """Return words on one line, shortened, without the key; or that they are withheld."""
        line = _PYDANTIC_QUOTES.sub("input_value=…", " ".join(words.split()))
        if self.key:
            line = line.replace(self.key, "****")
        line = line if len(line) <= _LIMIT else f"{line[:_LIMIT]}…"
        said = (text for message in self.messages for text in _said(message))
        return WITHHELD if any(_quotes(line, _ends(text)) for text in said) else line


def _said(message: Message) -> tuple[str, ...]:
    return (message.text, *(call.arguments for call in message.tool_calls))


def _quotes(line: str, text: str) -> bool:
    run = min(_RUN, len(text))
    return run >= _LEAST and any(line[start : start + run] in text for start in range(len(line) - run + 1))


def _ends(text: str) -> str:
    """Return a text on one line; of a long one both ends."""
    looked_at = text if len(text) <= 2 * _LOOKED_AT else f"{text[:_LOOKED_AT]} {text[-_LOOKED_AT:]}"
    return " ".join(looked_at.split())
