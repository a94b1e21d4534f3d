"""JSON Schema of what clients send to `POST /v1/chat/completions`, made of the types by which it is read.

Nothing about a field's type or range is said here again: `describe` reads it off the shapes.
"""

import builtins
import types
import typing
from collections.abc import Iterable
from typing import Any, get_args, get_origin

import attrs

from studiogate.openai.content import SCHEMAS, ContentObject
from studiogate.openai.fields import ChatFields
from studiogate.openai.messages import SOMETHING, ChatMessage
from studiogate.openai.response_format import JsonSchema, JsonSchemaFormat
from studiogate.openai.shape import ref, shapes
from studiogate.openai.tools import FunctionChoice, FunctionDefinition, FunctionTool, NamedFunction

type Schema = dict[str, Any]

ABOUT = {
    "messages": "The conversation, oldest message first. Somebody must say something in it, or something be attached.",
    "model": "An id of `GET /v1/models`. Without one, the operator's default model answers.",
    "stream": "Whether the answer comes as server-sent events.",
    "stream_options": "`include_usage` adds a chunk with the token counts to the end of a stream.",
    "temperature": "How freely the model chooses its words.",
    "top_p": "The share of probability that words are chosen from.",
    "max_completion_tokens": "Limit of the answer in tokens, thoughts included.",
    "max_tokens": "Older name of `max_completion_tokens`.",
    "max_output_tokens": "Google's name of `max_completion_tokens`.",
    "n": "The number of answers.",
    "stop": "Sequences that end the answer and are not part of it.",
    "seed": "Makes answers repeatable, as far as the model is.",
    "reasoning_effort": "How much the model thinks: a word, or a budget in tokens.",
    "response_format": "Whether the answer is JSON, and by which schema.",
    "tools": "What the model may call: functions, and tools of the gateway's plugins such as `google_search`.",
    "tool_choice": "Whether the model may, must not or must call functions; an object names the one of them to call.",
    "functions": "Older form of `tools`.",
    "function_call": "Older form of `tool_choice`.",
    "attachments": "What goes with the last message that is not a system message.",
    "mcp_endpoint": "A server of the Model Context Protocol whose tools the model may call.",
    "user": "Accepted, without effect.",
    "metadata": "Accepted, without effect.",
    "safety_identifier": "Accepted, without effect.",
    "prompt_cache_key": "Accepted, without effect.",
    "frequency_penalty": "Says less of what was said often. Reported as ignored where no backend honours it.",
    "presence_penalty": "Says less of what was said at all. Reported as ignored where no backend honours it.",
    "logit_bias": "Bias by token. Reported as ignored where no backend honours it.",
    "logprobs": "Whether to tell tokens' probabilities. Reported as ignored where no backend honours it.",
    "top_logprobs": "For how many tokens at each place. Reported as ignored where no backend honours it.",
    "parallel_tool_calls": "Whether several calls may be made at once. `false` is reported as ignored where no backend "
    "honours it.",
    "service_tier": "A class of service. Reported as ignored where no backend honours it.",
    "store": "Whether to keep the answer. `true` is reported as ignored where no backend honours it.",
    "verbosity": "How wordy to be. Reported as ignored where no backend honours it.",
    "modalities": "Kinds of output. Reported as ignored where no backend honours them.",
    "audio": "The voice of the answer. Reported as ignored where no backend honours it.",
    "prediction": "What most of the answer will be. Reported as ignored where no backend honours it.",
    "web_search_options": "Options of a web search. Reported as ignored where no backend honours them.",
}
"""What each field of a request means."""

_NULL: Schema = {"type": "null"}
_PLAIN: dict[Any, Schema] = {
    Any: {},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    types.NoneType: _NULL,
}


_REFERRED_TO: tuple[type, ...] = (
    ChatMessage,
    ContentObject,
    FunctionChoice,
    FunctionDefinition,
    FunctionTool,
    JsonSchema,
    JsonSchemaFormat,
    NamedFunction,
)
"""Classes that the shapes' schemas name."""


def request_schemas(models: Iterable[str] = ()) -> dict[str, Schema]:
    """Return the schema `ChatCompletionRequest` and all that it refers to, by name.

    :param models: ids that are offered now; where there are none, any is taken.
    """
    schemas = dict(SCHEMAS)
    for kind in _REFERRED_TO:
        describe(kind, schemas)
    describe(ChatFields, schemas)
    request = schemas.pop(ChatFields.__name__)
    fields = request["properties"]
    if ids := list(models):
        # An empty id is none.
        fields["model"] = {"anyOf": [{"type": "string", "enum": ids}, {"type": "string", "maxLength": 0}, _NULL]}
    request["properties"] = {name: {**schema, "description": ABOUT[name]} for name, schema in fields.items()}
    request["anyOf"] = [
        {"properties": {"messages": {"contains": SOMETHING}}},
        {"required": ["attachments"], "properties": {"attachments": {"type": "array", "minItems": 1}}},
    ]
    return {"ChatCompletionRequest": request, **schemas}


def describe(annotation: Any, schemas: dict[str, Schema]) -> Schema:
    """Return the schema of a type that the parser reads; those of the classes in it go to `schemas`, by name."""
    for shape in shapes(annotation):
        return dict(shape.schema)
    if annotation in _PLAIN:
        return dict(_PLAIN[annotation])
    if attrs.has(annotation):
        if annotation.__name__ not in schemas:
            schemas[annotation.__name__] = _object(annotation, schemas)
        return ref(annotation.__name__)
    inner = [describe(each, schemas) for each in get_args(annotation)]
    match get_origin(annotation):
        case builtins.list:
            return {"type": "array", "items": inner[0]}
        case builtins.dict:
            return {"type": "object", **({"additionalProperties": inner[1]} if inner[1] else {})}
        case types.UnionType | typing.Union:
            return {"anyOf": inner}
        case _:
            raise TypeError(f"cannot describe {annotation}")


def _object(kind: type[attrs.AttrsInstance], schemas: dict[str, Schema]) -> Schema:
    fields = attrs.fields(kind)
    required = [field.name for field in fields if field.default is attrs.NOTHING]
    return {
        "type": "object",
        "properties": {field.name: describe(field.type, schemas) for field in fields},
        **({"required": required} if required else {}),
    }
