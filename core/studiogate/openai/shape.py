"""Shapes: how one value of a request is read, and how `/openapi.json` describes it, said in one place.

A field's type carries its shape, `Annotated[float, number(0, 2)]`, so that parser and description can't come apart.
`CONVERTER` reads typed classes by the shapes of their fields, `schema.py` describes them by the same.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args, get_origin

import attrs

from studiogate.strict import shown, strict_converter

CONVERTER = strict_converter(forbid_extra_keys=False)
"""Reads the JSON of a request: strict in types, open to fields that nobody here knows."""


@attrs.frozen(eq=False)
class Shape:
    """Hold how a value is read, and its JSON Schema."""

    read: Callable[[Any], Any]
    """Takes the value as JSON has it and returns it typed. Raises ValueError or TypeError with what is wrong and what
    would be right, `WrongValue` where that is further inside."""
    schema: Mapping[str, Any]


def shapes(annotation: Any) -> tuple[Shape, ...]:
    """Return the shape that a type carries, alone; nothing for a type without."""
    notes = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return tuple(note for note in notes if isinstance(note, Shape))[:1]


def _structure_shaped(annotation: Any) -> Callable[[Any, Any], Any]:
    (shape,) = shapes(annotation)
    read = shape.read
    return lambda value, _: read(value)


CONVERTER.register_structure_hook_factory(lambda kind: bool(shapes(kind)), _structure_shaped)


def ref(name: str) -> dict[str, Any]:
    """Refer to a schema that `/openapi.json` has under a name."""
    return {"$ref": f"#/components/schemas/{name}"}


def number(low: float, high: float) -> Shape:
    """Take a number from `low` to `high`, both included."""

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f"must be a number, not {shown(value)}")
        _check_limits(value, low, high)
        return float(value)

    return Shape(read, {"type": "number", "minimum": low, "maximum": high})


def whole(low: int, high: int) -> Shape:
    """Take a whole number from `low` to `high`, both included. 3.0 is one: JSON has no other kind."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not _is_whole(value):
            raise TypeError(f"must be a whole number, not {shown(value)}")
        _check_limits(value, low, high)
        return int(value)

    return Shape(read, {"type": "integer", "minimum": low, "maximum": high})


def text(pattern: str | None = None, wanted: str = "") -> Shape:
    """Take a string.

    :param pattern: what all of it must match, from `^` to `$`; one that means the same in Python and ECMAScript.
    :param wanted: says so in words: "must be …".
    """
    matches = re.compile(pattern[:-1] + r"\Z") if pattern else None

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise TypeError(f"must be a string, not {shown(value)}")
        if matches and not matches.match(value):
            raise ValueError(f"must be {wanted}")
        return value

    return Shape(read, {"type": "string", **({"pattern": pattern} if pattern else {})})


def one_of(*words: str) -> Shape:
    """Take one of several strings."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value

    return Shape(read, {"type": "string", "enum": list(words)})


def _is_whole(value: float) -> bool:
    return isinstance(value, int) or (math.isfinite(value) and value.is_integer())


def _check_limits(value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"must be from {_plain(low)} to {_plain(high)}, not {shown(value)}")


def _plain(limit: float) -> str:
    return str(int(limit)) if _is_whole(limit) else str(limit)
