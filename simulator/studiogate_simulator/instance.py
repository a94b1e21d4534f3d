"""The least value that follows a schema, for answers in JSON.

Follows what upstream's schemas say but patterns, `allOf` and `not`: objects have their required properties, arrays one
item, texts and numbers lie within their bounds, of choices and enums the first is taken.
"""

import math
from typing import Final

from studiogate_simulator.jspb import Json

_TEXT: Final = "text"
_TIME: Final = "2026-01-01T00:00:00Z"


def instance_of(schema: Json) -> Json:
    """Make a value that follows a decoded schema."""
    words = schema if isinstance(schema, dict) else {}
    for choices in (words.get("anyOf"), words.get("oneOf"), words.get("enum")):
        if isinstance(choices, list) and choices:
            return choices[0] if choices is words.get("enum") else instance_of(choices[0])
    match words.get("type"):
        case "object":
            return _object(words)
        case "array":
            return [instance_of(words.get("items"))] * _length(words, "minItems", "maxItems", 1)
        case "integer":
            number = _number(words)
            return math.ceil(number) if number > 0 else math.floor(number)
        case "number":
            return _number(words)
        case "boolean":
            return True
        case _:
            return _text(words)


def _object(words: dict[str, Json]) -> Json:
    properties, required = words.get("properties"), words.get("required")
    named = properties if isinstance(properties, dict) else {}
    wanted = [name for name in named if isinstance(required, list) and name in required]
    others = [name for name in named if name not in wanted]
    missing = max(0, (_whole(words, "minProperties") or 0) - len(wanted))
    return {name: instance_of(named[name]) for name in named if name in [*wanted, *others[:missing]]}


def _number(words: dict[str, Json]) -> float:
    """Give the number nearest to nothing."""
    least, most = words.get("minimum"), words.get("maximum")
    above = max(0, least) if isinstance(least, int | float) else 0
    return min(above, most) if isinstance(most, int | float) else above


def _text(words: dict[str, Json]) -> str:
    if words.get("format") == "date-time":
        return _TIME
    length = _length(words, "minLength", "maxLength", len(_TEXT))
    return (_TEXT * (length // len(_TEXT) + 1))[:length]


def _length(words: dict[str, Json], least: str, most: str, usual: int) -> int:
    length, longest = max(usual, _whole(words, least) or 0), _whole(words, most)
    return length if longest is None else min(length, longest)


def _whole(words: dict[str, Json], word: str) -> int | None:
    # A count is a 64-bit integer, which the wire may write as a text.
    value = words.get(word)
    return int(value) if isinstance(value, int | float | str) else None
