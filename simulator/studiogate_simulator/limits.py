"""What upstream refuses of a generation config: values out of range, and what the model doesn't have.

The rules for schemas are those that users of Google's public API report.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from studiogate_simulator.jspb import Json
from studiogate_simulator.models import MEDIA_RESOLUTION, THINKING, THINKING_BUDGET, THINKING_LEVEL, Model
from studiogate_simulator.status import INVALID_ARGUMENT, RpcFailure
from studiogate_simulator.submission import LEVELS

JSON_MIME: Final = "application/json"
_MIMES: Final = ("text/plain", JSON_MIME)
_ENDS: Final = {"temperature": (0, 2), "top_p": (0, 1), "top_k": (1, 1000), "seed": (-(2**31), 2**31 - 1)}
"""Closed ranges of the generation config."""
_WHOLE: Final = ("top_k", "seed", "max_output_tokens")
_FORMATS: Final = {
    "string": ("enum", "date-time"),
    "number": ("float", "double"),
    "integer": ("int32", "int64"),
}
_WHATEVER_FITS: Final = -1
"""The budget that leaves it to the model."""


def check_config(config: dict[str, Json], model: Model) -> None:
    """Refuse generation configs that upstream refuses; raises RpcFailure (invalid argument)."""
    ends = _ENDS | {"max_output_tokens": (1, model.output_limit)}
    for name, (least, most) in ends.items():
        value = config.get(name)
        if value is None:
            continue
        kind = int if name in _WHOLE else int | float
        if isinstance(value, bool) or not isinstance(value, kind) or not least <= value <= most:
            raise _refused(
                f"Unable to submit request because {name} is {value} but must be in the range [{least}, {most}]."
            )
    if "media_resolution" in config and MEDIA_RESOLUTION not in model.capabilities:
        raise _refused("Media resolution is not supported for this model.")
    if isinstance(thinking := config.get("thinking"), dict):
        _check_thinking(thinking, model)
    _check_form(config.get("response_mime_type"), config.get("response_schema"))


def _check_thinking(thinking: dict[str, Json], model: Model) -> None:
    """Refuse a way of thinking that the model doesn't have; the page itself never sends one."""
    included, budget, level = bool(thinking.get("include_thoughts")), thinking.get("budget"), thinking.get("level")
    asked = {
        "Thinking": (included, THINKING),
        "Thinking budget": (budget is not None, THINKING_BUDGET),
        "Thinking level": (level is not None, THINKING_LEVEL),
    }
    for name, (wanted, capability) in asked.items():
        if wanted and capability not in model.capabilities:
            raise _refused(f"{name} is not supported for this model.")
    if budget is not None:
        _check_budget(budget, model)
    if budget == 0 and included:
        raise _refused("Thinking_config.include_thoughts is only enabled when thinking is enabled.")
    if level is not None and level not in [LEVELS.get(number) for number in model.levels]:
        raise _refused(f"Thinking level {level} is not supported for this model.")


def _check_budget(budget: Json, model: Model) -> None:
    least, most = model.budgets
    if budget == 0 and model.can_turn_thinking_off:
        return
    if not isinstance(budget, int) or (budget != _WHATEVER_FITS and not least <= budget <= most):
        raise _refused(f"The thinking budget {budget} is invalid. Please choose a value between {least} and {most}.")


def _check_form(mime: Json, schema: Json) -> None:
    if mime is not None and mime not in _MIMES:
        raise _refused(f"response_mime_type: allowed mimetypes are {', '.join(_MIMES)}.")
    if schema is None:
        return
    if mime != JSON_MIME:
        raise _refused(f"response_schema is only supported with the response mime type {JSON_MIME}.")
    wrong = list(wrong_schema(schema, "GenerateContentRequest.generation_config.response_schema"))
    if wrong:
        raise _refused("\n".join(f"* {each}" for each in wrong))


def wrong_schema(schema: Json, path: str) -> Iterator[str]:
    """Find what upstream refuses in a schema, a sentence with its place each."""
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    choices = schema.get("anyOf")
    if kind is None and not choices:
        yield f"{path}: schema didn't specify the schema type field"
    known = _FORMATS.get(str(kind), ())
    if schema.get("format") not in (None, *known):
        yield f"{path}.format: only {' and '.join(known) or 'none'} are supported for {str(kind).upper()} type"
    yield from _wrong_enum(schema.get("enum"), kind, path)
    if kind == "array" and "items" not in schema:
        yield f"{path}.items: missing field"
    if kind == "object" and not schema.get("properties"):
        yield f"{path}.properties: should be non-empty for OBJECT type"
    properties = schema.get("properties")
    named = properties if isinstance(properties, dict) else {}
    for index, name in enumerate(_listed(schema.get("required"))):
        if name not in named:
            yield f"{path}.required[{index}]: property is not defined"
    for name, child in named.items():
        yield from wrong_schema(child, f"{path}.properties[{name}]")
    yield from wrong_schema(schema.get("items"), f"{path}.items")
    for index, choice in enumerate(_listed(choices)):
        yield from wrong_schema(choice, f"{path}.any_of[{index}]")


def _wrong_enum(values: Json, kind: Json, path: str) -> Iterator[str]:
    if values is not None and kind != "string":
        yield f"{path}.enum: only allowed for STRING type"
    for index, value in enumerate(_listed(values)):
        if not isinstance(value, str) or not value:
            yield f"{path}.enum[{index}]: cannot be empty"


def _listed(values: Json) -> Sequence[Json]:
    return values if isinstance(values, list) else ()


def _refused(message: str) -> RpcFailure:
    return RpcFailure(INVALID_ARGUMENT, message)
