from enum import Enum, IntEnum
from typing import Any, Literal

import pytest
from hypothesis import given, strategies as st
from pydantic import BaseModel, Field

from studiogate_studio.wire import WireError, encode_schema, simplify_schema

ANY: Any = {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]}
A: Any = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
B: Any = {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]}


def simple(schema: Any) -> Any:
    """Return a simplified schema of which nothing got lost."""
    simplified = simplify_schema(schema)
    assert simplified.left_out == ()
    return simplified.schema


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "description": "d", "pattern": "a+", "minLength": 1, "maxLength": 3},
        {"type": "string", "format": "date-time"},
        {"type": "integer", "format": "int64", "minimum": 1, "maximum": 5},
        {"type": "string", "enum": ["a", "b"]},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2},
        {**A, "minProperties": 1, "maxProperties": 2},
        {"anyOf": [A, B]},
        {"type": "string", "nullable": True},
    ],
)
def test_what_is_simple_stays_as_it_is(schema: dict[str, Any]) -> None:
    """These words mean the same there."""
    assert simple(schema) == schema


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        (
            {"type": ["string", "integer", "null"], "description": "d"},
            {"description": "d", "anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": True},
        ),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string", "nullable": True}),
        (
            {"anyOf": [A, B, {"type": "null"}], "description": "d"},
            {"description": "d", "anyOf": [A, B], "nullable": True},
        ),
        ({"type": "object", "anyOf": [A, B]}, {"anyOf": [A, B]}),
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"const": 7}, {"type": "integer", "minimum": 7, "maximum": 7}),
        ({"const": 0.5}, {"type": "number", "minimum": 0.5, "maximum": 0.5}),
        ({"enum": ["a", None]}, {"type": "string", "enum": ["a"], "nullable": True}),
        ({"enum": [True, False]}, {"type": "boolean"}),
        ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}),
        ({"type": "integer", "exclusiveMaximum": 9}, {"type": "integer", "maximum": 8}),
        ({"type": "integer", "minimum": 5, "exclusiveMinimum": 0}, {"type": "integer", "minimum": 5}),
        ({"type": "string", "title": "T", "default": "x", "$comment": "c", "x-mine": 1}, {"type": "string"}),
        ({**A, "additionalProperties": False}, A),
        ({"minLength": 2}, {"type": "string", "minLength": 2}),
        ({"minimum": 2}, {"type": "number", "minimum": 2}),
        ({"items": {"type": "string"}}, {"type": "array", "items": {"type": "string"}}),
        ({"properties": {"a": {"type": "string"}}, "required": ["a"]}, A),
    ],
)
def test_what_can_be_said_in_other_words_is(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    """Nothing gets lost."""
    assert simple(schema) == expected


@pytest.mark.parametrize(
    ("schema", "expected", "lost"),
    [
        ({"type": "string", "format": "email"}, {"type": "string"}, "format email"),
        ({"type": "string", "format": "§" * 99}, {"type": "string"}, "format"),
        ({"type": "string", "format": 7}, {"type": "string"}, "format"),
        ({"type": "integer", "multipleOf": 3}, {"type": "integer"}, "multipleOf"),
        ({"type": "number", "exclusiveMinimum": 0}, {"type": "number"}, "exclusiveMinimum"),
        ({"type": "string", "not": {"const": "a"}}, {"type": "string"}, "not"),
        ({"oneOf": [A, B]}, {"anyOf": [A, B]}, "oneOf, taken as anyOf"),
        ({**A, "anyOf": [{"required": ["a"]}]}, A, "anyOf beside a type"),
        ({**A, "additionalProperties": {"type": "string"}}, A, "additionalProperties"),
        ({**A, "required": ["a", "z"]}, A, "required properties that are not described"),
        ({**A, "required": ["a", 5]}, A, "required properties that are not described"),
        ({"enum": ["", "a"]}, {"type": "string", "enum": ["a"]}, "an empty text in an enum"),
        ({"const": True}, {"type": "boolean"}, "an enum of booleans"),
        ({"type": "string", "enum": ["a", 1]}, {"type": "string"}, "an enum of different kinds"),
        (
            {"type": "integer", "enum": [5, 1]},
            {"type": "integer", "minimum": 1, "maximum": 5, "description": "One of 5, 1."},
            "an enum of numbers",
        ),
        (
            {"description": "Size.", "enum": [1, 2.5]},
            {"type": "number", "minimum": 1, "maximum": 2.5, "description": "Size. One of 1, 2.5."},
            "an enum of numbers",
        ),
        ({}, ANY, "values of any kind"),
        (True, ANY, "values of any kind"),
        ({"type": "array"}, {"type": "array", "items": ANY}, "values of any kind"),
        (
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}, {"type": "string"}]},
            {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
            "the order of prefixItems",
        ),
        (
            {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}], "items": False},
            {"type": "array", "items": {"type": "number"}},
            "the order of prefixItems",
        ),
        ({"allOf": [{"minimum": 1}, {"minimum": 2}]}, {"type": "number", "minimum": 2}, "minimum, which is said twice"),
    ],
)
def test_what_gets_lost_is_told(schema: Any, expected: dict[str, Any], lost: str) -> None:
    """The simplified schema allows more than the original, and somebody may want to know."""
    simplified = simplify_schema(schema)

    assert simplified.schema == expected
    assert simplified.left_out == (lost,)


def test_each_loss_is_told_once() -> None:
    """However often it occurs, and in the order met."""
    schema: Any = {"properties": {name: {"type": "string", "format": "uri", "not": {"const": "a"}} for name in "abc"}}

    assert simplify_schema(schema).left_out == ("not", "format uri")


def test_references_are_written_out() -> None:
    """With what stands beside them; the outer description is the closer one."""
    schema = {
        "$defs": {"a/b": {"type": "string", "description": "inner"}},
        "items": {"$ref": "#/$defs/a~1b", "description": "outer"},
    }

    assert simple(schema) == {"type": "array", "items": {"type": "string", "description": "outer"}}


def test_schemas_that_all_hold_are_joined() -> None:
    """Properties and required names come together."""
    joined = simple({"$defs": {"A": A}, "allOf": [{"$ref": "#/$defs/A"}, B], "description": "d"})

    assert joined == {
        "type": "object",
        "description": "d",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    }


@pytest.mark.parametrize("reference", ["#/$defs/none", "#none", "https://example.org/schema", "#/$defs/a/0"])
def test_references_that_lead_nowhere(reference: str) -> None:
    """Only what is part of the schema can be written out."""
    with pytest.raises(WireError, match="not part of it"):
        simplify_schema({"$defs": {"a": ["x"]}, "$ref": reference})


@pytest.mark.parametrize(
    "schema",
    [
        {"$defs": {"n": {"items": {"$ref": "#/$defs/n"}}}, "$ref": "#/$defs/n"},
        {"$ref": "#"},
        {"properties": {"child": {"$ref": "#"}}},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"},
    ],
)
def test_recursive_schemas_are_refused(schema: dict[str, Any]) -> None:
    """They can't be written out."""
    with pytest.raises(WireError, match="recursive"):
        simplify_schema(schema)


def test_references_that_fan_out_are_refused() -> None:
    """A short schema may stand for one that fills the memory."""
    levels: dict[str, Any] = {
        f"n{level}": {"properties": {name: {"$ref": f"#/$defs/n{level + 1}"} for name in "abcdefghij"}}
        for level in range(20)
    }
    levels["n20"] = {"type": "string"}

    with pytest.raises(WireError, match="parts"):
        simplify_schema({"$defs": levels, "$ref": "#/$defs/n0"})


@pytest.mark.parametrize("schema", [{"type": "object"}, {"properties": {"a": {"type": "object", "properties": {}}}}])
def test_objects_without_properties_are_refused(schema: dict[str, Any]) -> None:
    """Upstream has no way to say which they may have."""
    with pytest.raises(WireError, match="without properties"):
        simplify_schema(schema)


class Colour(Enum):
    """Text values."""

    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    """Number values."""

    ONE = 1
    TWO = 2


class Inner(BaseModel):
    """A nested model."""

    size: int = Field(gt=0, le=10)
    note: str | None = None


class Outer(BaseModel):
    """What a client's schema looks like."""

    name: str = Field(description="Its name.")
    colour: Colour
    kind: Literal["x", "y"]
    inner: Inner
    more: list[Inner] = Field(max_length=3)
    either: int | str
    level: Level = Level.ONE


def test_the_schema_of_a_model_keeps_what_matters() -> None:
    """Pydantic's references, optional fields and enums come out plain."""
    inner = {
        "type": "object",
        "description": "A nested model.",
        "properties": {
            "size": {"type": "integer", "minimum": 1, "maximum": 10},
            "note": {"type": "string", "nullable": True},
        },
        "required": ["size"],
    }
    simplified = simplify_schema(Outer.model_json_schema())

    assert simplified.left_out == ("an enum of numbers",)
    assert simplified.schema["required"] == ["name", "colour", "kind", "inner", "more", "either"]
    assert simplified.schema["properties"] == {
        "name": {"type": "string", "description": "Its name."},
        "colour": {"type": "string", "description": "Text values.", "enum": ["red", "blue"]},
        "kind": {"type": "string", "enum": ["x", "y"]},
        "inner": inner,
        "more": {"type": "array", "items": inner, "maxItems": 3},
        "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "level": {"type": "integer", "minimum": 1, "maximum": 2, "description": "Number values. One of 1, 2."},
    }


WORDS = st.sampled_from(
    [
        *("type", "anyOf", "oneOf", "allOf", "$ref", "enum", "const", "nullable", "not", "format", "description"),
        *("items", "prefixItems", "minItems", "properties", "required", "additionalProperties"),
        *("minimum", "exclusiveMinimum", "maximum", "pattern"),
    ]
)
LEAVES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, 1, 2.5, "", "a", "string", "integer", "array", "object", "null", "#", []]
)
VALUES = st.recursive(
    LEAVES | LEAVES.map(lambda name: {"type": name}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS, inner, max_size=4)
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=12,
)


@given(schema=st.dictionaries(WORDS, VALUES, max_size=5))
def test_anything_is_simplified_or_refused(schema: dict[str, Any]) -> None:
    """Also what is no schema at all; simplifying twice changes nothing, and what comes out can be encoded."""
    try:
        simplified = simplify_schema(schema)
    except WireError:
        return

    assert simplify_schema(simplified.schema).schema == simplified.schema
    assert encode_schema(schema) == encode_schema(simplified.schema)
