"""`google.protobuf.Struct`, in which function arguments and results travel, from and to plain JSON.

A `Struct` is a message with one map, `[[[key, Value], ...]]`; a `ListValue` one with one repeated field,
`[[Value, ...]]`; a `Value` a one-of whose set index is the type (`indices.Value`), so `[null, 0]` is the number 0 while
`[0]` is null. Both wrappers were also met with one layer less; the two are told apart by what the first element is.
"""

import math

from studiogate_studio.wire.errors import WireError
from studiogate_studio.wire.indices import Value
from studiogate_studio.wire.jspb import Json, at, flag_at, float_at, list_at

MAX_DEPTH = 100
"""Levels of objects and arrays; protobuf's own limit."""

_EXACT = 2.0**53
"""Whole numbers up to here are exact as doubles, which is what a `Struct` holds."""


def decode_struct(struct: Json, *, depth: int = 0) -> dict[str, Json]:
    """Return a `Struct` as an object; an object that is plain JSON already is returned as it is.

    An unset or empty `Struct` is `{}`. Entries that are none are left out. Raises `WireError` beyond `MAX_DEPTH`.
    """
    if isinstance(struct, dict):
        return struct
    first = at(struct, 0)
    entries = list_at(struct) if isinstance(at(first, 0), str) else list_at(first)
    pairs = ((at(entry, 0), at(entry, 1)) for entry in entries)
    return {key: decode_value(value, depth=depth + 1) for key, value in pairs if isinstance(key, str)}


def decode_value(value: Json, *, depth: int = 0) -> Json:
    """Return a `Value` as JSON. Numbers without a fraction become integers, what is no `Value` stays as it is."""
    if depth > MAX_DEPTH:
        raise WireError(f"A function call's arguments are nested deeper than {MAX_DEPTH} levels.")
    if not isinstance(value, list):
        return value
    index = next((index for index in range(Value.NUMBER, len(value)) if value[index] is not None), Value.NULL)
    match index:
        case Value.NUMBER:
            return _number(value[index])
        case Value.STRING:
            return value[index]
        case Value.BOOL:
            return flag_at(value, index)
        case Value.STRUCT:
            return decode_struct(value[index], depth=depth)
        case Value.LIST:
            return [decode_value(item, depth=depth + 1) for item in _items(value[index])]
        case _:
            return None


def encode_struct(fields: dict[str, Json], *, depth: int = 0) -> list[Json]:
    """Return an object as a `Struct`; the inverse of `decode_struct`."""
    entries: list[Json] = [[key, encode_value(value, depth=depth + 1)] for key, value in fields.items()]
    return [entries] if entries else []


def encode_value(value: Json, *, depth: int = 0) -> list[Json]:
    """Return a JSON value as a `Value`; raise `WireError` beyond `MAX_DEPTH`."""
    if depth > MAX_DEPTH:
        raise WireError(f"The value is nested deeper than {MAX_DEPTH} levels.")
    match value:
        case None:
            return [0]
        case bool():
            return _one_of(Value.BOOL, int(value))
        case int() | float():
            return _one_of(Value.NUMBER, value)
        case str():
            return _one_of(Value.STRING, value)
        case dict():
            return _one_of(Value.STRUCT, encode_struct(value, depth=depth))
        case list():
            items: list[Json] = [encode_value(item, depth=depth + 1) for item in value]
            return _one_of(Value.LIST, [items] if items else [])


def _one_of(index: Value, value: Json) -> list[Json]:
    return [*[None] * index, value]


def _number(value: Json) -> Json:
    if isinstance(value, str):
        # JSON has no NaN and no infinities: what reads as no finite number stays the string it is.
        number = float_at(value)
        value = value if number is None else number
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return value if not value and math.copysign(1, value) < 0 else int(value)
    return value


def _items(values: Json) -> list[Json]:
    first = at(values, 0)
    if isinstance(first, list) and len(list_at(values)) == 1 and all(isinstance(item, list) for item in first):
        return first
    return list_at(values)
