from typing import Any

import pytest

from studiogate_simulator.instance import instance_of


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "nullable": True}, "text"),
        ({"type": "string", "minLength": 6}, "textte"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "string", "format": "date-time"}, "2026-01-01T00:00:00Z"),
        ({"type": "string", "enum": ["b", "a"]}, "b"),
        ({"type": "integer"}, 0),
        ({"type": "integer", "minimum": 2.5}, 3),
        ({"type": "integer", "maximum": -2.5}, -3),
        ({"type": "number", "minimum": 0.5, "maximum": 1}, 0.5),
        ({"type": "number", "maximum": -1.5}, -1.5),
        ({"type": "boolean"}, True),
        ({"type": "array", "items": {"type": "integer"}}, [0]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, [0, 0, 0]),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 0}, []),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 0),
        ({"oneOf": [{"type": "string"}]}, "text"),
        ({}, "text"),
        (None, "text"),
    ],
)
def test_the_least_value(schema: Any, value: Any) -> None:
    """Within its bounds and near to nothing."""
    assert instance_of(schema) == value


def test_objects_have_what_they_need() -> None:
    """Required properties in their order, and others only where too few are required."""
    properties: Any = {"a": {"type": "string"}, "b": {"type": "integer"}, "c": {"type": "boolean"}}
    schema: Any = {"type": "object", "properties": properties, "required": ["c"]}

    assert instance_of({"type": "object", "properties": properties}) == {}
    assert instance_of(schema) == {"c": True}
    assert instance_of({**schema, "minProperties": "2"}) == {"a": "text", "c": True}


def test_nesting() -> None:
    """Values within values follow their own schema."""
    inner: Any = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}

    assert instance_of({"type": "array", "items": inner, "minItems": 2}) == [{"n": 0}, {"n": 0}]
