"""Decode the JSPB Schema message to the JSON schema it stands for, so that logs can be read and compared."""

from typing import Final

from studiogate_simulator.jspb import Json, at, items

_TYPES: Final = {1: "string", 2: "number", 3: "integer", 4: "boolean", 5: "array", 6: "object"}
_PLAIN: Final = {
    1: "format",
    2: "description",
    3: "nullable",
    4: "enum",
    7: "required",
    8: "minProperties",
    9: "maxProperties",
    10: "minimum",
    11: "maximum",
    12: "minLength",
    13: "maxLength",
    14: "pattern",
    15: "example",
    20: "maxItems",
    21: "minItems",
    22: "propertyOrdering",
}
_LISTS: Final = {16: "oneOf", 17: "anyOf", 18: "allOf"}


def decode_schema(schema: Json) -> Json:
    """Decode a Schema; null for anything that is not a message."""
    if not isinstance(schema, list):
        return None
    decoded: dict[str, Json] = {}
    kind = at(schema, 0)
    if isinstance(kind, int) and kind:
        decoded["type"] = _TYPES.get(kind, kind)
    decoded |= {name: schema[index] for index, name in _PLAIN.items() if at(schema, index) is not None}
    if "nullable" in decoded:
        decoded["nullable"] = bool(decoded["nullable"])
    if at(schema, 5) is not None:
        decoded["items"] = decode_schema(at(schema, 5))
    if at(schema, 6) is not None:
        decoded["properties"] = _properties(at(schema, 6))
    decoded |= {
        name: [decode_schema(entry) for entry in items(at(schema, index))]
        for index, name in _LISTS.items()
        if at(schema, index) is not None
    }
    if at(schema, 19) is not None:
        decoded["not"] = decode_schema(at(schema, 19))
    return decoded


def _properties(entries: Json) -> dict[str, Json]:
    return {str(at(entry, 0)): decode_schema(at(entry, 1)) for entry in items(entries)}
