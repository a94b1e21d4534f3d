"""Decode JSPB, Google's JSON of arrays, and read fields out of it tolerantly.

A message is an array with proto field N at index N-1. What is unset is null, is cut off the end, or is written as
nothing at all (`[,1,,2]`), which is JavaScript but no JSON. Booleans come as 0/1 or false/true, 64-bit integers as
numbers or strings. The readers here take every one of these forms and answer None for anything else: a message of
another shape than expected is a field that is not set, never an exception.
"""

import json
import math
import re

import msgspec

from studiogate_studio.wire.errors import WireError

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
"""A decoded JSON value."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

_GUARD = ")]}'"
_ELISION = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|\[(?=\s*,)|,(?=\s*[,\]])', re.DOTALL)
_TRAILING_COMMA = re.compile(r"\s*\]")


def decode(raw: bytes | bytearray) -> Json:
    """Decode a body or a frame: UTF-8 JSON, elided nulls and a `)]}'` guard allowed.

    Well-formed JSON takes the fast path. Lone surrogates become `?`, for nothing downstream could encode them.
    Raises `WireError` for anything that is no JSON even so.
    """
    try:
        value: Json = _decode(raw)
    except (ValueError, RecursionError):
        return _decode_tolerantly(raw)
    return value


def encode(value: Json) -> bytes:
    """Encode a value as compact JSON."""
    return _encode(value)


def fill_elisions(source: str) -> str:
    """Write out the nulls that were left out: `[,1,,2]` becomes `[null,1,null,2]`; strings are left alone.

    A comma before a closing bracket adds no element, as in JavaScript.
    """

    def fill(match: re.Match[str]) -> str:
        found = match.group()
        if found == "[":
            return "[null"
        if found != ",":
            return found
        return "" if _TRAILING_COMMA.match(source, match.end()) else ",null"

    return _ELISION.sub(fill, source)


def _decode_tolerantly(raw: bytes | bytearray) -> Json:
    try:
        source = raw.decode().strip().removeprefix(_GUARD)
        lenient: Json = json.loads(fill_elisions(source), parse_constant=str)
        value: Json = _decode(json.dumps(lenient, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError) as error:
        raise WireError(f"Expected JSON, got {len(raw)} bytes that are none.") from error
    return value


def at(message: Json, *path: int) -> Json:
    """Return the field that the indices lead to, None where any of them leads nowhere."""
    for index in path:
        if not isinstance(message, list) or index >= len(message):
            return None
        message = message[index]
    return message


def text_at(message: Json, *path: int) -> str | None:
    """Return a string field; None where it is unset or no string."""
    value = at(message, *path)
    return value if isinstance(value, str) else None


def list_at(message: Json, *path: int) -> list[Json]:
    """Return a repeated field or a message; empty where it is unset or no array."""
    value = at(message, *path)
    return value if isinstance(value, list) else []


def float_at(message: Json, *path: int) -> float | None:
    """Return a finite number, also one written as a string; None where it is unset or none."""
    value = at(message, *path)
    if not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def int_at(message: Json, *path: int) -> int | None:
    """Return a whole number, also one written as a string or a float; None where it is unset or none."""
    value = at(message, *path)
    if isinstance(value, int):
        return int(value)
    number = float_at(value)
    return int(number) if number is not None and number.is_integer() else None


def flag_at(message: Json, *path: int) -> bool:
    """Return a boolean field: true for `true`, `1` and their strings."""
    return at(message, *path) in (True, "1", "true")
