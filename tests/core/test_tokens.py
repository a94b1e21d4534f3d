import pytest

from studiogate.chat import Message, Role
from studiogate.events import Event, Media, TextDelta, ThoughtDelta, ToolCall, Usage
from studiogate.prompt import build_prompt
from studiogate.tokens import UsageEstimate

HELLO = build_prompt([Message(role=Role.SYSTEM, text="1234"), Message(role=Role.USER, text="12345678")])


@pytest.mark.parametrize(
    ("event", "completion", "reasoning"),
    [
        (TextDelta(text="Hello, world"), 3, 0),
        (TextDelta(text="你好世界"), 3, 0),
        (ThoughtDelta(text="x" * 40), 10, 10),
        (ToolCall(id="c", name="abcd", arguments='{"a": 1}'), 3, 0),
        (Media(mime="image/png", data=b"x" * 1000), 0, 0),
        (TextDelta(text="\ud800"), 1, 0),
    ],
)
def test_texts_are_counted_by_their_bytes(event: Event, completion: int, reasoning: int) -> None:
    """Answer, thoughts and calls count; files don't."""
    estimate = UsageEstimate()
    estimate.add(event)

    assert estimate.usage(HELLO) == Usage(prompt=3, completion=completion, reasoning=reasoning)


def test_pieces_add_up_before_they_are_rounded() -> None:
    """A stream of single letters isn't a token each."""
    estimate = UsageEstimate()
    for letter in "abcdefgh":
        estimate.add(TextDelta(text=letter))

    assert estimate.usage(HELLO).completion == 2
