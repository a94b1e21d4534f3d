import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, strategies as st

from studiogate.attachments import AttachmentRef
from studiogate.chat import ChatRequest, Message, RequestedCall, Role
from studiogate.errors import InvalidRequest
from studiogate.openai.request import parse_chat_request
from studiogate.tools import ToolSpec

HELLO: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]


def parsed(**fields: Any) -> ChatRequest:
    """Parse a body; a greeting unless it brings messages."""
    return parse_chat_request(json.dumps({"messages": HELLO, **fields}).encode())


def message(**fields: Any) -> Message:
    """Parse one user message."""
    return parsed(messages=[{"role": "user", **fields}]).messages[0]


def test_the_least_request() -> None:
    """One message is enough; everything else has a default."""
    assert parsed() == ChatRequest(messages=(Message(role=Role.USER, text="Hello"),))


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
    ("name", "role"),
    [
        ("system", Role.SYSTEM),
        ("developer", Role.SYSTEM),
        ("user", Role.USER),
        ("assistant", Role.ASSISTANT),
        ("tool", Role.TOOL),
        ("function", Role.TOOL),
    ],
)
def test_every_role_is_known(name: str, role: Role) -> None:
    """OpenAI's newer and older names for a role mean the same."""
    first, _ = parsed(messages=[{"role": name, "content": "x"}, *HELLO]).messages

    assert first.role is role


def test_tool_calls_and_results_keep_their_ids() -> None:
    """Earlier calls and their results come back as they were."""
    _, asked, told = parsed(
        messages=[
            *HELLO,
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
            ]},
            {"role": "tool", "tool_call_id": "c1", "name": "f", "content": "2"},
        ]
    ).messages  # fmt: skip

    assert asked == Message(role=Role.ASSISTANT, tool_calls=(RequestedCall(id="c1", name="f", arguments='{"a": 1}'),))
    assert told == Message(role=Role.TOOL, text="2", name="f", tool_call_id="c1")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_tokens": 1}, 1),
        ({"max_completion_tokens": 2}, 2),
        ({"max_output_tokens": 3}, 3),
        ({"max_tokens": 1, "max_completion_tokens": 2}, 2),
        ({"max_tokens": 1, "max_output_tokens": 3}, 1),
        ({"max_tokens": None}, None),
        ({}, None),
    ],
)
def test_the_output_limit_has_three_names(fields: dict[str, Any], expected: int | None) -> None:
    """The newest name that is given counts."""
    assert parsed(**fields).params.max_tokens == expected


@pytest.mark.parametrize(
    ("stop", "expected"), [("x", ("x",)), (["x", "y"], ("x", "y")), ([], ()), (None, ()), ("", ()), (["", "x"], ("x",))]
)
def test_stop_is_a_string_or_a_list(stop: Any, expected: tuple[str, ...]) -> None:
    """Empty sequences stop nothing and are left out."""
    assert parsed(stop=stop).params.stop == expected


@pytest.mark.parametrize(
    ("fields", "stream", "usage"),
    [
        ({}, False, False),
        ({"stream": True}, True, False),
        ({"stream": None}, False, False),
        ({"stream": True, "stream_options": {"include_usage": True}}, True, True),
        ({"stream": True, "stream_options": {"include_usage": False}}, True, False),
        ({"stream": True, "stream_options": {"include_obfuscation": False}}, True, False),
        ({"stream": True, "stream_options": None}, True, False),
    ],
)
def test_a_stream_may_ask_for_usage(fields: dict[str, Any], stream: bool, usage: bool) -> None:  # noqa: FBT001
    """`stream_options.include_usage` asks for one more chunk."""
    request = parsed(**fields)

    assert (request.stream, request.include_usage) == (stream, usage)


def test_numbers_may_be_whole() -> None:
    """`1` is as good a temperature as `1.0`."""
    params = parsed(temperature=1, top_p=0).params

    assert (params.temperature, params.top_p) == (1.0, 0.0)


def test_sampling_fields_without_a_counterpart_wait_for_who_honours_them() -> None:
    """They are neither lost nor taken for fields of plugins; null asks for nothing."""
    request = parsed(seed=7, logit_bias={"1": 2}, reasoning_effort=None, google={"x": 1})

    assert request.params.other == {"seed": 7, "logit_bias": {"1": 2}}
    assert request.extra == {"google": {"x": 1}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("response_format", {"type": "text"}),
        ("service_tier", "auto"),
        ("parallel_tool_calls", True),
        ("modalities", ["text"]),
        ("logprobs", False),
        ("store", False),
        ("frequency_penalty", 0),
        ("presence_penalty", 0.0),
        ("logit_bias", {}),
    ],
)
def test_what_happens_anyway_is_not_reported_as_ignored(name: str, value: Any) -> None:
    """Clients that spell out OpenAI's defaults get no complaint about them."""
    request = parsed(**{name: value})

    assert request.params.other == {}
    assert request.extra == {}


def test_tools_are_kept_as_sent() -> None:
    """Plugins read the tools; each knows its place."""
    request = parsed(tools=[{"google_search": {}}, {"type": "function", "function": {}}], tool_choice="auto")

    assert request.tools == (
        ToolSpec(index=0, spec={"google_search": {}}),
        ToolSpec(index=1, spec={"type": "function", "function": {}}),
    )
    assert [tool.type for tool in request.tools] == ["google_search", "function"]
    assert request.tool_choice == "auto"


@pytest.mark.parametrize(
    ("spec", "kind"), [({"type": "x", "y": 1}, "x"), ({"x": {}}, "x"), ({"x": 1, "y": 2}, "unknown"), ({}, "unknown")]
)
def test_a_tools_type_is_its_type_or_its_only_key(spec: dict[str, Any], kind: str) -> None:
    """Google writes a tool as an object with one key."""
    assert ToolSpec(index=0, spec=spec).type == kind


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"type": "image_url", "image_url": "u"}, {"source": "u"}),
        ({"type": "image_url", "image_url": {"url": "u", "detail": "low"}}, {"source": "u", "detail": "low"}),
        ({"type": "input_image", "image_url": "u"}, {"source": "u"}),
        ({"type": "file", "file": {"file_data": "d", "filename": "f.pdf"}}, {"source": "d", "filename": "f.pdf"}),
        ({"type": "input_audio", "input_audio": {"data": "d", "format": "wav"}}, {"source": "d"}),
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
    ("body", "message"),
    [
        (b"", "The body is not JSON: "),
        (b"{", "The body is not JSON: "),
        (b'{"messages": "\xff"}', "The body is not JSON: "),
        (b"[" * 100_000, "The body is not JSON: "),
        (b'{"n": ' + b"1" * 5000 + b"}", "The body is not JSON: "),
        (b"[]", "The body must be a JSON object"),
        (b"null", "The body must be a JSON object"),
    ],
)
def test_a_body_that_isnt_an_object_is_refused(body: bytes, message: str) -> None:
    """The error is about the body as a whole."""
    with pytest.raises(InvalidRequest) as refusal:
        parse_chat_request(body)

    assert refusal.value.message.startswith(message)
    assert refusal.value.param is None


USER: dict[str, Any] = {"role": "user"}


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"messages": None}, "messages", "must be a list, not null"),
    ({"messages": "Hello"}, "messages", "must be a list, not a string"),
    ({"messages": []}, "messages", "at least one message"),
    ({"messages": [1]}, "messages[0]", "must be an object, not 1"),
    ({"messages": [{"content": "x"}]}, "messages[0].role", "is required"),
    ({"messages": [{"role": "x"}]}, "messages[0].role", "must be one of system, developer, user"),
    ({"messages": [{"role": 1}]}, "messages[0].role", "must be a string, not 1"),
    ({"messages": [{"role": "system", "content": "x"}]}, "messages", "not a system message"),
    ({"messages": [USER]}, "messages", "no text and no attachment"),
    ({"messages": [{**USER, "content": ""}]}, "messages", "no text and no attachment"),
    ({"messages": [{**USER, "content": 1}]}, "messages[0].content", "must be a string, a list of items or null"),
    ({"messages": [{**USER, "content": [1]}]}, "messages[0].content[0]", "must be an object"),
    ({"messages": [{**USER, "content": [{}]}]}, "messages[0].content[0].type", "must be one of text, "),
    ({"messages": [{**USER, "content": [{"type": []}]}]}, "messages[0].content[0].type", "must be one of text, "),
    ({"messages": [{**USER, "content": [{"type": "text"}]}]}, "messages[0].content[0].text", "must be a string"),
    ({"messages": [{**USER, "content": {"text": 1}}]}, "messages[0].content.text", "must be a string"),
    (
        {"messages": [{**USER, "content": [{"type": "image_url", "image_url": {}}]}]},
        "messages[0].content[0].image_url",
        "must name its source under one of url, path, data",
    ),
    ({"messages": [{**USER, "images": "u"}]}, "messages[0].images", "must be a list"),
    ({"messages": [{**USER, "images": [1]}]}, "messages[0].images[0]", "must be an object"),
    ({"messages": [{**USER, "content": {"files": {"a": 1}}}]}, "messages[0].content.files", "must be a list"),
    ({"attachments": ["u", 1]}, "attachments[1]", "must be an object"),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "c"}]}]},
        "messages[0].tool_calls[0].function",
        "is required",
    ),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}]},
        "messages[0].tool_calls[0].function.arguments",
        "must be a string, not an object",
    ),
    ({"model": 1}, "model", "must be a string, not 1"),
    ({"stream": "yes"}, "stream", "must be true or false, not a string"),
    ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage", "must be true or false, not 1"),
    ({"temperature": 2.1}, "temperature", "must be from 0 to 2, not 2.1"),
    ({"temperature": "1"}, "temperature", "must be a number, not a string"),
    ({"temperature": True}, "temperature", "must be a number, not true"),
    ({"top_p": -0.1}, "top_p", "must be from 0 to 1"),
    ({"max_tokens": 0}, "max_tokens", "must be at least 1, not 0"),
    ({"max_tokens": 1.5}, "max_tokens", "must be a whole number, not 1.5"),
    ({"max_completion_tokens": -1}, "max_completion_tokens", "must be at least 1"),
    ({"n": 2}, "n", "must be 1, as a request gets one answer, not 2"),
    ({"stop": 1}, "stop", "must be a string or a list of strings"),
    ({"stop": ["x", 1]}, "stop", "must be a string or a list of strings"),
    ({"tools": {}}, "tools", "must be a list, not an object"),
    ({"tools": [1]}, "tools[0]", "must be an object, not 1"),
    ({"metadata": []}, "metadata", "must be an object, not a list"),
]
"""A field, its place, and what is said of it."""


@pytest.mark.parametrize(("fields", "param", "message"), WRONG)
def test_a_wrong_value_is_refused_by_its_place(fields: dict[str, Any], param: str, message: str) -> None:
    """`param` names the place as the client would write it; the message says what would be right."""
    with pytest.raises(InvalidRequest) as refusal:
        parsed(**fields)

    assert refusal.value.param == param
    assert refusal.value.message.startswith(f"{param}: ")
    assert message in refusal.value.message


def test_every_wrong_value_is_named_at_once() -> None:
    """The first wrong place is the `param`; the message has them all."""
    with pytest.raises(InvalidRequest) as refusal:
        parsed(model=1, stream=2)

    assert refusal.value.param == "model"
    assert refusal.value.message == "model: must be a string, not 1. stream: must be true or false, not 2."


def test_a_wrong_value_is_not_quoted() -> None:
    """Where text stands in the wrong place it may be a prompt or a key, so the message doesn't repeat it."""
    with pytest.raises(InvalidRequest) as refusal:
        parsed(messages=HELLO, temperature="hunter2")

    assert "hunter2" not in refusal.value.message


def test_a_reference_nested_without_end_is_refused() -> None:
    """Depth is no way to make the gateway fail."""
    deep = b'{"url":' * 3000 + b'"x"' + b"}" * 3000
    with pytest.raises(InvalidRequest):
        parse_chat_request(b'{"messages": [{"role": "user", "images": [' + deep + b"]}]}")


WORDS = st.sampled_from(
    [
        *("messages", "role", "content", "user", "assistant", "system", "text", "type", "image_url", "url", "images"),
        *("attachments", "tools", "tool_calls", "function", "name", "arguments", "stop", "stream", "stream_options"),
        *("temperature", "n", "max_tokens", "model", "metadata", "logit_bias", "response_format", "file", "data"),
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | WORDS
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=8
)
BODIES = st.fixed_dictionaries(
    {
        "messages": st.lists(
            st.fixed_dictionaries({"role": WORDS}, optional={"content": JSON, "images": JSON}) | JSON, max_size=3
        )
    },
    optional=dict.fromkeys(("tools", "stop", "model", "n", "stream", "attachments", "logit_bias", "seed"), JSON),
)


@given(JSON | BODIES)
def test_any_json_is_read_or_refused(document: Any) -> None:
    """No JSON whatsoever makes the parser fail in another way than by refusing."""
    with suppress(InvalidRequest):
        assert parse_chat_request(json.dumps(document).encode()).messages


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Nor do bytes that aren't JSON."""
    with pytest.raises(InvalidRequest):
        parse_chat_request(body)
