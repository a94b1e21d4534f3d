import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from studiogate.attachments import AttachmentRef
from studiogate.errors import InvalidRequest
from studiogate.openai.document import json_object
from studiogate.openai.long_data import HEAD, LONG, LongData, cut_out
from studiogate.openai.request import parse_chat_request

LONG_BASE64 = "QUJD" * (LONG // 4)
LONG_URL = f"data:image/png;base64,{LONG_BASE64}"


def ref_of(**message: Any) -> AttachmentRef:
    """Return the one reference of a message."""
    body = json.dumps({"messages": [{"role": "user", **message}]}).encode()
    (ref,) = parse_chat_request(body).attachments
    return ref


SHAPES: dict[str, Callable[[str], dict[str, Any]]] = {
    "object in an item": lambda data: {"content": [{"type": "image_url", "image_url": {"url": data}}]},
    "item": lambda data: {"content": [{"type": "image_url", "image_url": data}]},
    "item itself": lambda data: {"content": ["Look.", {"type": "input_file", "file_data": data}]},
    "content as an object": lambda data: {"content": {"text": "Look.", "files": [{"data": data}]}},
    "list": lambda data: {"content": "Look.", "images": [data]},
    "object in an object of a list": lambda data: {"content": "Look.", "media": [{"file": {"file_data": data}}]},
}


@pytest.mark.parametrize("data", [LONG_BASE64, LONG_URL, LONG_URL + "="])
@pytest.mark.parametrize("shape", SHAPES)
def test_long_data_stays_in_the_body(data: str, shape: str) -> None:
    """Where a source may stand, all of it is a view of the body, and `source` is its beginning."""
    ref = ref_of(**SHAPES[shape](data))

    assert ref.data is not None
    assert bytes(ref.data) == data.encode()
    assert ref.source == data[:HEAD]
    assert ref.settled().data is None


def test_long_data_of_the_whole_request_stays_in_the_body() -> None:
    """Its list of attachments stands beside the messages."""
    body = bytearray(
        json.dumps({"messages": [{"role": "user", "content": "Look."}], "attachments": [LONG_URL]}).encode()
    )
    (ref,) = parse_chat_request(body).attachments

    assert ref.data is not None
    assert ref.data.obj is body


@pytest.mark.parametrize(
    "source",
    [LONG_URL[: LONG - 1], "https://example.com/" + "a?" * LONG, LONG_URL.replace("Q", "\\/", 1), "/9j/" + "ä" * LONG],
)
def test_what_is_short_or_no_plain_data_is_a_string(source: str) -> None:
    """As every other string of the request."""
    body = '{"messages": [{"role": "user", "content": "Look.", "images": ["%s"]}]}' % source  # noqa: UP031
    (ref,) = parse_chat_request(body.encode()).attachments

    assert ref.data is None
    assert ref.source == source.replace("\\/", "/")


def test_long_data_that_nobody_uploads_is_text() -> None:
    """A prompt of one long word, a tool's argument, an unknown field: all are as they were sent."""
    word = LONG_BASE64 + "ä"
    body = json.dumps(
        {
            "messages": [
                {"role": "user", "content": LONG_BASE64},
                {"role": "user", "content": [LONG_BASE64, {"type": "text", "text": word}]},
                {"role": "user", "content": {"text": LONG_BASE64}},
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {"data": LONG_BASE64}}}],
                },
            ],
            "url": LONG_BASE64,
            "messages[0].images[0]": {"url": LONG_BASE64},
        },
        ensure_ascii=False,
    ).encode()
    request = parse_chat_request(body)

    assert [message.text for message in request.messages[:3]] == [LONG_BASE64, f"{LONG_BASE64}\n{word}", LONG_BASE64]
    assert json.loads(request.messages[3].tool_calls[0].arguments) == {"data": LONG_BASE64}
    assert request.extra == {"url": LONG_BASE64, "messages[0].images[0]": {"url": LONG_BASE64}}


def test_what_is_not_utf8_is_not_json() -> None:
    """Also far into a long string."""
    body = b'{"messages": [{"role": "user", "content": "%s\xff"}]}' % LONG_BASE64.encode()

    with pytest.raises(InvalidRequest, match="not JSON"):
        parse_chat_request(body)


def test_nobody_can_name_another_string() -> None:
    """The marks are made anew for each body."""
    marks = {next(iter(cut_out(json.dumps([LONG_BASE64]).encode())[1])) for _ in range(5)}

    assert len(marks) == 5


TEXTS = st.one_of(
    st.text(max_size=20),
    st.integers(LONG - 2, LONG + 2).map(lambda length: "A" * length),
    st.integers(LONG, 3 * LONG).map(lambda length: ("data:text/plain;base64," + "QUJD" * length)[:length]),
    st.sampled_from(
        ['"' * 9, "\\" * 9, 'x"' + "B" * LONG, "B" * LONG + '"', "\\" + "C" * LONG, "é" + "D" * LONG, " " * LONG]
    ),
)
DOCUMENTS = st.recursive(TEXTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=3))


@settings(max_examples=30, deadline=None)
@given(document=st.dictionaries(TEXTS, DOCUMENTS, max_size=4), ascii_only=st.booleans(), indent=st.none() | st.just(1))
def test_whatever_is_cut_out_is_put_back(document: dict[str, Any], ascii_only: bool, indent: int | None) -> None:  # noqa: FBT001
    """A body means the same with and without."""
    body = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()

    assert json_object(body) == document


@given(cut=st.integers(0, 4 * LONG))
@settings(max_examples=30, deadline=None)
def test_a_broken_body_is_broken(cut: int) -> None:
    """Cutting out makes nothing whole."""
    whole = json.dumps({"a": LONG_BASE64, "b": ["x", LONG_URL]}).encode()
    body = whole[: min(cut, len(whole) - 1)]

    with pytest.raises(InvalidRequest):
        json_object(body)


def test_every_long_string_is_found() -> None:
    """Wherever it stands between short ones."""
    for before in (0, 1, LONG - 40, LONG - 1, LONG, 2 * LONG + 7):
        filler = ["x"] * (before // 4)
        body = msgspec.json.encode([filler, LONG_BASE64, filler, LONG_URL])
        short, cut = cut_out(body)

        assert [str(data.whole, "ascii") for data in cut.values()] == [LONG_BASE64, LONG_URL]
        assert len(short) < len(body) - 2 * LONG + 100
        assert all(isinstance(data, LongData) for data in cut.values())
