import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from jsonschema import Draft202012Validator

from studiogate.events import TextDelta
from studiogate.params import Params
from studiogate.strict_calls import Differs, Endless, fit, report_unchecked
from studiogate.tools import FunctionDeclaration

from .backends import CALLED, STOP, Playing, backend, call, serving, sse

OPEN: Any = {"type": ["string", "null"]}
STRICT: Any = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer", "minimum": 1, "maximum": 9},
        "unit": {"enum": ["c", "f", None]},
        "near": {"anyOf": [{"$ref": "#/$defs/place"}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
    },
    "required": ["city", "days", "unit", "near", "tags"],
    "additionalProperties": False,
    "$defs": {
        "place": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "note": OPEN},
            "required": ["name", "note"],
            "additionalProperties": False,
        }
    },
}
ROME: Any = {"city": "Rome", "days": 3, "unit": "c", "near": {"name": "Ostia", "note": "sea"}, "tags": ["a"]}


def test_what_follows_is_left_as_it_is() -> None:
    """The very same object."""
    assert fit(ROME, STRICT) is ROME


def test_what_may_be_null_and_was_left_out_is_put_in() -> None:
    """At any depth: strict schemas write optional properties so, and models leave them out."""
    told: Any = {"city": "Rome", "days": 3, "near": {"name": "Ostia"}, "tags": []}

    assert fit(told, STRICT) == {**told, "unit": None, "near": {"name": "Ostia", "note": None}}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"city": 1}, "city: must be string"),
        ({"days": "3"}, "days: must be integer"),
        ({"days": True}, "days: must be integer"),
        ({"days": 10}, "days: breaks its maximum"),
        ({"unit": "k"}, "unit: none of the values of its enum"),
        ({"near": {"note": None}}, "near: none of the choices"),
        ({"near": {"name": "x", "note": None, "more": 1}}, "near: none of the choices"),
        ({"tags": ["a", 1]}, "tags[1]: must be string"),
        ({"tags": ["a", "b", "c"]}, "tags: breaks its maxItems"),
        ({"secret words": 1}, "secret words: nothing is allowed here"),
        ({"city": None}, "city: must be string"),
    ],
)
def test_what_differs_is_told_by_its_place(change: dict[str, Any], why: str) -> None:
    """And by what was wanted, without the value."""
    with pytest.raises(Differs) as caught:
        fit({**ROME, **change}, STRICT)

    assert str(caught.value) == why


def test_what_must_be_there_is_missed() -> None:
    """Unless it may be null."""
    with pytest.raises(Differs, match="days: is required"):
        fit({name: value for name, value in ROME.items() if name != "days"}, STRICT)


def test_a_schema_that_never_ends_is_given_up() -> None:
    """It may be anybody's."""
    bomb: Any = {"$defs": {"0": {"type": "null"}}, "$ref": "#/$defs/30"}
    for number in range(30):
        choice = {"$ref": f"#/$defs/{number}"}
        bomb["$defs"][str(number + 1)] = {"anyOf": [choice, choice]}

    with pytest.raises(Endless):
        fit(1, bomb)
    with pytest.raises(RecursionError):
        fit(1, {"$ref": "#"})


SCALARS: Any = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0]) | st.text("ab", max_size=3)
NAMES = st.sampled_from("ab")
VALUES: Any = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=2), max_leaves=6
)
KINDS = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
WORDS: dict[str, Any] = {
    "type": KINDS | st.lists(KINDS, min_size=1, max_size=3, unique=True),
    "enum": st.lists(SCALARS, min_size=1, max_size=3),
    "const": SCALARS,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), st.integers(-2, 2)),
    "multipleOf": st.sampled_from([1, 2, 0.5]),
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), st.integers(0, 2)
    ),
    "required": st.lists(NAMES, max_size=2, unique=True),
    "$ref": st.just("#/$defs/a"),
}
SCHEMAS: Any = st.recursive(
    st.booleans() | st.fixed_dictionaries({}, optional=WORDS),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            **WORDS,
            "properties": st.dictionaries(NAMES, inner, max_size=2),
            "additionalProperties": inner,
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=3),
            "allOf": st.lists(inner, min_size=1, max_size=2),
        },
    ),
    max_leaves=5,
)


@settings(max_examples=200)
@given(value=VALUES, schema=SCHEMAS, named=st.sampled_from([{"type": "string"}, {"maxLength": 1}, True]))
def test_it_is_json_schema(value: Any, schema: Any, named: Any) -> None:
    """What follows a schema does so by the library that knows, as it is or put right; what doesn't, not."""
    if schema not in (True, False):
        schema["$defs"] = {"a": named}
    known: Any = Draft202012Validator(schema)
    try:
        fitted = fit(value, schema)
    except Differs:
        assert not known.is_valid(value)
        return

    assert known.is_valid(fitted)


def test_what_is_not_looked_at_is_reported() -> None:
    """By the function and its words; names of properties are none, and who isn't strict isn't told."""
    schema: Any = {
        "properties": {"pattern": {"type": "string", "pattern": "^a", "format": "date"}, "x": {"$ref": "#/nowhere"}}
    }
    functions = [
        FunctionDeclaration(name="f", parameters=schema, strict=True),
        FunctionDeclaration(name="g", parameters=schema),
        FunctionDeclaration(name="h", parameters=STRICT, strict=True),
    ]

    assert report_unchecked(Params(), functions).ignored == {"strict": "f is not held to $ref, format, pattern"}
    assert report_unchecked(Params(), functions[1:]) == Params()


TOOL = {"type": "function", "function": {"name": "look", "parameters": STRICT, "strict": True}}
LOOSE = {"type": "function", "function": {"name": "look", "parameters": STRICT, "strict": False}}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_strict_call_follows_its_schema_or_is_an_error(*, stream: bool) -> None:
    """Whichever backend it comes from; a call of a function that isn't strict is the model's own."""
    right: dict[str, Any] = {**ROME, "near": None}
    short: dict[str, Any] = {name: ROME[name] for name in ("city", "days", "unit", "tags")}
    wrong: dict[str, Any] = {**ROME, "days": "secret"}
    model = Playing([[call("look", **told), CALLED] for told in (right, short, wrong, wrong)])
    async with serving({"a": backend(model, "test-model")}) as served:
        answers = [await served.chat(tools=[tool], stream=stream) for tool in (TOOL, TOOL, TOOL, LOOSE)]

    assert [answer.status_code for answer in answers] == [200, 200, 502, 200]
    said = [json.loads(_arguments(answers[number].text, stream=stream)) for number in (0, 1, 3)]
    assert said == [right, right, wrong]
    assert "look with arguments that don't follow its schema (days: must be integer)" in answers[2].text
    assert "secret" not in answers[2].text
    assert "a=failed" in answers[2].headers["x-studiogate-attempts"]


async def test_a_wrong_call_after_text_ends_the_stream_with_an_error() -> None:
    """Part of the answer is out by then, and nobody takes it for whole."""
    model = Playing([[TextDelta(text="Well."), call("look"), STOP]])
    async with serving({"a": backend(model, "test-model")}) as served:
        answer = await served.chat(tools=[TOOL], stream=True)

    assert answer.status_code == 200
    assert "[DONE]" not in answer.text
    assert "don't follow its schema" in answer.text


async def test_what_strict_is_not_held_to_is_in_the_header() -> None:
    """Beside what else is."""
    model = Playing([[STOP]])
    odd = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^a"}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": odd, "strict": True}}
    async with serving({"a": backend(model, "test-model")}) as served:
        answer = await served.chat(tools=[tool])

    assert answer.headers["x-studiogate-ignored"] == "strict: f is not held to pattern"


def _arguments(body: str, *, stream: bool) -> str:
    if not stream:
        (told,) = json.loads(body)["choices"][0]["message"]["tool_calls"]
        arguments: str = told["function"]["arguments"]
        return arguments
    deltas = [chunk["choices"][0]["delta"] for chunk in sse(body)[:-1]]
    calls = [each for delta in deltas for each in delta.get("tool_calls", ())]
    return "".join(each["function"].get("arguments") or "" for each in calls)
