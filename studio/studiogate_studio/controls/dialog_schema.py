"""Schemas as the page's editors take them: what `simplify_schema` leaves, without choices.

The editors refuse `anyOf`, which the wire takes. Of a choice the first one stands, as what the schema's author names
first is what is mostly meant; whatever follows it follows the whole.
"""

import attrs

from studiogate_studio.wire import Json, simplify_schema
from studiogate_studio.wire.simplify import Schema

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
    chosen = _chosen(simplified.schema)
    lost = () if chosen == simplified.schema else (CHOICES,)
    return DialogSchema(schema=chosen, left_out=(*simplified.left_out, *lost))


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
