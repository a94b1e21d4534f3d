"""Schemas of parameters on their way to the simulator, which refuses what upstream refuses."""

import json
from typing import Any

import pytest
from hypothesis import assume, given, strategies as st

from studiogate.tools import FunctionDeclaration
from studiogate_simulator.models import find_model
from studiogate_simulator.submission import read_submission
from studiogate_simulator.tool_checks import check_tools
from studiogate_studio.wire import Declaration, WireError, declare, functions, simplify_schema
from studiogate_studio.wire.jspb import Json, encode
from studiogate_studio.wire.simplify import AS_TEXT

from .test_simplify import VALUES, WORDS

TEXT: Any = {"type": "string"}
ANY: Any = {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]}
POINT: Any = {"type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "number"}}, "required": ["x"]}
FREE = "objects without properties, asked for as JSON in a text"
CIRCULAR = "a schema within itself, asked for as JSON in a text"


def json_text(description: str = "JSON as text.") -> Any:
    """Return what asks for JSON in a text."""
    return {"type": "string", "description": description}


def received(*declarations: Declaration) -> list[Any]:
    """Return the declarations as the simulator reads and accepts them."""
    request: Any = ["models/m", [[[[None, "hi"]], "user"]], None, None, "!p", None, [functions(declarations)]]
    submission = read_submission(json.loads(encode(request)), lambda _: None)
    model = find_model("gemini-2.5-flash")
    assert model
    check_tools(submission, model)
    (tool,) = submission.tools
    assert isinstance(tool, dict)
    found: Any = tool["function_declarations"]
    return [_without(each, "propertyOrdering") for each in found]


def declared(schema: Any) -> Declaration:
    """Declare a function with parameters."""
    return declare(FunctionDeclaration(name="f", description="d", parameters=schema))


def _without(value: Json, word: str) -> Json:
    if isinstance(value, dict):
        return {key: _without(each, word) for key, each in value.items() if key != word}
    return [_without(each, word) for each in value] if isinstance(value, list) else value


SAME: list[Any] = [
    TEXT,
    {"type": "number"},
    {"type": "integer"},
    {"type": "boolean"},
    {"type": "string", "description": "Wörter."},
    {"type": "string", "enum": ["a", "b"]},
    {"type": "string", "enum": ["a"], "format": "enum"},
    {"type": "string", "format": "date-time"},
    {"type": "string", "pattern": "^[a-z]+$"},
    {"type": "string", "minLength": 1, "maxLength": 9},
    {"type": "string", "nullable": True},
    {"type": "integer", "format": "int32"},
    {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9},
    {"type": "number", "format": "double", "minimum": -0.5},
    {"type": "number", "format": "float"},
    {"type": "array", "items": TEXT},
    {"type": "array", "items": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}},
    {"type": "array", "items": POINT, "minItems": 1, "maxItems": 3},
    {"type": "array", "items": {"type": "string", "enum": ["a"]}},
    POINT,
    {**POINT, "minProperties": 1, "maxProperties": 2},
    {"type": "object", "properties": {"in": {"type": "object", "properties": {"in": POINT}}}},
    {"anyOf": [TEXT, {"type": "integer"}]},
    {"anyOf": [POINT, {"type": "array", "items": POINT}], "description": "One or some."},
    {"type": "object", "properties": {"type": TEXT, "anyOf": TEXT, "$ref": TEXT, "ü 1": TEXT}},
]
"""Schemas of a property that are declared as they are."""

OTHER: list[tuple[Any, Any, tuple[str, ...]]] = [
    # Said otherwise, nothing lost.
    ({"type": ["string", "null"]}, {"type": "string", "nullable": True}, ()),
    ({"type": ["integer", "string"]}, {"anyOf": [{"type": "integer"}, TEXT]}, ()),
    ({"anyOf": [POINT, {"type": "null"}]}, {**POINT, "nullable": True}, ()),
    ({"oneOf": [TEXT, {"type": "null"}]}, {"type": "string", "nullable": True}, ()),
    ({"allOf": [{"type": "string"}, {"minLength": 2}]}, {"type": "string", "minLength": 2}, ()),
    ({"$ref": "#/$defs/point"}, POINT, ()),
    ({"$ref": "#/$defs/point", "description": "Here."}, {**POINT, "description": "Here."}, ()),
    ({"allOf": [{"$ref": "#/$defs/point"}]}, POINT, ()),
    ({"type": "array", "items": {"$ref": "#/$defs/point"}}, {"type": "array", "items": POINT}, ()),
    ({"anyOf": [{"$ref": "#/$defs/point"}, {"type": "null"}]}, {**POINT, "nullable": True}, ()),
    ({"const": "a"}, {"type": "string", "enum": ["a"]}, ()),
    ({"const": 3}, {"type": "integer", "minimum": 3, "maximum": 3}, ()),
    ({"enum": ["a", None]}, {"type": "string", "enum": ["a"], "nullable": True}, ()),
    ({"enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}, ()),
    ({"enum": [True, False]}, {"type": "boolean"}, ()),
    ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}, ()),
    ({"type": "integer", "exclusiveMaximum": 10}, {"type": "integer", "maximum": 9}, ()),
    ({**POINT, "additionalProperties": False}, POINT, ()),
    ({**POINT, "additionalProperties": True}, POINT, ()),
    ({"type": "string", "title": "T", "default": "a", "examples": ["b"]}, TEXT, ()),
    ({"type": "string", AS_TEXT: "text/html"}, TEXT, ()),
    ({"items": TEXT}, {"type": "array", "items": TEXT}, ()),
    ({"maxLength": 4}, {"type": "string", "maxLength": 4}, ()),
    ({"properties": {"a": TEXT}}, {"type": "object", "properties": {"a": TEXT}}, ()),
    # Simplified.
    ({"type": "string", "format": "email"}, TEXT, ("format email",)),
    ({"type": "string", "format": "uri"}, TEXT, ("format uri",)),
    ({"type": "integer", "multipleOf": 5}, {"type": "integer"}, ("multipleOf",)),
    ({"type": "number", "exclusiveMinimum": 0}, {"type": "number"}, ("exclusiveMinimum",)),
    ({"type": "array", "items": TEXT, "uniqueItems": True}, {"type": "array", "items": TEXT}, ("uniqueItems",)),
    ({"type": "string", "not": {"const": "a"}}, TEXT, ("not",)),
    ({"oneOf": [TEXT, {"type": "integer"}]}, {"anyOf": [TEXT, {"type": "integer"}]}, ("oneOf, taken as anyOf",)),
    (
        {"type": "integer", "enum": [1, 5]},
        {"type": "integer", "minimum": 1, "maximum": 5, "description": "One of 1, 5."},
        ("an enum of numbers",),
    ),
    ({"enum": ["a", 1]}, ANY, ("an enum of different kinds", "values of any kind")),
    ({"enum": ["", "a"]}, {"type": "string", "enum": ["a"]}, ("an empty text in an enum",)),
    ({"const": True}, {"type": "boolean"}, ("an enum of booleans",)),
    ({**POINT, "required": ["x", "z"]}, POINT, ("required properties that are not described",)),
    ({**POINT, "patternProperties": {"^a": TEXT}}, POINT, ("patternProperties",)),
    ({**POINT, "additionalProperties": TEXT}, POINT, ("additionalProperties",)),
    ({**POINT, "dependentRequired": {"x": ["y"]}}, POINT, ("dependentRequired",)),
    ({**POINT, "if": {"required": ["y"]}, "then": {}}, POINT, ("if",)),
    ({"type": "array"}, {"type": "array", "items": ANY}, ("values of any kind",)),
    ({"type": "array", "items": {}}, {"type": "array", "items": ANY}, ("values of any kind",)),
    ({"prefixItems": [TEXT, TEXT]}, {"type": "array", "items": TEXT}, ("the order of prefixItems",)),
    ({}, ANY, ("values of any kind",)),
    (True, ANY, ("values of any kind",)),
    # Asked for as JSON in a text.
    ({"type": "object"}, json_text(), (FREE,)),
    ({"type": "object", "description": "Any."}, json_text("Any. JSON as text."), (FREE,)),
    (
        {"type": "object", "properties": {}},
        json_text('JSON as text, by this JSON Schema: {"type":"object","properties":{}}'),
        (FREE,),
    ),
    (
        {"type": "object", "additionalProperties": {"type": "integer"}},
        json_text('JSON as text, by this JSON Schema: {"type":"object","additionalProperties":{"type":"integer"}}'),
        (FREE,),
    ),
    ({"type": ["object", "null"]}, {**json_text(), "nullable": True}, (FREE,)),
    ({"type": "array", "items": {"type": "object"}}, {"type": "array", "items": json_text()}, (FREE,)),
    ({"anyOf": [TEXT, {"type": "object"}]}, {"anyOf": [TEXT, json_text()]}, (FREE,)),
    (
        {"$ref": "#/$defs/tree"},
        {"type": "object", "properties": {"v": TEXT, "in": {"type": "array", "items": json_text()}}},
        (CIRCULAR,),
    ),
    (
        {"$ref": "#/$defs/list"},
        {"type": "object", "properties": {"v": TEXT, "next": {**json_text(), "nullable": True}}},
        (CIRCULAR,),
    ),
    ({"$ref": "#"}, json_text(), (CIRCULAR,)),
]  # fmt: skip
"""Schemas of a property, what is declared instead, and what that leaves out."""

DEFS: Any = {
    "point": POINT,
    "tree": {
        "type": "object",
        "properties": {"v": TEXT, "in": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
    },
    "list": {
        "type": "object",
        "properties": {"v": TEXT, "next": {"anyOf": [{"$ref": "#/$defs/list"}, {"type": "null"}]}},
    },
}


@pytest.mark.parametrize(
    ("schema", "simple", "left_out"), [*((schema, schema, ()) for schema in SAME), *OTHER], ids=json.dumps
)
def test_a_parameter_is_declared_as_it_is_or_as_reported(schema: Any, simple: Any, left_out: tuple[str, ...]) -> None:
    """Upstream gets what the client wrote, or what the report says of it, and accepts it."""
    declaration = declared({"type": "object", "properties": {"p": schema}, "required": ["p"], "$defs": DEFS})
    (got,) = received(declaration)

    assert got["parameters"] == {"type": "object", "properties": {"p": simple}, "required": ["p"]}
    assert declaration.left_out == left_out


def test_the_table_is_long() -> None:
    """As many schemas as the tools of real clients have kinds of."""
    assert len(SAME) + len(OTHER) >= 60


@pytest.mark.parametrize(
    ("schema", "left_out"),
    [
        ({}, ()),
        ({"type": "object"}, ()),
        ({"type": "object", "properties": {}, "additionalProperties": False}, ()),
        ({"type": "object", "additionalProperties": True}, ("parameters that it doesn't describe",)),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}, ("parameters that it doesn't describe",)),
    ],
)
def test_a_function_without_parameters(schema: Any, left_out: tuple[str, ...]) -> None:
    """It has no schema at all: upstream refuses that of an object without properties."""
    declaration = declared(schema)

    assert received(declaration) == [{"name": "f", "description": "d"}]
    assert declaration.left_out == left_out
    assert declaration.restore({}) == {}


def test_a_choice_between_parameter_lists_becomes_one() -> None:
    """It has what any of them has and requires what all require: upstream takes an object only."""
    schema: Any = {
        "description": "Where.",
        "anyOf": [
            {"type": "object", "properties": {"city": TEXT, "unit": TEXT}, "required": ["city", "unit"]},
            {"type": "object", "properties": {"zip": TEXT, "unit": {"type": "integer"}}, "required": ["unit"]},
        ],
    }
    declaration = declared(schema)

    assert received(declaration)[0]["parameters"] == {
        "type": "object",
        "description": "Where.",
        "properties": {"city": TEXT, "unit": {"anyOf": [TEXT, {"type": "integer"}]}, "zip": TEXT},
        "required": ["unit"],
    }
    assert declaration.left_out == ("a choice between parameter lists",)


@pytest.mark.parametrize("schema", [TEXT, {"type": "array", "items": TEXT}, {"anyOf": [POINT, TEXT]}])
def test_parameters_that_are_no_object_are_refused(schema: Any) -> None:
    """There is no way to call such a function."""
    with pytest.raises(WireError, match="must be an object"):
        declared(schema)


@pytest.mark.parametrize(("name", "sent"), [("f", "f"), ("_f", "_f"), ("1st", "_1st"), ("-" * 64, "_" + "-" * 63)])
def test_a_name_begins_with_a_letter_or_an_underscore(name: str, sent: str) -> None:
    """OpenAI's needn't."""
    assert received(declare(FunctionDeclaration(name=name)))[0]["name"] == sent


PARAMETERS: Any = {
    "type": "object",
    "$defs": DEFS,
    "properties": {
        "free": {"type": "object"},
        "list": {"type": "array", "items": {"type": "object"}},
        "in": {"type": "object", "properties": {"tree": {"$ref": "#/$defs/tree"}}},
        "text": TEXT,
        "either": {"anyOf": [TEXT, {"type": "object"}]},
        "free or count": {"anyOf": [{"type": "integer"}, {"type": "object"}]},
        "count": {"type": "integer"},
        "share": {"type": "number"},
        "sure": {"type": "boolean"},
        "one or some": {"anyOf": [POINT, {"type": "array", "items": {"type": "object"}}]},
    },
}


ARGUMENTS: list[tuple[Any, Any]] = [
    ({"free": '{"a": [1, null]}'}, {"free": {"a": [1, None]}}),
    ({"free": "[1]"}, {"free": [1]}),
    ({"free": "not JSON"}, {"free": "not JSON"}),
    ({"free": "7"}, {"free": "7"}),
    ({"free": {"a": 1}}, {"free": {"a": 1}}),
    ({"list": ["{}", '{"a":1}']}, {"list": [{}, {"a": 1}]}),
    (
        {"in": {"tree": {"v": "{}", "in": ['{"v": "b", "in": []}']}}},
        {"in": {"tree": {"v": "{}", "in": [{"v": "b", "in": []}]}}},
    ),
    ({"text": '{"a": 1}', "strange": "{}"}, {"text": '{"a": 1}', "strange": "{}"}),
    ({"either": '{"a": 1}'}, {"either": '{"a": 1}'}),
    ({"free or count": '{"a": 1}'}, {"free or count": {"a": 1}}),
    ({"free or count": 1}, {"free or count": 1}),
    ({"one or some": {"x": 1}}, {"one or some": {"x": 1}}),
    ({"one or some": ["{}"]}, {"one or some": [{}]}),
    ({"one or some": None}, {"one or some": None}),
    ({"count": "-7"}, {"count": -7}),
    ({"count": "7.0"}, {"count": 7}),
    ({"count": 7.0}, {"count": 7}),
    ({"count": "7.5"}, {"count": "7.5"}),
    ({"count": 7.5}, {"count": 7.5}),
    ({"count": "007"}, {"count": "007"}),
    ({"count": "1" * 99}, {"count": "1" * 99}),
    ({"count": True}, {"count": True}),
    ({"share": "0.25"}, {"share": 0.25}),
    ({"share": "much"}, {"share": "much"}),
    ({"sure": "true"}, {"sure": True}),
    ({"sure": "yes"}, {"sure": "yes"}),
    ({"text": 7}, {"text": "7"}),
    ({"text": 7.5}, {"text": "7.5"}),
    ({"text": False}, {"text": "false"}),
    ({"text": None}, {"text": None}),
    ({"free": 7}, {"free": 7}),
]
"""What the model writes, and what it means."""


@pytest.mark.parametrize(("sent", "meant"), ARGUMENTS)
def test_arguments_come_back_as_the_client_declared_them(sent: Any, meant: Any) -> None:
    """A text that holds JSON is replaced where one was asked for, and a scalar of another type where it can be."""
    assert encode(declared(PARAMETERS).restore(sent)) == encode(meant)


def test_names_of_properties_are_no_words() -> None:
    """A property may be called like the mark of a text that holds JSON."""
    schema: Any = {"type": "object", "properties": {AS_TEXT: TEXT, "properties": TEXT}}

    assert declared(schema).restore({AS_TEXT: "{}", "properties": "{}"}) == {AS_TEXT: "{}", "properties": "{}"}


@given(schema=st.dictionaries(WORDS, VALUES, max_size=5), name=st.sampled_from(["p", "type"]))
def test_any_declaration_is_accepted(schema: dict[str, Any], name: str) -> None:
    """Whatever a client writes: upstream accepts what is declared, which is the original or told to be less."""
    try:
        declaration = declared({"type": "object", "properties": {name: schema}})
    except WireError:
        assume(False)
        return

    (got,) = received(declaration)
    simplified = simplify_schema({"type": "object", "properties": {name: schema}}, as_text=True)
    assert got["parameters"] == _without(simplified.schema, AS_TEXT)
    assert declaration.left_out == simplified.left_out
    if not declaration.left_out:
        assert simplify_schema(schema).left_out == ()
