from typing import Any

import pytest

from studiogate.errors import InvalidRequest
from studiogate.params import ResponseFormat

from .test_openai_request import parsed

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("text", None),
        ({"type": "text"}, None),
        ("json_object", ResponseFormat()),
        ({"type": "json_object"}, ResponseFormat()),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
            ResponseFormat(schema=SCHEMA, name="n", strict=True),
        ),
        (
            {"type": "json_schema", "json_schema": {"schema": {}, "strict": None, "description": "d"}},
            ResponseFormat(schema={}, description="d"),
        ),
        ({"type": "json_schema", "name": "n", "schema": SCHEMA}, ResponseFormat(schema=SCHEMA, name="n")),
    ],
)
def test_every_form_is_read(value: Any, expected: ResponseFormat | None) -> None:
    """OpenAI's object, the guide's mere string, and the newer API's flat object."""
    assert parsed(response_format=value).params.response_format == expected


@pytest.mark.parametrize(
    ("value", "place", "message"),
    [
        (1, "", "must be an object with a type, not 1"),
        ("json", "", "must be an object with a type, not a string"),
        ("json_schema", "", "must be an object with a type, not a string"),
        ({}, ".type", "must be one of text, json_object, json_schema"),
        ({"type": ["text"]}, ".type", "must be one of text, json_object, json_schema"),
        ({"type": "xml"}, ".type", "must be one of text, json_object, json_schema"),
        ({"type": "json_schema"}, ".json_schema", "is required"),
        ({"type": "json_schema", "json_schema": None}, ".json_schema", "must be an object, not null"),
        ({"type": "json_schema", "json_schema": {"name": "n"}}, ".json_schema.schema", "is required"),
        ({"type": "json_schema", "json_schema": {"schema": "x"}}, ".json_schema.schema", "must be an object"),
        ({"type": "json_schema", "json_schema": {"schema": {}, "name": 1}}, ".json_schema.name", "must be a string"),
        ({"type": "json_schema", "schema": []}, ".schema", "must be an object, not a list"),
    ],
)
def test_a_wrong_format_is_refused_by_its_place(value: Any, place: str, message: str) -> None:
    """A schema that is missing or no schema isn't taken for none."""
    with pytest.raises(InvalidRequest, match=message) as refusal:
        parsed(response_format=value)

    assert refusal.value.param == f"response_format{place}"
