import json
from typing import Any

import pytest

from studiogate_simulator.models import find_model
from studiogate_simulator.scenarios import read_scenario
from studiogate_simulator.script import Ending, Script, compose, failure
from studiogate_simulator.status import Status
from studiogate_simulator.submission import read_submission


def script_of(**scenario: Any) -> Script:
    """Compose the answer of a scenario."""
    model = find_model("gemini-2.5-pro")
    assert model
    submission = read_submission(["models/gemini-2.5-pro", [[[[None, "one two"]], "user"]]], lambda _: None)
    return compose(read_scenario(scenario), submission, model)


def body_of(script: Script) -> bytes:
    """Join the whole body."""
    return b"".join(script.frames) + script.tail


def test_running_usage() -> None:
    """Every frame has the totals so far: prompt, answer and thoughts."""
    [frames] = json.loads(body_of(script_of(thoughts=["a b c"], text=["d", "e f"])))

    assert [frame[2][:3] for frame in frames[:4]] == [[2, None, 5], [2, 1, 6], [2, 3, 8], [2, 3, 8]]
    assert [frame[2][9] for frame in frames[:4]] == [3, 3, 3, 3]


def test_sources_come_before_the_finish() -> None:
    """Grounding metadata names each page, and by bytes the words that rest on it."""
    sources = [
        {"url": "https://a.example", "title": "A", "passage": "Zwei"},
        {"url": "https://b.example", "title": "B"},
    ]
    [frames] = json.loads(body_of(script_of(text=["Grüße. ", "Zwei."], sources=sources)))

    grounding = frames[2][0][0][7]
    assert [chunk[0][:2] for chunk in grounding[1]] == [["https://a.example", "A"], ["https://b.example", "B"]]
    assert grounding[2] == [[[None, 9, 13, "Zwei"], [0]]]
    assert frames[3][0][0][1] == 1


def test_media_are_whole_parts() -> None:
    """A generated file is one inline part with its signature."""
    [frames] = json.loads(body_of(script_of(media=[{"mime": "image/png", "data": "iVBORw=="}])))

    [part] = frames[0][0][0][0][0]
    assert part[2] == ["image/png", "iVBORw=="]
    assert len(part) == 15


def test_finish_of_the_default_answer() -> None:
    """A finish alone changes how the default answer ends."""
    [frames] = json.loads(body_of(script_of(finish=3)))

    assert frames[-2][0][0][1] == 3
    assert len(frames) > 3


def test_no_text() -> None:
    """An empty text is an answer of nothing but its end."""
    [frames] = json.loads(body_of(script_of(text=[])))

    assert len(frames) == 2


@pytest.mark.parametrize(("key", "ending"), [("cut_after_frames", Ending.CUT), ("hang_after_frames", Ending.HANG)])
def test_early_end(key: str, ending: Ending) -> None:
    """A cut or hanging answer has its frames and no closing brackets."""
    script = script_of(text=["a", "b"], **{key: 1})

    assert (len(script.frames), script.tail, script.ending) == (1, b"", ending)


def test_early_end_beyond_the_end() -> None:
    """An answer with fewer frames than that ends whole."""
    assert script_of(text=["a"], cut_after_frames=99).ending is Ending.WHOLE


def test_error_without_status() -> None:
    """An HTTP error alone gets the code that goes with it."""
    assert body_of(script_of(http_status=503)).startswith(b"[,[14,")


def test_refusal() -> None:
    """A refused turn is a streamed status with its HTTP status."""
    script = failure(Status(code=7, message="no"))

    assert (script.http_status, body_of(script)) == (403, b'[,[7,"no"]]')
