"""What of a schema the page's editors take."""

from typing import Any

import pytest

from studiogate_studio.controls.dialog_schema import CHOICES, dialog_schema, first_choices
from studiogate_studio.wire import WireError
from studiogate_studio.wire.simplify import AS_TEXT

TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "number"}


def an_object(**properties: Any) -> dict[str, Any]:
    """Return a schema of an object with these properties."""
    return {"type": "object", "properties": properties}


def test_a_schema_without_choices_is_as_the_wire_has_it() -> None:
    """Nothing more is lost than on the wire."""
    schema: dict[str, Any] = {
        **an_object(a={**TEXT, "enum": ["x", "y"], "nullable": True}, b={"type": "array", "items": NUMBER}),
        "required": ["a"],
    }

    fitted = dialog_schema({**schema, "$schema": "x", "additionalProperties": False})

    assert (fitted.schema, fitted.left_out) == (schema, ())
    assert dialog_schema(an_object(a={**TEXT, "not": {"const": ""}})).left_out == ("not",)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"anyOf": [TEXT, NUMBER]}, TEXT),
        ({"oneOf": [NUMBER, TEXT], "description": "One."}, {**NUMBER, "description": "One."}),
        ({"type": ["string", "number", "null"]}, {**TEXT, "nullable": True}),
        (
            {"type": "array", "items": {"anyOf": [an_object(c=TEXT), TEXT]}},
            {"type": "array", "items": an_object(c=TEXT)},
        ),
        ({"anyOf": [{"anyOf": [NUMBER, TEXT]}, TEXT]}, NUMBER),
        (an_object(d={"anyOf": [TEXT, NUMBER]}), an_object(d=TEXT)),
    ],
)
def test_of_a_choice_the_first_stands(given: dict[str, Any], taken: dict[str, Any]) -> None:
    """Wherever it is in the schema; that is told once."""
    fitted = dialog_schema(an_object(a=given, b=given))

    assert fitted.schema == an_object(a=taken, b=taken)
    assert [lost for lost in fitted.left_out if "anyOf" not in lost] == [CHOICES]


def test_texts_that_hold_json_are_texts() -> None:
    """The mark by which arguments are put right is none of the page's words; a property may be called like it."""
    marked: dict[str, Any] = {**TEXT, AS_TEXT: "application/json"}
    schema = an_object(a=marked, b={"type": "array", "items": marked}, c={"anyOf": [marked, NUMBER]}, **{AS_TEXT: TEXT})

    fitted = first_choices(schema, ("x",))

    assert fitted.schema == an_object(a=TEXT, b={"type": "array", "items": TEXT}, c=TEXT, **{AS_TEXT: TEXT})
    assert fitted.left_out == ("x", CHOICES)


def test_what_cannot_be_described_is_refused() -> None:
    """As for the wire."""
    with pytest.raises(WireError, match="without properties"):
        dialog_schema(an_object())
