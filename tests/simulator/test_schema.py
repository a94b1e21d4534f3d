from typing import Any

from studiogate_simulator.schema import decode_schema


def test_object() -> None:
    """Types, properties and requirements become a JSON schema."""
    schema: list[Any] = [
        6,
        None,
        "a person",
        None,
        None,
        None,
        [["name", [1]], ["tags", [5, None, None, 1, None, [1]]]],
        ["name"],
    ]

    assert decode_schema(schema) == {
        "type": "object",
        "description": "a person",
        "properties": {
            "name": {"type": "string"},
            "tags": {"type": "array", "nullable": True, "items": {"type": "string"}},
        },
        "required": ["name"],
    }


def test_combinations() -> None:
    """Alternatives and limits keep their names."""
    schema: list[Any] = [None] * 22
    schema[17] = [[1], [3]]
    schema[19] = [4]
    schema[20] = 3

    assert decode_schema(schema) == {
        "anyOf": [{"type": "string"}, {"type": "integer"}],
        "not": {"type": "boolean"},
        "maxItems": 3,
    }


def test_unset() -> None:
    """What is no message is null."""
    assert decode_schema(None) is None
