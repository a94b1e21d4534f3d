"""Functions as AI Studio takes them, and the arguments of their calls as the client declared them.

The parameters are an object described by a simplified schema (`simplify.py`), of which the upstream wants three things
more: it is an object, not a choice between some, it has properties, or else there is no schema at all, and the name
begins with a letter or an underscore. What no schema can describe is asked for as JSON in a text, and put back in place
when the call comes. Numbers and booleans that a model wrote as text, and the other way round, are put right too.
"""

import re
from collections.abc import Iterator, Mapping

import attrs
import msgspec

from studiogate.tools import FunctionDeclaration
from studiogate_studio.wire.errors import WireError
from studiogate_studio.wire.jspb import Json
from studiogate_studio.wire.simplify import AS_TEXT, simplify_schema

_NAME_LIMIT = 64
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?")
"""Numbers as text that a double holds."""
_EXACT = 2**53


@attrs.frozen(kw_only=True)
class Declaration:
    """A function that can be declared, and what that leaves out."""

    name: str
    """As the upstream takes it; mostly the client's."""
    description: str
    parameters: dict[str, Json] | None
    """A simplified schema of type object; None for a function without parameters."""
    left_out: tuple[str, ...]
    """What the client's declaration says besides, a few words each."""

    def restore(self, arguments: dict[str, Json]) -> dict[str, Json]:
        """Return a call's arguments as the client's schema has them."""
        return arguments if self.parameters is None else _restored_object(arguments, self.parameters)


def declare(function: FunctionDeclaration) -> Declaration:
    """Return a function as it can be declared; raise `WireError` where its parameters can't be described."""
    parameters, left_out = _parameters(function.parameters) if function.parameters else (None, ())
    return Declaration(
        name=_name(function.name), description=function.description, parameters=parameters, left_out=left_out
    )


def _parameters(schema: Mapping[str, Json]) -> tuple[dict[str, Json] | None, tuple[str, ...]]:
    """Return the schema of a function's parameters, None where it describes none, and what it leaves out."""
    simplified = simplify_schema(schema, as_text=True)
    simple, left_out = {**simplified.schema}, simplified.left_out
    simple.pop("nullable", None)
    if AS_TEXT in simple:
        return None, () if _is_empty(schema) else ("parameters that it doesn't describe",)
    if simple.get("type") == "object":
        return simple, left_out
    if all("properties" in choice for choice in _choices(simple)):
        return _one_object(simple), (*left_out, "a choice between parameter lists")
    raise WireError("The parameters of a function must be an object.")


def _name(name: str) -> str:
    return name if name[0].isalpha() or name[0] == "_" else f"_{name}"[:_NAME_LIMIT]


def _is_empty(parameters: Mapping[str, Json]) -> bool:
    """Tell whether a schema describes nothing, in the ways that stand for `no parameters`."""
    return not parameters.get("properties") and not parameters.get("additionalProperties") and "$ref" not in parameters


def _choices(schema: Mapping[str, Json]) -> list[dict[str, Json]]:
    choices = schema.get("anyOf")
    found: list[Json] = choices if isinstance(choices, list) else [None]
    return [choice if isinstance(choice, dict) else dict[str, Json]() for choice in found]


def _one_object(schema: Mapping[str, Json]) -> dict[str, Json]:
    """Return one object that has what any of several may have, and requires what all of them do."""
    choices = _choices(schema)
    merged: dict[str, list[Json]] = {}
    for choice in choices:
        for name, child in _properties(choice).items():
            kinds = merged.setdefault(name, [])
            if child not in kinds:
                kinds.append(child)
    properties: dict[str, Json] = {
        name: kinds[0] if len(kinds) == 1 else {"anyOf": kinds} for name, kinds in merged.items()
    }
    required: list[Json] = [name for name in properties if all(name in _required(choice) for choice in choices)]
    described = {"description": schema["description"]} if "description" in schema else {}
    return {"type": "object", **described, "properties": properties, **({"required": required} if required else {})}


def _properties(schema: Mapping[str, Json]) -> dict[str, Json]:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _required(schema: Mapping[str, Json]) -> list[Json]:
    required = schema.get("required")
    return required if isinstance(required, list) else []


def _restored(value: Json, schema: Json) -> Json:
    """Return a value with the texts that hold JSON replaced by what they hold."""
    if not isinstance(schema, dict):
        return value
    if "anyOf" in schema:
        return _restored_choice(value, schema)
    match value:
        case str() if AS_TEXT in schema:
            return _parsed(value)
        case dict():
            return _restored_object(value, schema)
        case list():
            return [_restored(item, schema.get("items")) for item in value]
        case _:
            return value if AS_TEXT in schema else _typed(value, schema.get("type"))


def _typed(value: Json, kind: Json) -> Json:
    """Return a value as the type that was declared, where it can be one without a change of meaning."""
    match kind, value:
        case "boolean", "true" | "false":
            return value == "true"
        case "number", str() if _NUMBER.fullmatch(value):
            number: Json = msgspec.json.decode(value)
            return number
        case "integer", str() if _NUMBER.fullmatch(value):
            whole = _typed(msgspec.json.decode(value), kind)
            return whole if isinstance(whole, int) else value
        case "integer", float() if value.is_integer() and abs(value) < _EXACT:
            return int(value)
        case "string", int() | float():
            return msgspec.json.encode(value).decode()
        case _:
            return value


def _restored_object(value: dict[str, Json], schema: Mapping[str, Json]) -> dict[str, Json]:
    properties = _properties(schema)
    return {name: _restored(child, properties.get(name)) for name, child in value.items()}


def _restored_choice(value: Json, schema: Mapping[str, Json]) -> Json:
    """Restore a value by the first choice that it may be; a text stays one where a plain text may stand too."""
    fitting = list(_fitting(value, _choices(schema)))
    if isinstance(value, str) and any(AS_TEXT not in choice for choice in fitting):
        return value
    return _restored(value, fitting[0]) if fitting else value


def _fitting(value: Json, choices: list[dict[str, Json]]) -> Iterator[dict[str, Json]]:
    for choice in choices:
        match value:
            case str() if choice.get("type") == "string":
                yield choice
            case list() if choice.get("type") == "array":
                yield choice
            case dict() if value.keys() <= _properties(choice).keys() and all(n in value for n in _required(choice)):
                yield choice
            case _ if "anyOf" in choice:
                yield choice
            case _:
                pass


def _parsed(text: str) -> Json:
    """Return the object or list that a text holds; any other text as it is."""
    try:
        value: Json = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    return value if isinstance(value, (dict, list)) else text
