"""JSON Schema in the few words that AI Studio takes.

Kept, in other words: references into the schema itself and `allOf` are written out in place, `const` is an enum of one,
a type list is a choice, `null` among types or choices is `nullable`, an exclusive bound of whole numbers is the next
whole number.

Lost, and told: what there is no word for (`not`, `patternProperties`, ...); `oneOf`, which becomes `anyOf`; tuples,
which become lists; and what Google's API answers with 400 to, taken to hold for the page as well: formats but a few,
enums of anything but texts (numbers keep their bounds and are named in the description), values of any kind (they
become texts, numbers or booleans).

What can't be described at all, an object without properties or a schema within itself, is refused; where the caller can
undo it (`declarations.py`), it becomes a text that holds JSON, and is told.

Left out without a word: what says nothing of the values (`title`, `default`, ...), and `additionalProperties` as a yes
or no, since the model makes no others anyway.
"""

import re
from collections.abc import Callable, Mapping

import attrs

from studiogate_studio.wire.errors import WireError
from studiogate_studio.wire.jspb import Json, encode

type Schema = Mapping[str, Json]

_TYPES = ("string", "number", "integer", "boolean", "array", "object")
_FORMATS = {"string": ("enum", "date-time"), "number": ("float", "double"), "integer": ("int32", "int64")}
_MAX_DEPTH = 32
_MAX_SCHEMAS = 5000
"""Schemas in one schema at most: references that fan out would fill the memory."""

_IMPLIED = {
    "properties": "object",
    "additionalProperties": "object",
    "items": "array",
    "prefixItems": "array",
    "minItems": "array",
    "maxItems": "array",
    "pattern": "string",
    "minLength": "string",
    "maxLength": "string",
    "minimum": "number",
    "maximum": "number",
    "exclusiveMinimum": "number",
    "exclusiveMaximum": "number",
}
"""What a schema that names no type is about."""
_NUMBERS = (
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
)
_TEXTS = ("description", "pattern")
_ANNOTATIONS = ("title", "description", "default", "examples", "nullable", "additionalProperties", "$defs")
"""Words of which the outer one stands when schemas are joined, and nothing is lost by it."""
_UNKNOWN = (
    "additionalItems",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "multipleOf",
    "not",
    "patternProperties",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
)
"""Words that limit the values and have no counterpart."""


AS_TEXT = "contentMediaType"
"""The word that marks a text which holds JSON. It isn't sent, and one that the original has is dropped."""

_SHOWN = 400
"""Characters of a schema that go into the description of a text."""
_NOT_SHOWN = ("description", "title", "nullable", "$defs", "definitions", "$schema")


@attrs.frozen(kw_only=True)
class SimplifiedSchema:
    """A schema that can be sent, and what it lost."""

    schema: dict[str, Json]
    """JSON Schema of `type` (one), `format`, `description`, `nullable`, `enum` (texts), `items`, `properties`,
    `required`, `anyOf`, `pattern` and the bounds of numbers, lengths, items and properties. Simplifying it again
    changes nothing."""
    left_out: tuple[str, ...]
    """What the original says besides, a few words each: `multipleOf`, `format email`, ..."""


def simplify_schema(schema: Schema, *, as_text: bool = False) -> SimplifiedSchema:
    """Simplify a JSON Schema.

    Raises `WireError` for what no simple schema comes near: a reference that leads nowhere, recursion, too many schemas
    in one, an object without properties.

    :param as_text: whether objects without properties, and a schema within itself, become texts that hold JSON, marked
        by `AS_TEXT`, instead.
    """
    simplifier = _Simplifier(schema, as_text=as_text)
    return SimplifiedSchema(schema=simplifier.simplify(schema, 0), left_out=tuple(simplifier.left_out))


class _WithinItselfError(Exception):
    """A reference leads to a schema that is just being described."""


class _Simplifier:
    def __init__(self, root: Schema, *, as_text: bool) -> None:
        self.left_out: dict[str, None] = {}
        """A set in the order met."""
        self._root = root
        self._met = 0
        self._as_text = as_text
        self._open: list[str] = ["#"]
        """The references that lead to where the description is now."""

    def simplify(self, schema: Json | Schema, depth: int) -> dict[str, Json]:
        """Return a schema in simple words; anything that is no object, such as `true`, allows every value."""
        given, outer, through = schema if isinstance(schema, Mapping) else {}, len(self._open), list[str]()
        try:
            whole = self._written_out(given, depth, through)
        except _WithinItselfError:
            return self._text(given, "a schema within itself")
        self._open += through
        try:
            return self._described(whole, depth)
        finally:
            del self._open[outer:]

    def _described(self, whole: Schema, depth: int) -> dict[str, Json]:
        types, nullable = _types(whole)
        given = whole.get("anyOf", whole.get("oneOf"))
        choices = [choice for choice in given if not _is_null(choice)] if isinstance(given, list) else []
        nullable = nullable or (isinstance(given, list) and len(choices) < len(given))
        kind = types[0] if types else next((_IMPLIED[word] for word in _IMPLIED if word in whole), None)
        if choices and (kind is None or (kind == "object" and "properties" not in whole)):
            simple = self._choice(whole, choices, depth)
        elif len(types) > 1:
            simple = self._choice(whole, [{**_without(whole, "description"), "type": name} for name in types], depth)
        else:
            if choices:
                self._lose("anyOf beside a type")
            simple = self._one(whole, kind, depth)
        return {**simple, "nullable": True} if nullable or None in _values(whole) else simple

    def _choice(self, whole: Schema, choices: list[Json], depth: int) -> dict[str, Json]:
        if len(choices) == 1:
            return self.simplify({**_without(whole, "anyOf", "oneOf"), "allOf": choices}, depth + 1)
        if "oneOf" in whole and "anyOf" not in whole:
            self._lose("oneOf, taken as anyOf")
        self._lose_unknown(whole)
        return {**_texts(whole), "anyOf": [self.simplify(choice, depth + 1) for choice in choices]}

    def _one(self, whole: Schema, kind: str | None, depth: int) -> dict[str, Json]:
        """Simplify a schema of one type, or of none."""
        self._lose_unknown(whole)
        simple = {**_texts(whole), **_numbers(whole)}
        kind = self._enum(simple, _values(whole), kind)
        self._exclusive(simple, whole, kind)
        match kind:
            case None:
                self._lose("values of any kind")
                return {**simple, "anyOf": [{"type": name} for name in ("string", "number", "boolean")]}
            case "object" if self._as_text and not whole.get("properties"):
                return self._text(whole, "objects without properties")
            case "object":
                simple |= self._object(whole, depth)
            case "array":
                simple["items"] = self._items(whole, depth)
            case _:
                simple |= self._format(whole, kind)
        return {"type": kind, **simple}

    def _enum(self, simple: dict[str, Json], values: list[Json], kind: str | None) -> str | None:
        """Set what stands for an enum; return the type, which its values tell where nothing else does."""
        kept = [value for value in values if value is not None]
        if not kept:
            return kind
        texts: list[Json] = [value for value in kept if isinstance(value, str)]
        if len(texts) == len(kept) and kind in (None, "string"):
            if "" in texts:
                self._lose("an empty text in an enum")
            named: list[Json] = [text for text in texts if text]
            if named:
                simple["enum"] = named
            return "string"
        if all(isinstance(value, bool) for value in kept) and kind in (None, "boolean"):
            if not (True in kept and False in kept):
                self._lose("an enum of booleans")
            return "boolean"
        numbers = [value for value in kept if isinstance(value, int | float) and not isinstance(value, bool)]
        if len(numbers) < len(kept) or kind not in (None, "number", "integer"):
            self._lose("an enum of different kinds")
            return kind
        self._enum_of_numbers(simple, numbers)
        return kind or ("integer" if all(isinstance(number, int) for number in numbers) else "number")

    def _enum_of_numbers(self, simple: dict[str, Json], numbers: list[int | float]) -> None:
        simple |= {"minimum": min(numbers), "maximum": max(numbers)}
        if len(numbers) > 1:
            self._lose("an enum of numbers")
            listed = f"One of {', '.join(str(number) for number in numbers)}."
            described = simple.get("description")
            simple["description"] = f"{described} {listed}" if described else listed

    def _exclusive(self, simple: dict[str, Json], whole: Schema, kind: str | None) -> None:
        for word, bound, step, tighter in (
            ("exclusiveMinimum", "minimum", 1, max),
            ("exclusiveMaximum", "maximum", -1, min),
        ):
            limit = whole.get(word)
            if kind == "integer" and isinstance(limit, int) and not isinstance(limit, bool):
                simple[bound] = _tightest(tighter, simple.get(bound), limit + step)
            elif word in whole:
                self._lose(word)

    def _object(self, whole: Schema, depth: int) -> dict[str, Json]:
        properties, required = whole.get("properties"), whole.get("required")
        if not isinstance(properties, dict) or not properties:
            raise WireError("The schema has an object without properties, which can't be described.")
        if isinstance(whole.get("additionalProperties"), dict):
            self._lose("additionalProperties")
        named = required if isinstance(required, list) else []
        names: list[Json] = [name for name in named if isinstance(name, str) and name in properties]
        if len(names) < len(named):
            self._lose("required properties that are not described")
        return {
            "properties": {name: self.simplify(child, depth + 1) for name, child in properties.items()},
            **({"required": names} if names else {}),
        }

    def _text(self, whole: Schema, what: str) -> dict[str, Json]:
        """Return the schema of a text that holds a JSON value of some schema, which its description tells if it can."""
        self._lose(f"{what}, asked for as JSON in a text")
        rest = {word: value for word, value in whole.items() if word not in _NOT_SHOWN}
        source = encode(rest).decode()
        tells = len(rest) > 1 and len(source) <= _SHOWN and "$ref" not in source
        note = f"JSON as text, by this JSON Schema: {source}" if tells else "JSON as text."
        described = whole.get("description")
        description = f"{described} {note}" if isinstance(described, str) and described else note
        return {"type": "string", "description": description, AS_TEXT: "application/json"}

    def _items(self, whole: Schema, depth: int) -> dict[str, Json]:
        first, items = whole.get("prefixItems"), whole.get("items")
        if not isinstance(first, list) or not first:
            return self.simplify(items, depth + 1)
        self._lose("the order of prefixItems")
        kinds: list[Json] = [*first, *([items] if isinstance(items, dict) else [])]
        different = [kind for index, kind in enumerate(kinds) if kind not in kinds[:index]]
        return self.simplify({"anyOf": different}, depth + 1)

    def _format(self, whole: Schema, kind: str) -> dict[str, Json]:
        name = whole.get("format")
        if name is None or name in _FORMATS.get(kind, ()):
            return {} if name is None else {"format": name}
        # What the client wrote is repeated where it is a plain word only.
        self._lose(f"format {name}" if isinstance(name, str) and re.fullmatch("[a-z-]{1,24}", name) else "format")
        return {}

    def _written_out(self, schema: Schema, depth: int, through: list[str]) -> dict[str, Json]:
        """Return a schema without `$ref` and `allOf`: what they lead to is joined with what stands beside them.

        :param through: takes the references that were followed.
        """
        self._met += 1
        if depth > _MAX_DEPTH or self._met > _MAX_SCHEMAS:
            raise WireError(f"The schema is recursive, over {_MAX_DEPTH} levels deep, or of over {_MAX_SCHEMAS} parts.")
        reference, every = schema.get("$ref"), schema.get("allOf")
        if isinstance(reference, str):
            if self._as_text and reference in self._open:
                raise _WithinItselfError
            through.append(reference)
        parts: list[Schema] = [self._resolve(reference)] if isinstance(reference, str) else []
        parts += [part for part in every if isinstance(part, dict)] if isinstance(every, list) else []
        joined: dict[str, Json] = {}
        written = [self._written_out(part, depth + 1, through) for part in parts]
        for part in [*written, _without(schema, "$ref", "allOf")]:
            for word, value in part.items():
                joined[word] = self._join(word, joined[word], value) if word in joined else value
        return joined

    def _join(self, word: str, inner: Json, outer: Json) -> Json:
        if isinstance(inner, dict) and isinstance(outer, dict) and word == "properties":
            return {**inner, **outer}
        if isinstance(inner, list) and isinstance(outer, list) and word == "required":
            return [*inner, *(name for name in outer if name not in inner)]
        if inner != outer and word not in _ANNOTATIONS:
            self._lose(f"{word}, which is said twice")
        return outer

    def _resolve(self, reference: str) -> dict[str, Json]:
        target: Json | Schema = self._root
        for step in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
            target = target.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(target, Mapping) else None
        if not reference.startswith("#") or not isinstance(target, Mapping):
            raise WireError("The schema refers to something that is not part of it.")
        return dict(target)

    def _lose_unknown(self, whole: Schema) -> None:
        for word in _UNKNOWN:
            if word in whole:
                self._lose(word)

    def _lose(self, what: str) -> None:
        self.left_out[what] = None


def _types(schema: Schema) -> tuple[list[str], bool]:
    """Return the types that a schema names, and whether null is among them."""
    declared = schema.get("type")
    names = declared if isinstance(declared, list) else [declared]
    known = [name for name in names if isinstance(name, str) and name in _TYPES]
    return known, "null" in names or schema.get("nullable") is True


def _is_null(schema: Json) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "null"


def _values(schema: Schema) -> list[Json]:
    """Return the values that `const` or `enum` allow; empty where neither limits them."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return values if isinstance(values, list) else []


def _texts(schema: Schema) -> dict[str, Json]:
    return {word: schema[word] for word in _TEXTS if isinstance(schema.get(word), str)}


def _numbers(schema: Schema) -> dict[str, Json]:
    return {word: schema[word] for word in _NUMBERS if _is_number(schema.get(word))}


def _tightest(tighter: Callable[[float, float], float], known: Json, limit: int) -> float:
    return tighter(known, limit) if isinstance(known, int | float) else limit


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _without(schema: Schema, *words: str) -> dict[str, Json]:
    return {word: value for word, value in schema.items() if word not in words}
