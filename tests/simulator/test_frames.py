import json
from typing import Any

from studiogate_simulator import frames
from studiogate_simulator.frames import Usage


def test_first_usage() -> None:
    """While only thoughts exist, the answer's count is unset."""
    assert Usage(prompt=4, thoughts=5).encode() == [4, None, 9, None, [[1, 4]], None, None, None, None, 5]


def test_usage_total() -> None:
    """The total is the sum of its parts; without thoughts the message ends early."""
    assert Usage(prompt=5, answer=1).encode() == [5, 1, 6, None, [[1, 5]]]


def test_thought_frame() -> None:
    """A thought has its flag at index 12, the response id stands at index 7 of the frame."""
    frame = json.loads(frames.content_frame(frames.thought_part("plan"), Usage(prompt=4, thoughts=5), "v1_x"))

    assert frame[0] == [[[[[None, "plan", *[None] * 10, 1]], "model"]]]
    assert frame[7] == "v1_x"


def test_finish_frame() -> None:
    """The finish has an empty signed text, the reason, and four safety ratings."""
    frame = json.loads(frames.finish_frame(1, Usage(prompt=1), "v1_x"))
    [[[[part], role], reason, *_, ratings]] = frame[0]

    assert part[1] == ""
    assert part[12] is None
    assert part[14]
    assert (role, reason) == ("model", 1)
    assert ratings == [[None, None, category, 1] for category in (7, 8, 9, 10)]


def test_event_frame() -> None:
    """The last frame has an event id and nothing else."""
    frame = json.loads(frames.event_frame())

    assert frame[:3] == [None, None, None]
    assert int(frame[3][0]) > 1e15


def test_call_part() -> None:
    """A call has its name, arguments and id at index 10 and a signature at index 14."""
    part: list[Any] = frames.call_part("f", {"city": "Oslo"})

    assert len(part) == 15
    assert part[10] == ["f", [[["city", [None, None, "Oslo"]]]], part[10][2]]


def test_ids_are_new() -> None:
    """No two answers share an id or a signature."""
    assert frames.new_response_id() != frames.new_response_id()
    assert frames.new_signature() != frames.new_signature()


def test_count_tokens() -> None:
    """A word is a token."""
    assert frames.count_tokens(" one  two\nthree ") == 3
