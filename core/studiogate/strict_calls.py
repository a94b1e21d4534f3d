"""Calls of functions that the client declared `strict`: their arguments follow the schema, or there is an error.

OpenAI promises so by making the model unable to write anything else. An upstream that can't is held to the promise from
outside: what comes back is looked at before the client gets it. A property that may be null and was left out is put in,
since strict schemas write optional properties so and models leave them out; any other difference ends the answer with
an error that says where, so that the client asks again instead of acting on it.

Looked at is what OpenAI's strict schemas may say, but no patterns and formats: `UNCHECKED` names what is told to the
client as not looked at. The schema is a stranger's, so the work is bounded (`_STEPS`), and nothing is fetched: what a
reference from elsewhere would say isn't looked at either.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import attrs
import msgspec

from studiogate.errors import UpstreamFailed
from studiogate.events import Event, ToolCall
from studiogate.exchange import Exchange
from studiogate.params import Params
from studiogate.strict import shown_name
from studiogate.tools import FunctionDeclaration

UNCHECKED = frozenset(
    {
        "pattern",
        "format",
        "patternProperties",
        "propertyNames",
        "uniqueItems",
        "contains",
        "prefixItems",
        "not",
        "oneOf",
        "if",
        "dependentSchemas",
        "dependentRequired",
        "unevaluatedProperties",
        "unevaluatedItems",
        "$dynamicRef",
    }
)
"""Words of a schema that are not looked at."""
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
"""Words below which stand names, and schemas below these."""
_VALUES = ("enum", "const", "default", "examples")
"""Words below which stand values."""
_STEPS = 100_000
"""Schemas that are held against values for one call."""


class Differs(Exception):  # noqa: N818 - a finding
    """Arguments that don't follow their schema; says where and why, and repeats no value."""


class Endless(Exception):  # noqa: N818 - a finding
    """A schema that takes too long to follow."""


@attrs.define
class StrictCalls:
    """Hold one exchange's calls to the schemas of the functions that are strict."""

    exchange: Exchange

    def add(self, event: Event) -> Event:
        """Return the answer's next event, a strict call of the client's as its schema has it.

        :raises UpstreamFailed: the model called a strict function with arguments that its schema doesn't allow.
        """
        if not isinstance(event, ToolCall) or event.name in self.exchange.plan.executors:
            return event
        for function in self.exchange.plan.functions:
            if function.strict and function.name == event.name:
                return _followed(event, function)
        return event


def report_unchecked(params: Params, functions: Sequence[FunctionDeclaration]) -> Params:
    """Return parameters with a note on what strict functions aren't held to."""
    found = {f.name: sorted(_unchecked(f.parameters)) for f in functions if f.strict}
    told = [f"{name} is not held to {', '.join(words)}" for name, words in found.items() if words]
    return params.note("strict", "; ".join(told)) if told else params


def _followed(call: ToolCall, function: FunctionDeclaration) -> ToolCall:
    try:
        value: object = msgspec.json.decode(call.arguments or "{}")
        fitted = fit(value, function.parameters)
    except (Differs, Endless, msgspec.DecodeError, RecursionError) as error:
        why = "its schema takes too long to follow"
        if isinstance(error, (Differs, msgspec.DecodeError)):
            why = str(error) if isinstance(error, Differs) else "they are no JSON"
        raise UpstreamFailed(
            f"The model called the strict function {shown_name(call.name)} with arguments that don't follow its schema "
            f"({why}). Ask again."
        ) from None
    return call if fitted is value else attrs.evolve(call, arguments=msgspec.json.encode(fitted).decode())


def fit(value: object, schema: Mapping[str, Any]) -> Any:
    """Return a value as a schema has it: the same object, unless properties that may be null had to be put in.

    :raises Differs: it doesn't follow the schema.
    :raises Endless: nobody can tell; so does a RecursionError.
    """
    fitting = _Fitting(schema)
    fitted = fitting.fit(value, schema, "")
    if fitted is not value and fitting.fit(fitted, schema, "") is not fitted:
        raise Differs("they can't be put right")
    return fitted


@attrs.define
class _Fitting:
    root: Mapping[str, Any]
    _steps: int = attrs.field(default=0, init=False)

    def fit(self, value: Any, schema: object, place: str) -> Any:
        self._steps += 1
        if self._steps > _STEPS:
            raise Endless
        if schema is False:
            raise Differs(f"{place or 'they'}: nothing is allowed here")
        if not isinstance(schema, dict):
            return value
        rules = cast("dict[str, Any]", schema)
        if isinstance(ref := rules.get("$ref"), str):
            value = self.fit(value, _at(ref, self.root), place)
        _check(value, rules, place)
        for each in _list(rules.get("allOf")):
            value = self.fit(value, each, place)
        if "anyOf" in rules:
            value = self._any(value, _list(rules["anyOf"]), place)
        if "oneOf" in rules:
            # That no other of them holds is not looked at.
            value = self._any(value, _list(rules["oneOf"]), place)
        if isinstance(value, dict):
            return self._object(cast("dict[str, Any]", value), rules, place)
        if "items" not in rules or not isinstance(value, list):
            return cast("object", value)
        return self._array(cast("list[object]", value), rules["items"], place)

    def _any(self, value: object, choices: Sequence[Any], place: str) -> Any:
        """Return a value as the first of several schemas has it, rather one that takes it as it is."""
        fitted: list[Any] = []
        for each in choices:
            try:
                found = self.fit(value, each, place)
            except Differs:
                continue
            if found is value:
                return value
            fitted.append(found)
        if not fitted:
            raise Differs(f"{place or 'they'}: none of the choices")
        return fitted[0]

    def _object(self, value: dict[str, Any], rules: dict[str, Any], place: str) -> dict[str, Any]:
        properties: dict[str, Any] = rules["properties"] if isinstance(rules.get("properties"), dict) else {}
        missing = [name for name in _list(rules.get("required")) if name not in value]
        fitted = {
            name: self.fit(each, self._of_property(name, properties, rules), _inside(place, name))
            for name, each in value.items()
        }
        for name in missing:
            if name not in properties or not self._takes_null(properties[name]):
                raise Differs(f"{_inside(place, str(name))}: is required")
        if not missing and all(fitted[name] is each for name, each in value.items()):
            return value
        return {**fitted, **dict.fromkeys(missing)}

    def _of_property(self, name: str, properties: dict[str, Any], rules: dict[str, Any]) -> Any:
        if name in properties:
            return properties[name]
        # Which names a pattern allows is not looked at.
        return True if "patternProperties" in rules else rules.get("additionalProperties", True)

    def _array(self, value: list[Any], items: object, place: str) -> list[Any]:
        fitted = [self.fit(each, items, f"{place}[{index}]") for index, each in enumerate(value)]
        return value if all(ours is theirs for ours, theirs in zip(fitted, value, strict=True)) else fitted

    def _takes_null(self, schema: object) -> bool:
        try:
            self.fit(None, schema, "")
        except Differs:
            return False
        return True


_TYPES: dict[str, Callable[[object], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _number(value) is not None and float(_number(value) or 0).is_integer(),
    "number": lambda value: _number(value) is not None,
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}

_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, bound: _number(value) is None or value >= bound,
    "maximum": lambda value, bound: _number(value) is None or value <= bound,
    "exclusiveMinimum": lambda value, bound: _number(value) is None or value > bound,
    "exclusiveMaximum": lambda value, bound: _number(value) is None or value < bound,
    "multipleOf": lambda value, bound: _number(value) is None or _is_multiple(value, bound),
    "minLength": lambda value, bound: not isinstance(value, str) or len(value) >= bound,
    "maxLength": lambda value, bound: not isinstance(value, str) or len(value) <= bound,
    "minItems": lambda value, bound: not isinstance(value, list) or len(cast("list[object]", value)) >= bound,
    "maxItems": lambda value, bound: not isinstance(value, list) or len(cast("list[object]", value)) <= bound,
    "minProperties": lambda value, bound: not isinstance(value, dict) or len(cast("dict[str, Any]", value)) >= bound,
    "maxProperties": lambda value, bound: not isinstance(value, dict) or len(cast("dict[str, Any]", value)) <= bound,
}


def _check(value: object, rules: Mapping[str, Any], place: str) -> None:
    """Raise `Differs` where a value breaks one of the rules that don't look inside it."""
    kinds = rules.get("type")
    wanted = [kinds] if isinstance(kinds, str) else _list(kinds)
    known = [_TYPES[kind] for kind in wanted if kind in _TYPES]
    if known and not any(fits(value) for fits in known):
        raise Differs(f"{place or 'they'}: must be {' or '.join(map(str, wanted))}")
    if "enum" in rules and not any(_same(value, each) for each in _list(rules["enum"])):
        raise Differs(f"{place or 'they'}: none of the values of its enum")
    if "const" in rules and not _same(value, rules["const"]):
        raise Differs(f"{place or 'they'}: not its const")
    for word, holds in _BOUNDS.items():
        if (bound := _number(rules.get(word))) is not None and not holds(value, bound):
            raise Differs(f"{place or 'they'}: breaks its {word}")


def _number(value: object) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _is_multiple(value: float, of: float) -> bool:
    if of <= 0:
        return True
    if isinstance(value, int) and isinstance(of, int):
        return value % of == 0
    quotient = value / of
    return math.isclose(quotient, round(quotient), rel_tol=1e-9, abs_tol=1e-9)


def _same(one: object, other: object) -> bool:
    """Tell whether two values are the same in JSON, where true isn't 1, but 1 is 1.0."""
    match one, other:
        case dict(), dict():
            ours, theirs = cast("dict[str, Any]", one), cast("dict[str, Any]", other)
            return ours.keys() == theirs.keys() and all(_same(ours[name], theirs[name]) for name in ours)
        case list(), list():
            items, others = cast("list[object]", one), cast("list[object]", other)
            return len(items) == len(others) and all(map(_same, items, others))
        case bool(), _:
            return one is other
        case _, bool():
            return False
        case _:
            return one == other


def _list(value: object) -> list[Any]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _inside(place: str, name: str) -> str:
    shown = shown_name(name)
    return f"{place}.{shown}" if place else shown


def _at(ref: str, root: Mapping[str, Any]) -> Any:
    """Return the schema that a reference names; one that allows everything where there is none in this one."""
    found: object = root if ref.startswith("#") else True
    for step in ref.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = cast("dict[str, object]", found)[name]
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(cast("list[object]", found)):
            found = cast("list[object]", found)[int(name)]
        else:
            return True
    return found


def _unchecked(schema: Mapping[str, Any]) -> set[str]:
    """Return the words of a schema that aren't looked at."""
    found = set(_words(schema))
    lost = {word for word, value in found if word == "$ref" and _at(value, schema) is True}
    return lost | {word for word, _ in found} & UNCHECKED


def _words(schema: object) -> Iterator[tuple[str, str]]:
    """Yield every word anywhere in a schema, with its value where that is a text."""
    if isinstance(schema, dict):
        for word, inner in cast("dict[str, Any]", schema).items():
            yield word, inner if isinstance(inner, str) else ""
            if word in _NAMED and isinstance(inner, dict):
                for each in cast("dict[str, Any]", inner).values():
                    yield from _words(each)
            elif word not in _VALUES:
                yield from _words(inner)
    elif isinstance(schema, list):
        for each in cast("list[object]", schema):
            yield from _words(each)
