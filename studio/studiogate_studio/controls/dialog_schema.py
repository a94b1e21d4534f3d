"""Schemas as the page's editors take them: what `simplify_schema` leaves, without choices.

The editors refuse `anyOf`, which the wire takes. Of a choice the first one stands, as what the schema's author names
first is what is mostly meant; whatever follows it follows the whole.
"""

import attrs

from studiogate_studio.wire import Json, simplify_schema
from studiogate_studio.wire.simplify import AS_TEXT, Schema

CHOICES = "choices but the first"
"""What is lost of a choice, in words."""


@attrs.frozen(kw_only=True)
class DialogSchema:
    """A schema that an editor takes, and what it lost."""

    schema: dict[str, Json]
    left_out: tuple[str, ...]


def dialog_schema(schema: Schema) -> DialogSchema:
    """Return a schema as an editor takes it.

    :raises WireError: nothing simple comes near it; see `simplify_schema`.
    """
    simplified = simplify_schema(schema)
    return first_choices(simplified.schema, simplified.left_out)


def first_choices(schema: dict[str, Json], left_out: tuple[str, ...]) -> DialogSchema:
    """Return a simplified schema without choices, and without the mark of texts that hold JSON.

    :param left_out: what the simplification lost.
    """
    unmarked = _without_mark(schema)
    chosen = _chosen(unmarked)
    return DialogSchema(schema=chosen, left_out=left_out if chosen == unmarked else (*left_out, CHOICES))


def _without_mark(schema: dict[str, Json]) -> dict[str, Json]:
    plain = {word: value for word, value in schema.items() if word != AS_TEXT}
    if isinstance(items := plain.get("items"), dict):
        plain["items"] = _without_mark(items)
    if isinstance(choices := plain.get("anyOf"), list):
        plain["anyOf"] = [_without_mark(choice) if isinstance(choice, dict) else choice for choice in choices]
    if isinstance(properties := plain.get("properties"), dict):
        plain["properties"] = {
            name: _without_mark(child) if isinstance(child, dict) else child for name, child in properties.items()
        }
    return plain


def _chosen(schema: dict[str, Json]) -> dict[str, Json]:
    choices = schema.get("anyOf")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return _chosen({**choices[0], **{word: value for word, value in schema.items() if word != "anyOf"}})
    chosen = dict(schema)
    if isinstance(items := schema.get("items"), dict):
        chosen["items"] = _chosen(items)
    if isinstance(properties := schema.get("properties"), dict):
        chosen["properties"] = {
            name: _chosen(child) if isinstance(child, dict) else child for name, child in properties.items()
        }
    return chosen
