"""Strict structuring: JSON or TOML into attrs classes, with errors a person can act on.

cattrs guesses by default (`int("5")`, `bool("no")`). At the gateway's boundaries a wrong type is an error that names
the place, so the converters made here take every value only as what it is.
"""

from collections.abc import Iterator
from typing import Any

import attrs
import cattrs
from cattrs import AttributeValidationNote, IterableValidationNote
from cattrs.errors import BaseValidationError, ForbiddenExtraKeysError


@attrs.frozen
class Problem:
    """Name one wrong place of a value."""

    path: str
    """Such as `messages[0].content`; empty for the value itself."""
    message: str
    """What is wrong and what would be right, without a full stop."""
    unknown_key: str | None = None
    """The key, where the problem is that nobody knows it."""


def strict_converter(*, forbid_extra_keys: bool) -> cattrs.Converter:
    """Build a converter that guesses no type from another."""
    converter = cattrs.Converter(forbid_extra_keys=forbid_extra_keys)

    def only(kind: type, wanted: str, *accepted: type) -> None:
        def structure(value: object, _: object) -> Any:
            # bool is a subclass of int, and no number.
            if (isinstance(value, bool) and kind is not bool) or not isinstance(value, accepted or kind):
                raise TypeError(f"must be {wanted}, not {_shown(value)}")
            return kind(value)

        converter.register_structure_hook(kind, structure)

    only(bool, "true or false")
    only(int, "a whole number")
    only(float, "a number", int, float)
    only(str, "a string")
    return converter


def problems(error: BaseException, path: str = "") -> Iterator[Problem]:
    """Yield every problem in cattrs' tree of errors."""
    if isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            yield Problem(_join(path, key), "is not known here", key)
    elif isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from problems(inner, path + _step(inner, path))
    elif isinstance(error, KeyError):
        yield Problem(_join(path, str(error.args[0])), "is required")
    else:
        yield Problem(path, str(error.args[0]) if error.args else type(error).__name__)


def _step(error: BaseException, path: str) -> str:
    """Return how to get from the parent to where this error is; a missing key names itself."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote) and not isinstance(error, KeyError):
            return f".{note.name}" if path else note.name
        if isinstance(note, IterableValidationNote):
            return f"[{note.index}]"
    return ""


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _shown(value: object) -> str:
    """Show a wrong value without quoting text: it may be somebody's prompt or key."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str():
            return "a string"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return f"a {type(value).__name__}"
