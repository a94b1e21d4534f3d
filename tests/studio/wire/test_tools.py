from typing import Any

import pytest

from studiogate.tools import FunctionDeclaration
from studiogate_studio.wire import (
    WireError,
    code_execution,
    encode_schema,
    functions,
    google_maps,
    google_search,
    url_context,
)

from .streams import slots


def test_built_in_tools() -> None:
    """The kind of a tool is the index that is set."""
    assert code_execution() == [[]]
    assert google_search() == [None, None, None, [None, [[]]]]
    assert url_context() == slots({7: []})
    assert google_maps() == slots({10: []})


def test_functions_share_an_entry() -> None:
    """Name, description and, where there are any, parameters."""
    weather = FunctionDeclaration(
        name="weather",
        description="Tell it.",
        parameters={"type": "object", "properties": {"city": {"type": "string"}}},
    )
    time = FunctionDeclaration(name="time", parameters={"type": "object", "properties": {}})

    assert functions([weather, time]) == [
        None,
        [["weather", "Tell it.", slots({0: 6, 6: [["city", [1]]], 22: ["city"]})], ["time", ""]],
    ]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "string"}, [1]),
        ({"type": "integer", "format": "int32", "description": "n", "nullable": True}, [3, "int32", "n", 1]),
        ({"type": ["null", "number"]}, slots({0: 2, 3: 1})),
        ({"enum": ["a", "b"]}, slots({0: 1, 4: ["a", "b"]})),
        ({"const": 7}, slots({0: 1, 4: ["7"]})),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 1}, slots({0: 5, 5: [4], 21: 1})),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, slots({3: 1, 17: [[1]]})),
        ({"type": "string", "pattern": "a+", "default": "a", "x-other": 1}, slots({0: 1, 14: "a+"})),
        ({"properties": {}, "required": ["a"], "additionalProperties": False}, slots({0: 6, 6: [], 7: ["a"], 22: []})),
        (True, []),
    ],
)
def test_schemas(schema: Any, message: list[Any]) -> None:
    """Each keyword has its slot; those without one are left out."""
    assert encode_schema(schema) == message


def test_references_are_written_out() -> None:
    """The message has no references of its own."""
    schema: Any = {"$defs": {"a/b": {"type": "string"}}, "items": {"$ref": "#/$defs/a~1b", "description": "d"}}

    assert encode_schema(schema) == slots({5: [1, None, "d"]})


@pytest.mark.parametrize("reference", ["#/$defs/none", "https://example.org/schema"])
def test_references_that_lead_nowhere(reference: str) -> None:
    """Only what is part of the schema can be written out."""
    with pytest.raises(WireError, match="not part"):
        encode_schema({"$ref": reference})


def test_recursive_schemas_are_refused() -> None:
    """They can't be written out."""
    with pytest.raises(WireError, match="recursive"):
        encode_schema({"$defs": {"n": {"items": {"$ref": "#/$defs/n"}}}, "$ref": "#/$defs/n"})
