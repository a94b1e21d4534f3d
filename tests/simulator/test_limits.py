from typing import Any

import pytest

from studiogate_simulator.limits import check_config
from studiogate_simulator.models import find_model
from studiogate_simulator.status import INVALID_ARGUMENT, RpcFailure

TEXT = {"type": "string"}


def check(model_id: str = "gemini-2.5-pro", **config: Any) -> None:
    """Check a config for a model."""
    model = find_model(model_id)
    assert model
    check_config(config, model)


def refusal(model_id: str = "gemini-2.5-pro", **config: Any) -> str:
    """Return why a config is refused."""
    with pytest.raises(RpcFailure) as raised:
        check(model_id, **config)
    assert raised.value.status.code == INVALID_ARGUMENT
    return raised.value.status.message


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("gemini-2.5-pro", {"include_thoughts": True}),
        ("gemini-2.5-pro", {"include_thoughts": True, "budget": 128}),
        ("gemini-2.5-pro", {"include_thoughts": True, "budget": 32768}),
        ("gemini-2.5-pro", {"include_thoughts": True, "budget": -1}),
        ("gemini-2.5-flash", {"include_thoughts": False, "budget": 0}),
        ("gemini-2.5-flash-lite", {"include_thoughts": False, "budget": 0}),
        ("gemini-2.5-flash-lite", {"include_thoughts": True, "budget": 512}),
        ("gemini-3-pro-preview", {"include_thoughts": True, "level": "LOW"}),
        ("gemini-3-flash-preview", {"include_thoughts": True, "level": "MINIMAL"}),
        ("gemma-3-27b-it", {"include_thoughts": False}),
    ],
)
def test_thinking_that_a_model_has(model: str, thinking: dict[str, Any]) -> None:
    """Both ends of its range, its levels, and nothing where it can be turned off."""
    check(model, thinking=thinking)


@pytest.mark.parametrize(
    ("model", "thinking", "message"),
    [
        ("gemini-2.5-pro", {"include_thoughts": False, "budget": 0}, "choose a value between 128 and 32768"),
        ("gemini-2.5-pro", {"include_thoughts": True, "budget": 127}, "thinking budget 127 is invalid"),
        ("gemini-2.5-flash", {"include_thoughts": True, "budget": 24577}, "choose a value between 0 and 24576"),
        ("gemini-2.5-flash-lite", {"include_thoughts": True, "budget": 511}, "choose a value between 512 and 24576"),
        ("gemini-2.5-flash", {"include_thoughts": True, "budget": "9"}, "thinking budget 9 is invalid"),
        ("gemini-2.5-flash", {"include_thoughts": True, "budget": 0}, "only enabled when thinking is enabled"),
        ("gemini-2.5-flash", {"include_thoughts": True, "level": "LOW"}, "Thinking level is not supported"),
        ("gemini-3-pro-preview", {"include_thoughts": True, "level": "MEDIUM"}, "Thinking level MEDIUM is not"),
        ("gemini-3-pro-preview", {"include_thoughts": True, "level": 9}, "Thinking level 9 is not"),
        ("gemini-3-pro-preview", {"include_thoughts": True, "budget": 0}, "Thinking budget is not supported"),
        ("gemma-3-27b-it", {"include_thoughts": True}, "Thinking is not supported"),
    ],
)
def test_thinking_that_a_model_does_not_have(model: str, thinking: dict[str, Any], message: str) -> None:
    """Budgets out of range, levels it lacks, and the wrong kind of setting."""
    assert message in refusal(model, thinking=thinking)


def test_json_without_a_schema_is_fine() -> None:
    """So is text, said or not."""
    check(response_mime_type="application/json")
    check(response_mime_type="text/plain")


def test_a_schema_wants_json() -> None:
    """Text follows no schema; other types don't exist."""
    assert "only supported with the response mime type application/json" in refusal(response_schema=TEXT)
    assert "only supported" in refusal(response_schema=TEXT, response_mime_type="text/plain")
    assert "allowed mimetypes" in refusal(response_mime_type="text/html")


@pytest.mark.parametrize(
    "schema",
    [
        TEXT,
        {"type": "string", "enum": ["a"], "format": "enum"},
        {"type": "integer", "format": "int64"},
        {"type": "array", "items": TEXT},
        {"anyOf": [TEXT, {"type": "number"}]},
        {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
    ],
)
def test_schemas_that_upstream_takes(schema: dict[str, Any]) -> None:
    """Each kind in its plain form."""
    check(response_mime_type="application/json", response_schema=schema)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({}, "response_schema: schema didn't specify the schema type field"),
        ({"type": "string", "format": "email"}, "response_schema.format: only enum and date-time are supported"),
        ({"type": "boolean", "format": "int32"}, "format: only none are supported for BOOLEAN type"),
        ({"type": "integer", "enum": ["1"]}, "response_schema.enum: only allowed for STRING type"),
        ({"type": "string", "enum": ["a", ""]}, "response_schema.enum[1]: cannot be empty"),
        ({"type": "array"}, "response_schema.items: missing field"),
        ({"type": "array", "items": {"type": "array"}}, "response_schema.items.items: missing field"),
        ({"type": "object"}, "response_schema.properties: should be non-empty for OBJECT type"),
        (
            {"type": "object", "properties": {"a": {"type": "object", "properties": {}}}},
            "response_schema.properties[a].properties: should be non-empty",
        ),
        (
            {"type": "object", "properties": {"a": TEXT}, "required": ["a", "b"]},
            "response_schema.required[1]: property is not defined",
        ),
        ({"anyOf": [TEXT, {"type": "array"}]}, "response_schema.any_of[1].items: missing field"),
    ],
)
def test_schemas_that_upstream_refuses(schema: dict[str, Any], message: str) -> None:
    """The message names the place, however deep."""
    assert message in refusal(response_mime_type="application/json", response_schema=schema)


def test_everything_wrong_is_told_at_once() -> None:
    """One line each."""
    schema = {"type": "object", "properties": {"a": {"type": "array"}, "b": {}}}

    assert len(refusal(response_mime_type="application/json", response_schema=schema).splitlines()) == 2


@pytest.mark.parametrize("seed", [-(2**31) - 1, 2**31, "1", 1.5, True])
def test_seeds_are_32_bits(seed: Any) -> None:
    """Others are refused, as is what is no whole number."""
    check(seed=-(2**31))
    assert "seed is" in refusal(seed=seed)
