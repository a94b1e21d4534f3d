import json
import re
from contextlib import suppress
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from studiogate.chat import ChatRequest, Message, Role
from studiogate.errors import InvalidRequest
from studiogate.openai.fields import ChatFields
from studiogate.openai.request import parse_chat_request

HELLO: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]


def parsed(**fields: Any) -> ChatRequest:
    """Parse a body; a greeting unless it brings messages."""
    return parse_chat_request(json.dumps({"messages": HELLO, **fields}).encode())


def test_the_least_request() -> None:
    """One message is enough; everything else has a default."""
    assert parsed() == ChatRequest(messages=(Message(role=Role.USER, text="Hello"),))


def test_sampling_fields_without_a_counterpart_wait_for_who_honours_them() -> None:
    """They are neither lost nor taken for fields of plugins; null asks for nothing."""
    request = parsed(audio={"voice": "x"}, logit_bias={"1": 2}, store=None, google={"x": 1})

    assert request.params.other == {"audio": {"voice": "x"}, "logit_bias": {"1": 2}}
    assert request.extra == {"google": {"x": 1}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("verbosity", "medium"),
        ("top_logprobs", 0),
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


def test_every_wrong_value_is_named_at_once() -> None:
    """The first wrong place is the `param`; the message has them all."""
    with pytest.raises(InvalidRequest) as refusal:
        parsed(model=1, stream=2)

    assert refusal.value.param == "model"
    assert refusal.value.message == "model: must be a string, not 1. stream: must be true or false, not 2."


def test_wrong_places_of_every_kind_are_named_together() -> None:
    """Types, ranges, roles, content, tools and what several fields say together: one answer has them all."""
    with pytest.raises(InvalidRequest) as refusal:
        parsed(
            messages=[
                {"role": "system", "content": [1, {"type": "x"}]},
                {"role": "bot"},
                {"role": "user", "images": 1},
            ],
            temperature=2.1,
            top_p=-1,
            stop=[1],
            tools=[{"type": "function"}],
            n=2,
        )

    assert refusal.value.param == "messages[0].content[0]"
    assert re.findall(r"(\S+): must|(\S+): is", refusal.value.message) == [
        ("messages[0].content[0]", ""),
        ("messages[0].content[1].type", ""),
        ("messages[1].role", ""),
        ("messages[2].images", ""),
        ("temperature", ""),
        ("top_p", ""),
        ("n", ""),
        ("stop", ""),
        ("", "tools[0].function"),
    ]


def test_what_the_messages_lack_is_named_beside_the_rest() -> None:
    """A check over all messages doesn't wait until everything else is right."""
    with pytest.raises(InvalidRequest) as refusal:
        parsed(messages=[{"role": "user", "content": " "}], temperature=3)

    assert refusal.value.message == "temperature: must be from 0 to 2, not 3. messages: hold no text and no attachment."


@pytest.mark.parametrize(
    ("count", "ending"), [(20, "not 19."), (21, "And 1 more problem."), (500, "And 480 more problems.")]
)
def test_the_list_of_problems_has_an_end(count: int, ending: str) -> None:
    """A thousand wrong messages don't make a message of a thousand lines."""
    with pytest.raises(InvalidRequest) as refusal:
        parsed(messages=list(range(count)))

    assert refusal.value.message.count("must be an object") == 20
    assert refusal.value.message.endswith(ending)


def test_messages_are_required() -> None:
    """It is the only field that is."""
    with pytest.raises(InvalidRequest) as refusal:
        parse_chat_request(b"{}")

    assert (refusal.value.param, refusal.value.message) == ("messages", "messages: is required.")


def test_null_is_absent() -> None:
    """Clients that write out every field they have leave nothing but nulls."""
    names = [field.name for field in attrs.fields(ChatFields) if field.name != "messages"]

    assert parsed(**dict.fromkeys(names)) == parsed()


def test_fields_for_plugins_reach_them() -> None:
    """What the gateway has no use for isn't lost, known to it or not."""
    fields = {"mcp_endpoint": "https://mcp.example", "user": "u", "metadata": {"a": 1}, "google": {"x": 1}}

    assert parsed(**fields, model="m").extra == fields


def test_unknown_fields_are_noted_by_name(caplog: pytest.LogCaptureFixture) -> None:
    """The log says which fields came to nothing, on one line, and never what was in them."""
    caplog.set_level("DEBUG")

    parsed(model="m", **{"goggle": "hunter2", "x\ny": 1})

    assert "a request has fields that the gateway doesn't know: goggle, x?y" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_wrong_value_is_not_quoted() -> None:
    """Where text stands in the wrong place it may be a prompt or a key, so the message doesn't repeat it."""
    with pytest.raises(InvalidRequest) as refusal:
        parsed(messages=HELLO, temperature="hunter2")

    assert "hunter2" not in refusal.value.message


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


WRITTEN: list[tuple[dict[str, Any], bool]] = [
    ({"functions": [{"name": "f"}]}, True),
    ({"functions": []}, False),
    ({"tools": [{"type": "function", "function": {"name": "f"}}]}, False),
    ({"tools": [{"google_search": {}}], "functions": [{"name": "f"}]}, False),
]


@pytest.mark.parametrize(("fields", "legacy"), WRITTEN)
def test_who_writes_functions_reads_function_calls(fields: dict[str, Any], *, legacy: bool) -> None:
    """Who writes `tools` too knows the newer form."""
    assert parsed(**fields).legacy_functions is legacy
