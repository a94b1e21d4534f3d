import json

import pytest

from scripts.bench.decoding import image_body, measure_decoding, text_body
from studiogate.events import Media, TextDelta
from studiogate_studio.wire import AnswerDecoder


@pytest.mark.parametrize("frame_bytes", [270, 1000])
def test_text_bodies_have_frames_of_the_size_asked_for(frame_bytes: int) -> None:
    """Within a few bytes, and every one of them becomes text."""
    body = text_body(frame_bytes, 20_000)
    frames = json.loads(body)[0]

    events = AnswerDecoder().feed(body)

    assert len(body) / len(frames) == pytest.approx(frame_bytes, abs=8)
    assert len(body) >= 20_000
    assert [type(event) for event in events] == [TextDelta] * len(frames)


def test_an_image_body_holds_a_million_bytes_in_one_frame() -> None:
    """The image arrives as it is."""
    [image] = AnswerDecoder().feed(image_body(1))

    assert isinstance(image, Media)
    assert len(image.data) == 1_000_000


def test_every_kind_of_body_is_measured_every_way() -> None:
    """Twelve figures, of which three have the budget."""
    figures = measure_decoding(megabytes=0.05, rounds=1)

    assert len(figures) == 12
    assert sum(figure.budget is not None for figure in figures) == 3
    assert all(figure.value > 0 for figure in figures)
