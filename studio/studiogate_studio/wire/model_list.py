"""Read ListModels: which models the account may use, with their limits and defaults.

The answer is `[[row, ...]]`, a row being a long sparse array. Rows are found by their name wherever they lie, and the
public API's objects (`{"models": [{...}]}`) are understood too. A row that makes no sense is counted and skipped: one
odd model must not hide the others.
"""

from collections.abc import Iterator

import attrs

from studiogate.models import PREFIX, Model, Thinking, bare_id
from studiogate_studio.wire.errors import WireError
from studiogate_studio.wire.indices import Alias, ModelRow, ModelThinking
from studiogate_studio.wire.jspb import Json, decode, flag_at, float_at, int_at, list_at, text_at
from studiogate_studio.wire.request import THINKING_LEVELS

_GENERATE = "generateContent"
_THINKS = 25
"""The capability code of models that can think."""
_CALLS_FUNCTIONS = 10
"""The capability code of models that can call functions."""
_LOOKS_CLOSER = 43
"""The capability code of models that take a media resolution."""
_RISING = ("minimal", "low", "medium", "high")
_LEVELS = {number: level for level, number in THINKING_LEVELS.items()}
_MAX_LAYERS = 4
"""Arrays around a row at most; two in every capture."""
_FIELDS = {
    "name": ModelRow.NAME,
    "displayName": ModelRow.DISPLAY_NAME,
    "description": ModelRow.DESCRIPTION,
    "inputTokenLimit": ModelRow.INPUT_LIMIT,
    "outputTokenLimit": ModelRow.OUTPUT_LIMIT,
    "supportedGenerationMethods": ModelRow.METHODS,
    "temperature": ModelRow.TEMPERATURE,
    "topP": ModelRow.TOP_P,
    "topK": ModelRow.TOP_K,
}
"""The public API's names of what stands in a row."""


@attrs.frozen(kw_only=True)
class ModelList:
    """What a ListModels answer says."""

    models: tuple[Model, ...]
    """Those that can answer GenerateContent, each id once, in the page's order; then their other names."""
    skipped: int
    """Rows without a name that could be read."""


def read_models(body: bytes) -> ModelList:
    """Read a ListModels answer; raise `WireError` where it is no JSON or holds no row at all."""
    rows = list(_rows(decode(body), _MAX_LAYERS))
    if not rows:
        raise WireError("Expected a list of models; found no row of one.")
    named = [row for row in rows if text_at(row, ModelRow.NAME)]
    answering = [row for row in named if _GENERATE in list_at(row, ModelRow.METHODS)]
    unique: dict[str, Model] = {}
    for model in (*map(_model, answering), *(alias for row in answering for alias in _aliases(row))):
        unique.setdefault(model.id, model)
    return ModelList(models=tuple(unique.values()), skipped=len(rows) - len(named))


def _rows(value: Json, layers: int) -> Iterator[Json]:
    """Find the rows: the elements of the first array that holds one, bad ones included."""
    if isinstance(value, dict):
        value = next((value[key] for key in ("models", "data") if key in value), None)
    if not isinstance(value, list) or not layers:
        return
    if any(_is_row(item) for item in value):
        yield from (_as_row(item) for item in value)
        return
    for item in value:
        yield from _rows(item, layers - 1)


def _is_row(value: Json) -> bool:
    return (text_at(_as_row(value), ModelRow.NAME) or "").startswith(PREFIX)


def _as_row(value: Json) -> Json:
    if not isinstance(value, dict):
        return value
    row: list[Json] = [None] * (max(_FIELDS.values()) + 1)
    for name, index in _FIELDS.items():
        row[index] = value.get(name)
    return row


def _model(row: Json) -> Model:
    identity, capabilities = bare_id(text_at(row, ModelRow.NAME) or ""), list_at(row, ModelRow.CAPABILITIES)
    return Model(
        id=identity,
        display_name=text_at(row, ModelRow.DISPLAY_NAME) or identity,
        description=text_at(row, ModelRow.DESCRIPTION) or "",
        input_token_limit=int_at(row, ModelRow.INPUT_LIMIT),
        output_token_limit=int_at(row, ModelRow.OUTPUT_LIMIT),
        default_temperature=float_at(row, ModelRow.TEMPERATURE),
        default_top_p=float_at(row, ModelRow.TOP_P),
        default_top_k=int_at(row, ModelRow.TOP_K),
        thinking=_thinking(row),
        media_resolution=_LOOKS_CLOSER in capabilities,
        functions=_CALLS_FUNCTIONS in capabilities if capabilities else None,
    )


def _aliases(row: Json) -> Iterator[Model]:
    """Yield the other names of a row's model, such as gemini-flash-latest; what their numbers mean is not known."""
    for alias in list_at(row, ModelRow.ALIASES):
        if name := bare_id(text_at(alias, Alias.NAME) or ""):
            yield _model(row).alias(name)


def _thinking(row: Json) -> Thinking | None:
    thinking = list_at(row, ModelRow.THINKING)
    if not thinking:
        return Thinking() if _THINKS in list_at(row, ModelRow.CAPABILITIES) else None
    offered = {_LEVELS.get(int_at(level) or 0) for level in list_at(thinking, ModelThinking.LEVELS)}
    return Thinking(
        min_budget=int_at(thinking, ModelThinking.MIN_BUDGET),
        max_budget=int_at(thinking, ModelThinking.MAX_BUDGET),
        default_budget=int_at(thinking, ModelThinking.DEFAULT_BUDGET),
        can_turn_off=flag_at(thinking, ModelThinking.CAN_TURN_OFF),
        off_by_default=flag_at(thinking, ModelThinking.OFF_BY_DEFAULT),
        levels=tuple(level for level in _RISING if level in offered),
        default_level=_LEVELS.get(int_at(thinking, ModelThinking.DEFAULT_LEVEL) or 0),
    )
