"""A list of an answer's sources at the end of its text, for clients that show no annotations.

A tool plan asks for it (`ToolPlan.list_sources`). The list is Markdown, each address once, in the order met. An answer
that is to be read by a machine, JSON or calls of functions, gets none.
"""

from collections.abc import Iterator

import attrs

from studiogate.events import Citation, Event, Finish, FinishReason, TextDelta
from studiogate.exchange import Exchange

_FOR_PEOPLE = frozenset({FinishReason.STOP, FinishReason.LENGTH})
_ESCAPED = str.maketrans({"\\": "\\\\", "[": "\\[", "]": "\\]"})
_ENCODED = str.maketrans({" ": "%20", "(": "%28", ")": "%29", "<": "%3C", ">": "%3E"})


@attrs.define
class SourceList:
    """Put the list into one answer's events, where the exchange's plan asks for it."""

    exchange: Exchange
    _titles: dict[str, str] = attrs.field(factory=dict[str, str], init=False)
    """By address, in the order met."""

    def add(self, event: Event) -> Iterator[Event]:
        """Take the answer's next event; yield it, before its finish with the list."""
        match event:
            case Citation():
                self._titles.setdefault(event.url, event.title)
            case Finish() if event.reason in _FOR_PEOPLE and self._titles and self._wanted:
                yield TextDelta(text=self._markdown())
            case _:
                pass
        yield event

    @property
    def _wanted(self) -> bool:
        return self.exchange.plan.list_sources and self.exchange.request.params.response_format is None

    def _markdown(self) -> str:
        lines = [
            f"{number}. [{_one_line(title or url).translate(_ESCAPED)}]({url.translate(_ENCODED)})"
            for number, (url, title) in enumerate(self._titles.items(), 1)
        ]
        return "\n\nSources:\n\n" + "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())
