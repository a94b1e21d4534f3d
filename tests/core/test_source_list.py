from typing import Any

import pytest

from studiogate.events import Citation, Event, Finish, FinishReason, TextDelta, Usage
from studiogate.params import Params, ResponseFormat
from studiogate.source_list import SourceList
from studiogate.tools import ToolPlan

from .backends import STOP, ask, exchange_of

SAID: list[Event] = [
    TextDelta(text="Paris."),
    Citation(url="https://a.example/x", title="A"),
    Citation(url="https://b.example/(y)", title="[B]\\\n2", start=0, end=5),
    Citation(url="https://a.example/x", title="Again"),
    Citation(url="https://c.example", title=""),
]
LISTED: list[Event] = [
    TextDelta(
        text=(
            "\n\nSources:\n\n"
            "1. [A](https://a.example/x)\n"
            "2. [\\[B\\]\\\\ 2](https://b.example/%28y%29)\n"
            "3. [https://c.example](https://c.example)\n"
        )
    )
]


def listed(*events: Event, wanted: bool = True, **request: Any) -> list[Event]:
    """Return what becomes of an answer's events."""
    sources = SourceList(exchange_of(ask(**request), plan=ToolPlan(list_sources=wanted)))
    return [each for event in events for each in sources.add(event)]


def test_the_list_ends_the_text() -> None:
    """Each address once, in the order met; nothing else changes."""
    assert listed(*SAID, STOP, Usage(prompt=1)) == [*SAID, *LISTED, STOP, Usage(prompt=1)]


@pytest.mark.parametrize(
    ("reason", "more"),
    [
        (FinishReason.LENGTH, LISTED),
        (FinishReason.TOOL_CALLS, []),
        (FinishReason.CONTENT_FILTER, []),
    ],
)
def test_only_answers_for_people_have_a_list(reason: FinishReason, more: list[Event]) -> None:
    """What ends with calls or a refusal is no text to add to."""
    end = Finish(reason=reason)

    assert listed(*SAID, end) == [*SAID, *more, end]


def test_json_stays_json() -> None:
    """Nobody could parse it with a list behind."""
    asked = Params(response_format=ResponseFormat())

    assert listed(*SAID, STOP, params=asked) == [*SAID, STOP]


def test_nobody_asked() -> None:
    """Without a plan that asks for it, or without sources, there is no list."""
    assert listed(*SAID, STOP, wanted=False) == [*SAID, STOP]
    assert listed(TextDelta(text="Hi"), STOP) == [TextDelta(text="Hi"), STOP]


def test_any_part_of_a_plan_may_ask() -> None:
    """Plugins' parts are merged."""
    asking, other = ToolPlan(list_sources=True), ToolPlan()

    assert asking.merged(other).list_sources
    assert other.merged(asking).list_sources
    assert not other.merged(other).list_sources
