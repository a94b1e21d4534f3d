"""docs/api.md keeps up with the API: every field, endpoint, status and limit that it has."""

import json
import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from studiogate.errors import ERRORS, InvalidRequest, error_response
from studiogate.openai.content import REFERENCE_TYPES, TEXT_TYPES, Attachments
from studiogate.openai.document import MAX_DEPTH
from studiogate.openai.fields import ChatFields
from studiogate.openai.messages import ROLES, ChatMessage
from studiogate.openai.request import PROBLEMS_SHOWN
from studiogate.params import STOP_LIMIT
from studiogate.web.openapi import openapi

from .test_openai_request import parsed

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> set[str]:
    """Return the code words in the first column of the tables under a heading, up to the next heading."""
    section = re.split(r"^#+ ", PAGE.partition(heading)[2], maxsplit=1, flags=re.MULTILINE)[0]
    cells = re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def test_every_field_of_a_request_has_a_row() -> None:
    """And no row is about a field that isn't."""
    assert first_cells("## Request\n") == {field.name for field in attrs.fields(ChatFields)}


def test_every_field_of_a_message_has_a_row() -> None:
    """With the item types in the table below it."""
    fields = {field.name for field in attrs.fields(ChatMessage)}

    assert first_cells("### Messages\n") == {*fields, "type", *TEXT_TYPES, "refusal", *REFERENCE_TYPES}
    assert {field.name for field in attrs.fields(Attachments)} < fields
    assert all(f"`{role}`" in PAGE for role in ROLES)


def test_every_endpoint_has_a_row() -> None:
    """As `/openapi.json` has them."""
    paths = openapi([], key_required=False)["paths"]

    assert first_cells("# The API\n") == {f"{method.upper()} {path}" for path, item in paths.items() for method in item}


def test_every_error_has_a_row() -> None:
    """With its type and code."""
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \| (?:`(\w+)`[^|]*)?\|", PAGE, flags=re.MULTILINE)

    assert rows == [(str(status), kind.type, kind.default_code or "") for status, kind in ERRORS.items()]


def test_limits_are_the_real_ones() -> None:
    """Numbers in the text are those in the code."""
    assert f"{MAX_DEPTH} levels deep" in PAGE
    assert f"list of at most {STOP_LIMIT}" in PAGE
    assert f"at most\n{PROBLEMS_SHOWN} in full" in PAGE


def test_the_forms_of_an_attachment_mean_the_same() -> None:
    """The examples are parsed as they stand."""
    block = re.findall(r"```json\n(.*?)```", PAGE.partition("### Attachments")[2], flags=re.DOTALL)[0]
    decoder, messages, rest = json.JSONDecoder(), list[Any](), block.strip()
    while rest:
        message, end = decoder.raw_decode(rest)
        messages.append(message)
        rest = rest[end:].strip()
    read = parsed(messages=messages).messages

    assert len({(message.text, ref.source, ref.detail) for message in read for ref in message.attachments}) == 1
    assert len(read) == 3


def test_a_schema_is_asked_for_as_shown() -> None:
    """The example names its schema, and both forms of it are the same."""
    block = re.findall(r"```json\n(.*?)```", PAGE.partition("### JSON answers")[2], flags=re.DOTALL)[0]
    shown = json.loads(block)
    flat = {"type": "json_schema", **shown["json_schema"]}

    assert parsed(response_format=shown).params == parsed(response_format=flat).params
    assert parsed(response_format=shown).params.response_format


def test_the_error_shown_is_the_real_one() -> None:
    """Message and param of the example are what the parser says."""
    with pytest.raises(InvalidRequest) as refusal:
        parsed(temperature=2.1)
    block = re.findall(r"```json\n(.*?)```", PAGE.partition("## Errors")[2], flags=re.DOTALL)[0]

    assert json.loads(block) == error_response(refusal.value).body
