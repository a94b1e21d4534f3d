"""JSPB, the array notation of protobuf messages that the page and its RPC speak.

A message is an array with proto field N at index N-1; unset fields are null and trailing ones are cut off.
`google.protobuf.Struct` is one map field: `[[[key, Value], ...]]`, empty `[]`; a Value has one slot set, by kind.
"""

from collections.abc import Mapping, Sequence

import msgspec

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
"""Any JSON value."""

_ESCAPES = ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026"), (b"'", b"\\u0027"), (b"=", b"\\u003d"))


def decode(raw: bytes) -> Json:
    """Parse JSON; raises ValueError when it is malformed."""
    parsed: Json = msgspec.json.decode(raw)
    return parsed


def encode(value: Json) -> bytes:
    """Serialise compactly as UTF-8, with the characters escaped that matter in HTML, as upstream does."""
    raw = msgspec.json.encode(value)
    # Outside of strings JSON has none of these characters, so replacing bytes is safe.
    for plain, escaped in _ESCAPES:
        raw = raw.replace(plain, escaped)
    return raw


def at(message: Json, *path: int) -> Json:
    """Follow indices into nested arrays; anything absent reads as null."""
    for index in path:
        if not isinstance(message, list) or index >= len(message):
            return None
        message = message[index]
    return message


def items(message: Json) -> list[Json]:
    """Read a repeated field: its elements, none when it is unset."""
    return message if isinstance(message, list) else []


def message(fields: Mapping[int, Json]) -> list[Json]:
    """Build a message from its set fields, by index; what lies between them is null."""
    indices = [index for index, value in fields.items() if value is not None]
    return [fields.get(index) for index in range(max(indices, default=-1) + 1)]


def encode_struct(values: Mapping[str, Json]) -> list[Json]:
    """Encode a JSON object as a Struct."""
    if not values:
        return []
    return [[[key, encode_value(value)] for key, value in values.items()]]


def encode_value(value: Json) -> list[Json]:
    """Encode a JSON value as a protobuf Value."""
    match value:
        case None:
            return [0]
        case bool():
            return message({3: int(value)})
        case int() | float():
            return message({1: value})
        case str():
            return message({2: value})
        case dict():
            return [None, None, None, None, encode_struct(value)]
        case list():
            return [None, None, None, None, None, [[encode_value(entry) for entry in value]] if value else []]


def decode_struct(struct: Json) -> dict[str, Json]:
    """Decode a Struct to the JSON object it stands for."""
    decoded: dict[str, Json] = {}
    for entry in items(at(struct, 0)):
        key = at(entry, 0)
        if isinstance(key, str):
            decoded[key] = decode_value(at(entry, 1))
    return decoded


def decode_value(value: Json) -> Json:
    """Decode a protobuf Value by the index of its only set slot."""
    fields: Sequence[Json] = items(value)
    for index, field in enumerate(fields):
        if field is None or index == 0:
            continue
        match index:
            case 3:
                return bool(field)
            case 4:
                return decode_struct(field)
            case 5:
                return [decode_value(entry) for entry in items(at(field, 0))]
            case _:
                return field
    return None
