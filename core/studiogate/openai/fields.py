"""The fields of a chat completion request: their names, types and ranges."""

from typing import Annotated, Any, cast

import attrs

from studiogate.defaults import EFFORTS
from studiogate.openai.content import Attachment
from studiogate.openai.messages import Messages
from studiogate.openai.response_format import Format
from studiogate.openai.shape import Shape, number, one_of, whole
from studiogate.openai.tools import Function, LegacyChoice, Tool, ToolChoice
from studiogate.params import INT32, INT64, STOP_LIMIT
from studiogate.strict import shown


def _read_stop(value: object) -> tuple[str, ...]:
    sequences: object = [value] if isinstance(value, str) else value
    if not isinstance(sequences, list):
        raise TypeError(f"must be a string or a list of strings, not {shown(value)}")
    found = cast("list[object]", sequences)
    strings = tuple(each for each in found if isinstance(each, str))
    if len(strings) < len(found):
        raise TypeError("must be a string or a list of strings")
    if len(found) > STOP_LIMIT:
        raise ValueError(f"must hold at most {STOP_LIMIT} strings, not {len(found)}")
    # An empty one stops nothing.
    return tuple(each for each in strings if each)


def _read_effort(value: object) -> str | int:
    if isinstance(value, str) and value in EFFORTS:
        return value
    if isinstance(value, (int, float)):
        budget: int = _BUDGET.read(value)
        return budget
    raise ValueError(f"must be one of {', '.join(EFFORTS)}, or a budget in tokens")


def _read_one(value: object) -> int:
    if whole(-INT32, INT32).read(value) != 1:
        raise ValueError(f"must be 1, as a request gets one answer, not {shown(value)}")
    return 1


_BUDGET = whole(0, INT32)

Tokens = Annotated[int, whole(1, INT32)]
Stop = Annotated[
    tuple[str, ...],
    Shape(
        _read_stop,
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": STOP_LIMIT}]},
    ),
]
Effort = Annotated[
    str | int, Shape(_read_effort, {"anyOf": [{"type": "string", "enum": list(EFFORTS)}, _BUDGET.schema]})
]
Penalty = Annotated[float, number(-2, 2)]


REPORTED = (
    "audio",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "modalities",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "service_tier",
    "store",
    "top_logprobs",
    "verbosity",
    "web_search_options",
)
"""Fields that change the answer and have no place of their own in `Params`: they wait in `Params.other` for who honours
them, and are reported as ignored otherwise."""

FOR_PLUGINS = ("mcp_endpoint", "metadata", "prompt_cache_key", "safety_identifier", "user")
"""Fields that the gateway checks and has no use for itself."""


@attrs.frozen
class StreamOptions:
    """Hold what a stream is to have besides."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


@attrs.frozen(kw_only=True)
class ChatFields:
    """Hold the fields of a request, as `ABOUT` in schema.py explains them.

    None is what the client left open: null and absent are the same.
    """

    messages: Messages
    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, number(0, 2)] | None = None
    top_p: Annotated[float, number(0, 1)] | None = None
    max_completion_tokens: Tokens | None = None
    max_tokens: Tokens | None = None
    max_output_tokens: Tokens | None = None
    n: Annotated[int, Shape(_read_one, {"type": "integer", "const": 1})] | None = None
    stop: Stop | None = None
    seed: Annotated[int, whole(-INT64 - 1, INT64)] | None = None
    reasoning_effort: Effort | None = None
    response_format: Format | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    functions: list[Function] | None = None
    function_call: LegacyChoice | None = None
    attachments: list[Attachment] | None = None
    mcp_endpoint: str | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    logit_bias: dict[str, Annotated[float, number(-100, 100)]] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, whole(0, 20)] | None = None
    parallel_tool_calls: bool | None = None
    service_tier: str | None = None
    store: bool | None = None
    verbosity: Annotated[str, one_of("low", "medium", "high")] | None = None
    modalities: list[str] | None = None
    audio: dict[str, Any] | None = None
    prediction: dict[str, Any] | None = None
    web_search_options: dict[str, Any] | None = None
