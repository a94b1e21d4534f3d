from typing import Any

import pytest

from studiogate_studio.wire import encode_schema

from .streams import slots


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "string"}, [1]),
        ({"type": "integer", "format": "int32", "description": "n", "nullable": True}, [3, "int32", "n", 1]),
        ({"type": ["null", "number"]}, slots({0: 2, 3: 1})),
        ({"enum": ["a", "b"]}, slots({0: 1, 4: ["a", "b"]})),
        ({"const": 7}, slots({0: 3, 10: 7, 11: 7})),
        (
            {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2},
            slots({0: 5, 5: [4], 20: 2, 21: 1}),
        ),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, slots({0: 1, 3: 1})),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, slots({17: [[1], [3]]})),
        ({"type": "string", "pattern": "a+", "minLength": 1, "maxLength": 2}, slots({0: 1, 12: 1, 13: 2, 14: "a+"})),
        ({"type": "number", "minimum": 0, "maximum": 1.5}, slots({0: 2, 10: 0, 11: 1.5})),
        (
            {"properties": {"b": {"type": "string"}, "a": {"type": "integer"}}, "required": ["a"], "minProperties": 1},
            slots({0: 6, 6: [["b", [1]], ["a", [3]]], 7: ["a"], 8: 1, 22: ["b", "a"]}),
        ),
    ],
)
def test_every_word_has_its_slot(schema: Any, message: list[Any]) -> None:
    """Types and flags are numbers, properties are pairs in an order that is said."""
    assert encode_schema(schema) == message


def test_what_has_no_slot_is_simplified_away() -> None:
    """Any JSON Schema can be encoded, as far as it can be simplified."""
    schema: Any = {"$defs": {"a": {"type": "string", "default": "x"}}, "items": {"$ref": "#/$defs/a", "not": {}}}

    assert encode_schema(schema) == slots({0: 5, 5: [1]})
