"""JSON Schema as the page's `Schema` message, for the parameters of functions and the form of an answer.

The slots are those of the public proto; what has none is simplified away (`simplify.py`).
"""

from collections.abc import Mapping
from enum import IntEnum

from studiogate_studio.wire.jspb import Json
from studiogate_studio.wire.simplify import simplify_schema

_TYPES = {"string": 1, "number": 2, "integer": 3, "boolean": 4, "array": 5, "object": 6}


class Slot(IntEnum):
    """The indices of a Schema message."""

    TYPE = 0
    FORMAT = 1
    DESCRIPTION = 2
    NULLABLE = 3
    ENUM = 4
    ITEMS = 5
    PROPERTIES = 6
    REQUIRED = 7
    MIN_PROPERTIES = 8
    MAX_PROPERTIES = 9
    MINIMUM = 10
    MAXIMUM = 11
    MIN_LENGTH = 12
    MAX_LENGTH = 13
    PATTERN = 14
    ANY_OF = 17
    MAX_ITEMS = 20
    MIN_ITEMS = 21
    PROPERTY_ORDERING = 22


_PLAIN = {
    "format": Slot.FORMAT,
    "description": Slot.DESCRIPTION,
    "enum": Slot.ENUM,
    "required": Slot.REQUIRED,
    "minProperties": Slot.MIN_PROPERTIES,
    "maxProperties": Slot.MAX_PROPERTIES,
    "minimum": Slot.MINIMUM,
    "maximum": Slot.MAXIMUM,
    "minLength": Slot.MIN_LENGTH,
    "maxLength": Slot.MAX_LENGTH,
    "pattern": Slot.PATTERN,
    "maxItems": Slot.MAX_ITEMS,
    "minItems": Slot.MIN_ITEMS,
}
"""Words whose value goes into a slot as it is."""


def encode_schema(schema: Mapping[str, Json]) -> list[Json]:
    """Return a JSON Schema as a Schema message, simplified.

    Raises `WireError` where `simplify_schema` does; ask that one for what gets lost.
    """
    return encode_simple(simplify_schema(schema).schema)


def encode_simple(schema: Json) -> list[Json]:
    """Return a schema that is simplified already as a Schema message."""
    words = schema if isinstance(schema, dict) else {}
    slots: dict[int, Json] = {slot: words[word] for word, slot in _PLAIN.items() if word in words}
    if isinstance(kind := words.get("type"), str):
        slots[Slot.TYPE] = _TYPES[kind]
    if words.get("nullable"):
        slots[Slot.NULLABLE] = 1
    if "items" in words:
        slots[Slot.ITEMS] = encode_simple(words["items"])
    if isinstance(properties := words.get("properties"), dict):
        slots[Slot.PROPERTIES] = [[name, encode_simple(child)] for name, child in properties.items()]
        slots[Slot.PROPERTY_ORDERING] = list(properties)
    if isinstance(choices := words.get("anyOf"), list):
        slots[Slot.ANY_OF] = [encode_simple(choice) for choice in choices]
    return [slots.get(index) for index in range(max(slots, default=-1) + 1)]
