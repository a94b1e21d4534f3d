"""`response_format`: whether the answer is to be JSON, and by which schema."""

from typing import Annotated, Any, cast

import attrs

from studiogate.openai.shape import CONVERTER, Shape, one_of, ref
from studiogate.params import ResponseFormat
from studiogate.strict import WrongValue, shown

_PLAIN = ("text", "json_object")
"""Formats without a schema; also written as a mere string."""


@attrs.frozen
class JsonSchema:
    """Hold the schema of an answer."""

    schema: dict[str, Any]
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


@attrs.frozen
class JsonSchemaFormat:
    """Hold a format as the chat API writes it."""

    json_schema: JsonSchema


def _read(value: object) -> ResponseFormat | None:
    if isinstance(value, str) and value in _PLAIN:
        return _plain(value)
    if not isinstance(value, dict):
        raise TypeError(f"must be an object with a type, not {shown(value)}")
    fields = cast("dict[str, object]", value)
    kind = fields.get("type")
    if isinstance(kind, str) and kind in _PLAIN:
        return _plain(kind)
    if kind != "json_schema":
        raise WrongValue("type", f"must be one of {', '.join((*_PLAIN, 'json_schema'))}")
    # The newer API writes the schema beside the type, without an object around it.
    flat = "json_schema" not in fields and "schema" in fields
    schema = (
        CONVERTER.structure(fields, JsonSchema) if flat else CONVERTER.structure(fields, JsonSchemaFormat).json_schema
    )
    return ResponseFormat(schema=schema.schema, name=schema.name, description=schema.description, strict=schema.strict)


def _plain(kind: str) -> ResponseFormat | None:
    return None if kind == "text" else ResponseFormat()


def _object(kind: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"type": kind}, "required": ["type"], **more}


Format = Annotated[
    ResponseFormat | None,
    Shape(
        _read,
        {
            "anyOf": [
                {"type": "string", "enum": list(_PLAIN)},
                _object(dict(one_of(*_PLAIN).schema)),
                _object({"const": "json_schema"}, allOf=[ref("JsonSchemaFormat")]),
                _object(
                    {"const": "json_schema"},
                    allOf=[ref("JsonSchema")],
                    **{"not": {"required": ["json_schema"]}},
                ),
            ]
        },
    ),
]
"""A `response_format`; None for plain text."""
