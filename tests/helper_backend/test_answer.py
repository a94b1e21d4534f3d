import base64
import json
from typing import Any

import pytest

from studiogate.events import Citation, Event, Finish, FinishReason, Media, TextDelta, ThoughtDelta, ToolCall, Usage
from studiogate_helper_backend.answer import AnswerReader, Garbage, ServiceFailed

PNG = b"\x89PNG..."
IMAGE = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
STOP = Finish(reason=FinishReason.STOP)


def read(*documents: Any) -> list[Event]:
    """Read chunks, or a whole completion, to the end."""
    reader = AnswerReader()
    events = [event for each in documents for event in reader.feed(json.dumps(each).encode())]
    return [*events, *reader.close()]


def says(message: dict[str, Any], reason: str | None = None, *, delta: bool = True, **more: Any) -> dict[str, Any]:
    """Make a chunk, or a completion."""
    return {"choices": [{"delta" if delta else "message": message, "finish_reason": reason}], **more}


MESSAGES: list[tuple[dict[str, Any], list[Event]]] = [
    ({"content": "Hi"}, [TextDelta(text="Hi")]),
    ({"content": ""}, []),
    ({"content": None, "tool_calls": None, "images": None, "annotations": None, "reasoning": None}, []),
    ({"content": 7, "reasoning_content": {}, "tool_calls": "x", "images": [1], "annotations": {}}, []),
    ({"reasoning_content": "Hm", "content": "Hi"}, [ThoughtDelta(text="Hm"), TextDelta(text="Hi")]),
    ({"reasoning": "Hm"}, [ThoughtDelta(text="Hm")]),
    ({"reasoning": "Hm", "reasoning_content": "Hm"}, [ThoughtDelta(text="Hm")]),
    (
        {"content": [{"type": "thinking", "thinking": [{"text": "Hm"}]}, {"type": "text", "text": "Hi"}, "x"]},
        [ThoughtDelta(text="Hm"), TextDelta(text="Hi")],
    ),
    ({"content": None, "refusal": "No."}, [TextDelta(text="No.")]),
    ({"images": [{"image_url": {"url": IMAGE}}]}, [Media(mime="image/png", data=PNG)]),
    ({"images": [{"image_url": {"url": "https://example.com/a.png"}}]}, []),
    ({"images": [{"image_url": {"url": "data:image/png,x"}}, {"image_url": None}]}, []),
    ({"images": [{"image_url": {"url": "data:image/png;base64,x"}}]}, []),
    (
        {"content": f"Look: ![image]({IMAGE})!", "images": [{"image_url": {"url": IMAGE}}]},
        [TextDelta(text="Look: !"), Media(mime="image/png", data=PNG)],
    ),
    (
        {"annotations": [{"url_citation": {"url": "u", "title": "t", "start_index": 1, "end_index": 3}}]},
        [Citation(url="u", title="t", start=1, end=3)],
    ),
    (
        {"annotations": [{"url_citation": {"url": "u", "start_index": 0, "end_index": 0}}, {"url_citation": {}}]},
        [Citation(url="u", title="u")],
    ),
]


@pytest.mark.parametrize("delta", [True, False])
@pytest.mark.parametrize(("message", "expected"), MESSAGES)
def test_what_a_message_says_becomes_events(message: dict[str, Any], expected: list[Event], delta: bool) -> None:  # noqa: FBT001
    """Under whatever name a service says it, whole or in a stream; what makes no sense is left out."""
    assert read(says(message, "stop", delta=delta)) == [*expected, STOP]


def call(index: int | None = 0, *, id: str | None = None, name: str | None = None, arguments: Any = None) -> Any:  # noqa: A002 - OpenAI's word
    """Make a piece of a call."""
    numbered = {} if index is None else {"index": index}
    return {**numbered, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    "pieces",
    [
        [
            [call(0, id="a", name="f", arguments="")],
            [call(0, arguments='{"x"')],
            [call(1, id="b", name="g"), call(0, arguments=": 1}")],
            [call(1, arguments="{}")],
        ],
        # Every call numbered 0, as Gemini's own compatible API does.
        [[call(0, id="a", name="f", arguments='{"x": 1}')], [call(0, id="b", name="g", arguments="{}")]],
        # No numbers at all.
        [[call(None, id="a", name="f", arguments='{"x": 1}')], [call(None, id="b", name="g", arguments="{}")]],
        [[call(None, id="a", name="f", arguments='{"x": 1}'), call(None, id="b", name="g", arguments="{}")]],
        # The id again with each piece.
        [
            [call(0, id="a", name="f", arguments='{"x"')],
            [call(0, id="a", arguments=": 1}")],
            [call(1, id="b", name="g")],
        ],
        # Arguments as an object.
        [[call(0, id="a", name="f", arguments='{"x": 1}'), call(1, id="b", name="g", arguments={})]],
    ],
)
def test_calls_are_put_together(pieces: list[Any]) -> None:
    """However a service cuts and numbers them, each call comes once, whole, in order, at the end."""
    events = read(*(says({"tool_calls": piece}) for piece in pieces), says({}, "tool_calls"))

    assert events == [
        ToolCall(id="a", name="f", arguments='{"x": 1}'),
        ToolCall(id="b", name="g", arguments="{}"),
        Finish(reason=FinishReason.TOOL_CALLS),
    ]


def test_calls_without_an_id_get_one() -> None:
    """Results come back under it, so it has to be there, and unique."""
    one, two, finish = read(says({"tool_calls": [call(0, name="f"), call(1, name="f")]}, "stop"))

    assert isinstance(one, ToolCall)
    assert isinstance(two, ToolCall)
    assert one.id.startswith("call_")
    assert one.id != two.id
    assert finish == Finish(reason=FinishReason.TOOL_CALLS)


def test_the_older_form_of_a_call_is_one_too() -> None:
    """`function_call` has neither id nor number."""
    first, finish = read(
        says({"function_call": {"name": "f", "arguments": '{"x"'}}),
        says({"function_call": {"arguments": ": 1}"}}, "function_call"),
    )

    assert isinstance(first, ToolCall)
    assert (first.name, first.arguments) == ("f", '{"x": 1}')
    assert finish == Finish(reason=FinishReason.TOOL_CALLS)


def test_a_call_of_nothing_is_garbage() -> None:
    """Nobody could answer it."""
    with pytest.raises(Garbage, match="a call of no function"):
        read(says({"tool_calls": [call(0, id="a")]}, "tool_calls"))


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", STOP),
        ("length", Finish(reason=FinishReason.LENGTH)),
        ("content_filter", Finish(reason=FinishReason.CONTENT_FILTER)),
        ("eos", Finish(reason=FinishReason.STOP, message="eos")),
        (None, STOP),
    ],
)
def test_the_reason_is_told_in_openais_words(reason: str | None, expected: Finish) -> None:
    """One that OpenAI doesn't know is an end like any other, with the service's word for the log."""
    assert read(says({"content": "x"}, reason)) == [TextDelta(text="x"), expected]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {
                "prompt_tokens": 7,
                "completion_tokens": 5,
                "completion_tokens_details": {"reasoning_tokens": 2},
                "prompt_tokens_details": {"cached_tokens": 3},
            },
            [Usage(prompt=7, completion=5, reasoning=2, cached=3)],
        ),
        ({"prompt_tokens": 7, "completion_tokens": None, "completion_tokens_details": None}, [Usage(prompt=7)]),
        ({"prompt_tokens": -7, "completion_tokens": True}, [Usage()]),
        (None, []),
        ({}, []),
    ],
)
def test_usage_comes_last(usage: Any, expected: list[Event]) -> None:
    """With the last chunk or after it in one without choices; the last one counts."""
    assert read(says({}, "stop", usage=usage)) == [STOP, *expected]
    assert read(says({}, "stop", usage={"prompt_tokens": 1}), {"choices": [], "usage": usage})[1:] == (
        expected or [Usage(prompt=1)]
    )


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'"x"', b"7", b"\xff", b"[" * 100_000, b'{"a": NaN}'])
def test_what_is_no_object_is_garbage(data: bytes) -> None:
    """The error doesn't quote it: it may be part of an answer."""
    with pytest.raises(Garbage, match=r"^(\d+ bytes that are no JSON|JSON that is no object)$"):
        list(AnswerReader().feed(data))


def test_an_error_is_no_answer() -> None:
    """In place of one or in its middle, with everything the service says of it."""
    document = {"error": {"message": "overloaded"}, "choices": [{"delta": {"content": "x"}}]}
    with pytest.raises(ServiceFailed) as failed:
        read(document)

    assert failed.value.document == document


def test_what_was_read_is_known() -> None:
    """An answer has begun with its first choice, though it may say nothing, and is whole with its reason."""
    reader = AnswerReader()
    states = [(reader.begun, reader.finished)]
    documents: list[dict[str, Any]] = [{"choices": []}, says({"role": "assistant"}), says({}, "stop")]
    for document in documents:
        list(reader.feed(json.dumps(document).encode()))
        states.append((reader.begun, reader.finished))

    assert states == [(False, False), (False, False), (True, False), (True, True)]


def test_only_the_first_choice_counts() -> None:
    """A request gets one answer."""
    events = read({"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}, {"message": {"content": "b"}}]})

    assert events == [TextDelta(text="a"), STOP]
