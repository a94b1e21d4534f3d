from typing import Any

import pytest

from studiogate_simulator.scenarios import BadScenario, Playlist, Scenario, read_scenario, write_posted

WHOLE: dict[str, Any] = {
    "when": "x",
    "times": 2,
    "thoughts": ["t"],
    "text": ["a"],
    "calls": [{"name": "f", "args": {"deep": [1, {"n": None}]}}],
    "media": [{"mime": "image/png", "data": "iVBORw=="}],
    "sources": [{"url": "https://example.org", "title": "Example", "passage": "a"}],
    "chunk_delay_ms": 1.5,
    "finish": 2,
    "http_status": 429,
    "status": [8, "quota", [["type", []]]],
    "raw": "body",
    "write_bytes": 7,
    "cut_after_frames": 0,
    "hang_after_frames": 3,
}


def test_round_trip() -> None:
    """A scenario with every key is written as it was posted."""
    assert write_posted(read_scenario(WHOLE)) == WHOLE


def test_defaults() -> None:
    """An empty scenario is the default answer for ever."""
    assert write_posted(read_scenario({})) == {}


WRONG: list[tuple[Any, str]] = [
    ({"txet": ["a"]}, "txet"),
    ({"text": "a"}, "scenario.text"),
    ({"text": [1]}, "scenario.text"),
    ({"times": 0}, "times"),
    ({"times": True}, "times"),
    ({"times": "1"}, "times"),
    ({"chunk_delay_ms": -1}, "chunk_delay_ms"),
    ({"chunk_delay_ms": "10"}, "chunk_delay_ms"),
    ({"http_status": 302}, "http_status"),
    ({"status": ["quota"]}, "status"),
    ({"write_bytes": 0}, "write_bytes"),
    ({"calls": [{"args": {}}]}, "name"),
    ({"calls": [{"name": "f", "arguments": {}}]}, "arguments"),
    ({"calls": [{"name": "f", "args": []}]}, "args"),
    ({"sources": [{"url": "https://example.org"}]}, "title"),
    ({"media": [{"mime": "image/png", "bytes": ""}]}, "bytes"),
    ([], "object"),
]


@pytest.mark.parametrize(("posted", "named"), WRONG)
def test_wrong(posted: Any, named: str) -> None:
    """A wrong scenario is refused with the name of what is wrong."""
    with pytest.raises(BadScenario, match=named):
        read_scenario(posted)


def test_all_mistakes_at_once() -> None:
    """Every mistake is told."""
    with pytest.raises(BadScenario, match=r"(?s)text.*nope|nope.*text"):
        read_scenario({"text": 1, "nope": 2})


def test_take() -> None:
    """The first that matches is taken, and counted down."""
    scenarios = Playlist(Scenario)
    scenarios.add({"when": "a", "times": 2, "text": ["1"]})
    scenarios.add({"text": ["2"]})

    taken = [scenarios.take(prompt) for prompt in ("b", "a", "a", "a")]
    assert [scenario.text for scenario in taken if scenario] == [["2"], ["1"], ["1"], ["2"]]
    assert [scenario.when for scenario in scenarios.waiting()] == [None]


def test_clear() -> None:
    """Cleared scenarios answer nothing."""
    scenarios = Playlist(Scenario)
    scenarios.add({})
    scenarios.clear()

    assert scenarios.take("x") is None
