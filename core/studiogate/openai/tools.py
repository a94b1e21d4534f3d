"""The tools of a request, and how OpenAI's older `functions` are written as such.

Only functions are looked into here; any other tool is for the plugin that knows its type.
"""

from typing import Annotated, Any, cast

import attrs

from studiogate.openai.shape import CONVERTER, Shape, one_of, ref, text
from studiogate.strict import WrongValue, shown
from studiogate.tools import ToolSpec

FUNCTION_NAME = "^[a-zA-Z0-9_.:-]{1,64}$"
TOOL_CHOICES = ("auto", "none", "required")
FUNCTION_CHOICES = ("auto", "none")
"""Of the older `function_call`."""

FunctionName = Annotated[str, text(FUNCTION_NAME, "1 to 64 of letters, digits, '_', '.', ':' and '-'")]


@attrs.frozen
class FunctionDefinition:
    """Declare a function to the model."""

    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


@attrs.frozen
class FunctionTool:
    """Hold a tool that is a function."""

    function: FunctionDefinition


@attrs.frozen
class NamedFunction:
    """Name one function."""

    name: FunctionName


@attrs.frozen
class FunctionChoice:
    """Ask for a call of one function."""

    type: Annotated[str, one_of("function")]
    function: NamedFunction


def _read_tool(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"must be an object, not {shown(value)}")
    spec = cast("dict[str, Any]", value)
    kind = spec.get("type")
    if kind is not None and not isinstance(kind, str):
        raise WrongValue("type", f"must be a string, not {shown(kind)}")
    if ToolSpec(index=0, spec=spec).type == "function":
        CONVERTER.structure(spec, FunctionTool)
    return spec


def _read_function(value: object) -> dict[str, Any]:
    CONVERTER.structure(value, FunctionDefinition)
    return {"type": "function", "function": value}


def _read_choice(value: object) -> Any:
    if isinstance(value, dict):
        CONVERTER.structure(value, FunctionChoice)
        return cast("object", value)
    if value in TOOL_CHOICES:
        return value
    raise ValueError(f"must be one of {', '.join(TOOL_CHOICES)}, or an object that names a function")


def _read_function_choice(value: object) -> Any:
    if isinstance(value, dict):
        named = CONVERTER.structure(value, NamedFunction)
        return {"type": "function", "function": {"name": named.name}}
    if value in FUNCTION_CHOICES:
        return value
    raise ValueError(f"must be one of {', '.join(FUNCTION_CHOICES)}, or an object that names a function")


Tool = Annotated[
    dict[str, Any],
    Shape(
        _read_tool,
        {
            "type": "object",
            "properties": {"type": {"type": ["string", "null"]}},
            "if": {
                "anyOf": [
                    {"required": ["type"], "properties": {"type": {"const": "function"}}},
                    {"required": ["function"], "maxProperties": 1},
                ]
            },
            "then": ref("FunctionTool"),
        },
    ),
]
"""A tool of any type; a function's is checked."""
Function = Annotated[dict[str, Any], Shape(_read_function, ref("FunctionDefinition"))]
"""An entry of the older `functions`, read as a tool."""
ToolChoice = Annotated[
    Any, Shape(_read_choice, {"anyOf": [{"type": "string", "enum": list(TOOL_CHOICES)}, ref("FunctionChoice")]})
]
LegacyChoice = Annotated[
    Any,
    Shape(
        _read_function_choice,
        {"anyOf": [{"type": "string", "enum": list(FUNCTION_CHOICES)}, ref("NamedFunction")]},
    ),
]
"""The older `function_call`, read as a `tool_choice`."""
