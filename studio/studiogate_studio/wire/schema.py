"""JSON Schema as the page's `Schema` message.

The message has fewer words than JSON Schema: what it has no slot for (`additionalProperties`, `default`, `$comment`) is
left out, `$ref` into the schema itself is written out in place, `const` is an enum of one, a type list with `null` is
`nullable`. Slots are those of the public proto.
"""

from collections.abc import Mapping
from enum import IntEnum

from studiogate_studio.wire.errors import WireError
from studiogate_studio.wire.jspb import Json

_TYPES = {"string": 1, "number": 2, "integer": 3, "boolean": 4, "array": 5, "object": 6}
_MAX_DEPTH = 32


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
    ANY_OF = 17
    PROPERTY_ORDERING = 22


_PLAIN = {
    "format": Slot.FORMAT,
    "description": Slot.DESCRIPTION,
    "required": Slot.REQUIRED,
    "minProperties": 8,
    "maxProperties": 9,
    "minimum": 10,
    "maximum": 11,
    "minLength": 12,
    "maxLength": 13,
    "pattern": 14,
    "maxItems": 20,
    "minItems": 21,
}
"""Keywords whose value goes into a slot as it is."""


def encode_schema(schema: Mapping[str, Json]) -> list[Json]:
    """Return a JSON Schema as a Schema message.

    Raises `WireError` for a reference that leads nowhere, or a schema that is recursive or too deep to write out.
    """
    return _Encoder(schema).encode(schema, 0)


class _Encoder:
    def __init__(self, root: Mapping[str, Json]) -> None:
        self._root = root

    def encode(self, schema: Json | Mapping[str, Json], depth: int) -> list[Json]:
        if depth > _MAX_DEPTH:
            raise WireError(f"A function's parameters are recursive, or nested deeper than {_MAX_DEPTH} levels.")
        if not isinstance(schema, Mapping):
            return []
        if isinstance(reference := schema.get("$ref"), str):
            return self.encode({**self._resolve(reference), **_without(schema, "$ref")}, depth + 1)
        slots: dict[int, Json] = {slot: schema[key] for key, slot in _PLAIN.items() if key in schema}
        slots |= _type(schema) | self._children(schema, depth + 1)
        message: list[Json] = [None] * (max(slots, default=-1) + 1)
        for slot, value in slots.items():
            message[slot] = value
        return message

    def _children(self, schema: Mapping[str, Json], depth: int) -> dict[int, Json]:
        slots: dict[int, Json] = {}
        properties, choices = schema.get("properties"), schema.get("anyOf", schema.get("oneOf"))
        if isinstance(properties, dict):
            slots[Slot.TYPE] = _TYPES["object"]
            slots[Slot.PROPERTIES] = [[name, self.encode(child, depth)] for name, child in properties.items()]
            slots[Slot.PROPERTY_ORDERING] = list(properties)
        if "items" in schema:
            slots[Slot.ITEMS] = self.encode(schema["items"], depth)
        if isinstance(choices, list):
            kept = [choice for choice in choices if choice != {"type": "null"}]
            slots[Slot.ANY_OF] = [self.encode(choice, depth) for choice in kept]
            if len(kept) < len(choices):
                slots[Slot.NULLABLE] = 1
        return slots

    def _resolve(self, reference: str) -> dict[str, Json]:
        target: Json | Mapping[str, Json] = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            target = target.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(target, Mapping) else None
        if not reference.startswith("#/") or not isinstance(target, dict):
            raise WireError(f"A function's parameters refer to {reference!r}, which is not part of them.")
        return target


def _type(schema: Mapping[str, Json]) -> dict[int, Json]:
    declared = schema.get("type")
    names = [name for name in declared if isinstance(name, str)] if isinstance(declared, list) else [declared]
    slots: dict[int, Json] = {}
    known = [_TYPES[name] for name in names if isinstance(name, str) and name in _TYPES]
    if known:
        slots[Slot.TYPE] = known[0]
    if "null" in names or schema.get("nullable") is True:
        slots[Slot.NULLABLE] = 1
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(values, list):
        # The slot holds strings only; a number is offered by how it is written.
        slots[Slot.ENUM] = [value if isinstance(value, str) else str(value) for value in values if value is not None]
        slots.setdefault(Slot.TYPE, _TYPES["string"])
    return slots


def _without(schema: Mapping[str, Json], key: str) -> dict[str, Json]:
    return {name: value for name, value in schema.items() if name != key}
