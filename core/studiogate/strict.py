"""Strict structuring: JSON or TOML into attrs classes, with errors a person can act on.

cattrs guesses by default (`int("5")`, `bool("no")`). At the gateway's boundaries a wrong type is an error that names
the place, so the converters made here take every value only as what it is.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, get_origin

import attrs
import cattrs
from cattrs import AttributeValidationNote, IterableValidationNote
from cattrs.cols import (
    homogenous_tuple_structure_factory,
    list_structure_factory,
    mapping_structure_factory,  # pyright: ignore[reportUnknownVariableType]
)
from cattrs.errors import BaseValidationError, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn


class WrongValue(ValueError):  # noqa: N818 - what it says
    """Raised by an attrs validator: names the field, which cattrs doesn't know once all fields are read."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def schema_of(validator: Any) -> dict[str, Any]:
    """Return what a validator demands in words of JSON Schema, as far as it says (`described`)."""
    found: dict[str, Any] = getattr(validator, _SCHEMA, {})
    return dict(found)


def described[V: Callable[..., None]](**schema: Any) -> Callable[[V], V]:
    """Say of a validator what it demands, in words of JSON Schema; a decorator."""

    def mark(validator: V) -> V:
        setattr(validator, _SCHEMA, schema)
        return validator

    return mark


_SCHEMA = "studiogate_schema"


def within(low: float, high: float) -> Callable[[Any, "attrs.Attribute[Any]", Any], None]:
    """Return a validator: None, or a finite number from `low` to `high`, both included."""

    def check(_: Any, field: "attrs.Attribute[Any]", value: float | None) -> None:
        if value is not None and not low <= value <= high:
            limits = f"from {low:.15g} to {high:.15g}" if math.isfinite(high) else f"at least {low:.15g}"
            raise WrongValue(field.name, f"must be {limits}, not {value!r}")

    limits = {"minimum": low} | ({"maximum": high} if math.isfinite(high) else {})
    return described(**limits)(check)


@described(exclusiveMinimum=0)
def positive(_: Any, field: "attrs.Attribute[Any]", value: float | None) -> None:
    """Validate: None, or a finite number above 0."""
    if value is not None and not (0 < value < math.inf):
        raise WrongValue(field.name, f"must be more than 0, not {value!r}")


def one_of(*choices: str) -> Callable[[Any, "attrs.Attribute[Any]", Any], None]:
    """Return a validator: None, or one of some texts."""

    def check(_: Any, field: "attrs.Attribute[Any]", value: str | None) -> None:
        if value is not None and value not in choices:
            raise WrongValue(field.name, f"must be one of {', '.join(choices)}")

    return described(enum=[str(choice) for choice in choices])(check)


@described(pattern=r"\S")
def not_empty(_: Any, field: "attrs.Attribute[Any]", value: str | None) -> None:
    """Validate: None, or a text that isn't only white space."""
    if value is not None and not value.strip():
        raise WrongValue(field.name, "must not be empty")


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
                raise TypeError(f"must be {wanted}, not {shown(value)}")
            return kind(value)

        converter.register_structure_hook(kind, structure)

    only(bool, "true or false")
    only(int, "a whole number")
    only(float, "a number", int, float)
    only(str, "a string")

    def structure_attrs(kind: Any) -> Any:
        structure: Any = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=forbid_extra_keys)
        return _refusing(structure, dict, "an object")

    def structure_dict(kind: Any) -> Any:
        return _refusing(mapping_structure_factory(kind, converter), dict, "an object")

    def structure_list(kind: Any) -> Any:
        return _refusing(list_structure_factory(kind, converter), list, "a list")

    def structure_tuple(kind: Any) -> Any:
        return _refusing(homogenous_tuple_structure_factory(kind, converter), list, "a list")

    converter.register_structure_hook_factory(attrs.has, structure_attrs)
    converter.register_structure_hook_factory(_made_of(dict), structure_dict)
    converter.register_structure_hook_factory(_made_of(list), structure_list)
    converter.register_structure_hook_factory(_made_of(tuple), structure_tuple)
    return converter


def _made_of(container: type) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) == container


def _refusing(structure: Any, accepted: type, wanted: str) -> Any:
    """Check a container's kind first; cattrs would read any iterable as a list, and index into anything."""

    def checked(value: object, kind: Any) -> Any:
        if not isinstance(value, accepted):
            raise TypeError(f"must be {wanted}, not {shown(value)}")
        return structure(value, kind)

    return checked


def problems(error: BaseException, path: str = "") -> Iterator[Problem]:
    """Yield every problem in cattrs' tree of errors."""
    if isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            yield Problem(_join(path, key), "is not known here", key)
    elif isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from problems(inner, path + _step(inner, path))
    elif isinstance(error, WrongValue):
        yield Problem(_join(path, error.field), error.message)
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


_NAME_SHOWN = 200
"""Characters."""
_HUGE = 10**20
"""From here on whole numbers are not shown by their digits: there may be thousands."""


def shown(value: object) -> str:
    """Show a wrong value without quoting text: it may be somebody's prompt or key."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() if abs(value) >= _HUGE:
            return "a huge number"
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


def shown_name(name: str) -> str:
    """Show a name, or a path of names, that may be somebody else's words, of any length and kind."""
    kept = name if len(name) <= _NAME_SHOWN else f"{name[:_NAME_SHOWN]}…"
    return "".join(char if char.isprintable() else "?" for char in kept)
