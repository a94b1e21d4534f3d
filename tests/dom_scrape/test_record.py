import json

import pytest

from studiogate.events import Finish, FinishReason, Usage
from studiogate_dom_scrape.record import told_by
from studiogate_studio.wire import WireError

FRAMES = [
    [[[[[[None, "One, "]], "model"]]], None, [3, None, 3]],
    [[[[[[None, "two"]], "model"], 2]], None, [3, 2, 5]],
]


def test_how_an_answer_ended_and_what_it_took() -> None:
    """The finish, the last counts, and the text that places count in."""
    told = told_by(json.dumps([FRAMES]).encode())

    assert told.finish == Finish(reason=FinishReason.LENGTH)
    assert told.usage == Usage(prompt=3, completion=2)
    assert told.text == "One, two"


def test_a_record_of_nothing() -> None:
    """Of an answer that broke off, or a page that sent something else, nothing is known."""
    assert told_by(b"").finish is None


def test_what_makes_no_sense_is_told() -> None:
    """The reader goes without it."""
    with pytest.raises(WireError):
        told_by(b"[[[nonsense]]]")
