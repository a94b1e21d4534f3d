from typing import Any

import pytest

from studiogate.attachments import AttachmentRef
from studiogate.chat import Message
from studiogate.errors import InvalidRequest
from studiogate.openai.request import parse_chat_request

from .test_openai_request import HELLO, parsed


def message(**fields: Any) -> Message:
    """Parse one user message."""
    return parsed(messages=[{"role": "user", **fields}]).messages[0]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Hello", "Hello"),
        (["Hello", "there"], "Hello\nthere"),
        ([{"type": "text", "text": "Hello"}, {"type": "input_text", "text": "there"}], "Hello\nthere"),
        ([{"type": "text", "text": ""}, {"type": "text", "text": "x"}], "\nx"),
        ([{"type": "output_text", "text": "Hello"}], "Hello"),
        ([{"type": "refusal", "refusal": "No."}], "No."),
        ({"text": "Hello"}, "Hello"),
        ({"text": "Hello", "images": []}, "Hello"),
    ],
)
def test_content_comes_in_three_forms(content: Any, text: str) -> None:
    """A string, a list of items, or an object with text."""
    assert message(content=content).text == text


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"type": "image_url", "image_url": "u"}, {"source": "u"}),
        ({"type": "image_url", "image_url": {"url": "u", "detail": "low"}}, {"source": "u", "detail": "low"}),
        ({"type": "input_image", "image_url": "u"}, {"source": "u"}),
        ({"type": "file", "file": {"file_data": "d", "filename": "f.pdf"}}, {"source": "d", "filename": "f.pdf"}),
        ({"type": "input_audio", "input_audio": {"data": "d", "format": "wav"}}, {"source": "d", "mime": "wav"}),
        ({"type": "media_url", "media_url": {"url": "u", "type": "video"}}, {"source": "u", "mime": "video"}),
        ({"type": "file_url", "file_url": {"url": "u", "mime_type": "m"}}, {"source": "u", "mime": "m"}),
        ({"type": "media_url", "media_url": {"url": "u"}}, {"source": "u"}),
        ({"type": "input_video", "input_video": {"data": "d"}}, {"source": "d"}),
        ({"type": "input_file", "file_data": "d", "filename": "f"}, {"source": "d", "filename": "f"}),
    ],
)
def test_an_item_may_point_at_something(item: dict[str, Any], expected: dict[str, Any]) -> None:
    """Every kind of content item that OpenAI and the older guide know becomes a reference with its place."""
    (found,) = message(content=["Look.", item]).attachments

    assert found.param.startswith("messages[0].content[1].")
    assert found == AttachmentRef(param=found.param, **expected)


@pytest.mark.parametrize("field", ["attachments", "images", "files", "media"])
def test_a_message_may_list_what_goes_with_it(field: str) -> None:
    """Lists of strings or objects, beside the content or in it."""
    beside = message(content="Look.", **{field: ["u", {"url": "v"}]})
    within = message(content={"text": "Look.", field: [{"path": "w"}]})

    assert [(ref.source, ref.param) for ref in beside.attachments] == [
        ("u", f"messages[0].{field}[0]"),
        ("v", f"messages[0].{field}[1]"),
    ]
    assert [(ref.source, ref.param) for ref in within.attachments] == [("w", f"messages[0].content.{field}[0]")]


def test_attachments_of_the_whole_request_go_with_the_last_message() -> None:
    """They belong to what is said last, after that message's own."""
    request = parsed(
        messages=[*HELLO, {"role": "user", "content": "Look.", "images": ["a"]}, {"role": "system", "content": "x"}],
        attachments=["b"],
    )

    assert [ref.source for ref in request.messages[1].attachments] == ["a", "b"]
    assert [ref.source for ref in request.attachments] == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"url": "u", "type": "image"}, {"source": "u", "mime": "image"}),
        ({"url": "u", "type": "image", "format": "png"}, {"source": "u", "mime": "png"}),
        ({"url": "u", "format": "png", "mime_type": "image/png"}, {"source": "u", "mime": "image/png"}),
        ({"path": "/p", "url": None}, {"source": "/p"}),
        ({"image_url": {"url": "u", "detail": "high"}}, {"source": "u", "detail": "high"}),
        ({"file": {"data": "d", "mime_type": "inner"}, "mime_type": "outer"}, {"source": "d", "mime": "outer"}),
        ({"data": "d", "url": "u", "filename": None}, {"source": "u"}),
    ],
)
def test_a_reference_says_what_it_is(value: Any, expected: dict[str, Any]) -> None:
    """Of several sources the first that a URL would be counts, and of what is said of it the outermost."""
    (found,) = message(content="Look.", files=[value]).attachments

    assert found == AttachmentRef(param="messages[0].files[0]", **expected)


@pytest.mark.parametrize(
    ("item", "place"),
    [
        ({"type": "image_url", "image_url": {"url": "u"}}, "image_url"),
        ({"type": "input_image", "image_url": "u"}, "image_url"),
        ({"type": "input_file", "file_data": "u"}, "file_data"),
    ],
)
def test_a_reference_in_content_knows_its_place(item: Any, place: str) -> None:
    """Later errors about the attachment name the field that the client wrote."""
    (found,) = message(content=["Look.", item]).attachments

    assert found.param == f"messages[0].content[1].{place}"


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"content": 1}, "content", "must be a string, a list of items or null, not 1"),
    ({"content": [1]}, "content[0]", "must be a string or an object"),
    ({"content": [[]]}, "content[0]", "must be a string or an object, not a list"),
    ({"content": [None]}, "content[0]", "must be a string or an object, not null"),
    ({"content": [{}]}, "content[0].type", "must be one of text, "),
    ({"content": [{"type": []}]}, "content[0].type", "must be one of text, "),
    ({"content": [{"type": "text"}]}, "content[0].text", "is required"),
    ({"content": [{"type": "text", "text": None}]}, "content[0].text", "must be a string, not null"),
    ({"content": [{"type": "refusal", "text": "x"}]}, "content[0].refusal", "is required"),
    ({"content": {"text": 1}}, "content.text", "must be a string"),
    ({"content": {"files": {"a": 1}}}, "content.files", "must be a list"),
    ({"content": {"files": [{"url": ""}]}}, "content.files[0].url", "must be a string that isn't empty"),
    (
        {"content": [{"type": "image_url"}]},
        "content[0]",
        "must name its source under one of url, path, data, file_data",
    ),
    (
        {"content": [{"type": "image_url", "image_url": {}}]},
        "content[0].image_url",
        "must name its source under one of",
    ),
    ({"content": [{"type": "image_url", "image_url": None}]}, "content[0]", "must name its source under one of"),
    ({"content": [{"type": "image_url", "image_url": 1}]}, "content[0].image_url", "or an object with one"),
    ({"content": [{"type": "image_url", "image_url": {"url": {}}}]}, "content[0].image_url.url", "a string that isn't"),
    ({"content": [{"type": "file", "file": {"data": "d", "url": 1}}]}, "content[0].file.url", "a string that isn't"),
    ({"content": [{"type": "file", "file": {"data": "d", "filename": 1}}]}, "content[0].file.filename", "a string"),
    ({"images": "u"}, "images", "must be a list"),
    ({"images": [1]}, "images[0]", "must be a string or an object, not 1"),
    ({"images": [""]}, "images[0]", "must not be empty"),
    ({"images": ["u", {"detail": "low"}]}, "images[1]", "must name its source under one of"),
    ({"media": [{"url": "u", "detail": 1}]}, "media[0].detail", "must be a string, not 1"),
]
"""Fields of a message, the wrong place in it, and what is said of that."""


@pytest.mark.parametrize(("fields", "place", "words"), WRONG)
def test_wrong_content_is_refused_by_its_place(fields: dict[str, Any], place: str, words: str) -> None:
    """The path leads to the value that has to change."""
    with pytest.raises(InvalidRequest) as refusal:
        message(**fields)

    assert refusal.value.param == f"messages[0].{place}"
    assert words in refusal.value.message


def test_every_wrong_item_is_named() -> None:
    """The right ones among them don't hide them."""
    with pytest.raises(InvalidRequest) as refusal:
        message(content=[1, "x", {"type": "text"}], images=["u", 2])

    assert {problem.partition(":")[0] for problem in refusal.value.message.split(". ")} == {
        "messages[0].content[0]",
        "messages[0].content[2].text",
        "messages[0].images[1]",
    }


def test_a_reference_nested_without_end_is_refused() -> None:
    """Depth is no way to make the gateway fail."""
    deep = b'{"url":' * 3000 + b'"x"' + b"}" * 3000
    with pytest.raises(InvalidRequest):
        parse_chat_request(b'{"messages": [{"role": "user", "images": [' + deep + b"]}]}")
