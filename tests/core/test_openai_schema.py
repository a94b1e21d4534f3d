import json
from typing import Any

import attrs
import jsonschema_rs
import pytest
from hypothesis import example, given, strategies as st

from studiogate.errors import InvalidRequest
from studiogate.openai.fields import ChatFields
from studiogate.openai.request import parse_chat_request
from studiogate.openai.schema import ABOUT, describe, request_schemas

from .test_openai_request import BODIES, JSON, WORDS


def is_json_object(text: str) -> bool:
    """Tell what the format `json-object` means: an object as text, or nothing for an empty one."""
    try:
        return not text.strip() or isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def validator(*models: str) -> jsonschema_rs.Draft202012Validator:
    """Return what judges a request by its description alone."""
    schemas = request_schemas(models)
    schema = {"$ref": "#/components/schemas/ChatCompletionRequest", "components": {"schemas": schemas}}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, formats={"json-object": is_json_object})


DESCRIBED = validator()


def is_read(document: Any) -> bool:
    """Tell whether the parser takes a document."""
    try:
        parse_chat_request(json.dumps(document).encode())
    except InvalidRequest:
        return False
    return True


ITEMS = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "refusal", "image_url", "file", "other"])},
    optional=dict.fromkeys(("text", "refusal", "image_url", "file", "url", "data", "detail"), JSON),
)
CALLS: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"id": WORDS, "function": st.fixed_dictionaries({"name": WORDS}, optional={"arguments": st.just("{}") | JSON})},
    optional={"type": WORDS},
)
SAID = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool", "function"])},
    optional={
        "content": st.text(max_size=2) | st.lists(st.text(max_size=1) | ITEMS, max_size=3) | JSON,
        "images": st.lists(st.text(max_size=1) | ITEMS, max_size=2),
        "tool_calls": st.lists(CALLS, max_size=2) | st.none(),
        "function_call": CALLS | st.none(),
        "tool_call_id": st.text(max_size=2) | st.none(),
    },
)
TOOLS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.just("function") | WORDS | st.none(),
        "function": st.fixed_dictionaries({"name": WORDS}, optional={"parameters": JSON}) | JSON,
        "google_search": st.just({}),
    },
)
FORMATS = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "json_object", "json_schema", "other"])},
    optional={"schema": JSON, "json_schema": st.fixed_dictionaries({}, optional={"schema": JSON, "name": JSON})},
)
LIKELY = st.fixed_dictionaries(
    {"messages": st.lists(SAID, max_size=3)},
    optional={
        "attachments": st.lists(st.text(max_size=1) | ITEMS, max_size=2),
        "tools": st.lists(TOOLS, max_size=2),
        "response_format": FORMATS | st.sampled_from(["text", "json_object"]),
        "stop": st.text(max_size=1) | st.lists(st.text(max_size=1), max_size=7) | JSON,
        "n": st.sampled_from([1, 1.0, 0, True, "1"]),
        "temperature": st.floats(-1, 3) | st.integers(-1, 3),
        "seed": st.integers(-(2**64), 2**64) | st.floats(-5, 5),
        "reasoning_effort": st.sampled_from(["none", "max", "most"]) | st.integers(-1, 10) | st.floats(0, 3),
        "function_call": st.sampled_from(["auto", "required"]) | st.fixed_dictionaries({"name": WORDS}),
        "logit_bias": st.dictionaries(WORDS, st.integers(-200, 200), max_size=2),
        "top_logprobs": st.integers(-1, 21),
    },
)


@given(LIKELY | BODIES | JSON)
@example({"messages": [{"role": "user", "content": "\x1c\x85\ufeff\u3000\u200a"}]})
@example({"messages": [{"role": "user", "content": "\u200b"}]})
@example({"messages": [{"role": "user", "images": [{"url": None, "data": "x"}]}]})
@example({"messages": [{"role": "user", "images": [{"file": {"file": {"data": "x"}}}]}]})
@example({"messages": [{"role": "user", "content": [{"type": "file", "url": "x"}]}]})
@example({"messages": [{"role": "user"}], "attachments": ["x"]})
@example({"messages": [{"role": "user", "content": "x"}], "tools": [{"function": {"name": "f"}, "type": None}]})
@example({"messages": [{"role": "user", "content": "x"}], "tools": [{"function": {"name": "f\n"}}]})
def test_parser_and_description_agree(document: Any) -> None:
    """What the description allows is read, and nothing else is."""
    assert is_read(document) == DESCRIBED.is_valid(document)


def test_every_field_is_explained() -> None:
    """None is missing, none is made up."""
    assert list(ABOUT) == [field.name for field in attrs.fields(ChatFields)]
    assert all(ABOUT.values())


def test_models_are_enumerated_where_any_are_known() -> None:
    """An empty id is none, as ever."""
    known = validator("m1", "m2")
    said = [{"role": "user", "content": "x"}]

    assert [known.is_valid({"messages": said, "model": model}) for model in ("m1", "m2", "m3", "", None)] == [
        True,
        True,
        False,
        True,
        True,
    ]
    assert DESCRIBED.is_valid({"messages": said, "model": "m3"})


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (bool, {"type": "boolean"}),
        (list[str] | None, {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]}),
        (dict[str, Any], {"type": "object"}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (Any, {}),
    ],
)
def test_plain_types_are_described(kind: Any, schema: dict[str, Any]) -> None:
    """As JSON has them."""
    assert describe(kind, {}) == schema


def test_a_type_that_nobody_reads_is_not_described() -> None:
    """A new kind of field fails the tests rather than the document."""
    with pytest.raises(TypeError, match="cannot describe"):
        describe(set[str], {})
