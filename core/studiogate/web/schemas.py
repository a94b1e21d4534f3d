"""JSON Schema of what the gateway answers, for `/openapi.json`. Fields that only studiogate has say so."""

from typing import Any

from studiogate.breaker import BreakerState
from studiogate.events import FinishReason
from studiogate.openai.shape import ref

type Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WORDS: Schema = {"type": "string", "minLength": 1}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SECONDS: Schema = {"type": "number", "minimum": 0}


def nullable(schema: Schema) -> Schema:
    """Return the schema of the same or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: Schema, **limits: Any) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema, **limits}


def only(value: Any) -> Schema:
    """Return the schema of one value."""
    return {"const": value}


def record(about: str, fields: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """Return the schema of an object.

    :param fields: those that are always there.
    :param optional: those that may be left out.
    """
    properties = {**fields, **(optional or {})}
    return {"type": "object", "description": about, "properties": properties, "required": list(fields)}


_FUNCTION = record("A function and what it is called with.", {"name": WORDS, "arguments": TEXT})
_URL_CITATION = record(
    "A source, and which characters of the content rest on it.",
    {"url": TEXT, "title": TEXT, "start_index": COUNT, "end_index": COUNT},
)
_IMAGE_URL = record("A data URL.", {"url": {"type": "string", "pattern": "^data:"}})
_FINISH: Schema = {"type": "string", "enum": [str(reason) for reason in FinishReason]}
_HEAD: dict[str, Schema] = {
    "id": {"type": "string", "pattern": "^chatcmpl-"},
    "created": COUNT,
    "model": TEXT,
    "system_fingerprint": TEXT,
}
_PARTS: dict[str, Schema] = {
    "annotations": many(ref("Annotation")),
    "reasoning_content": {"type": "string", "description": "Studiogate's own: what the model thought."},
    "images": {**many(ref("Image")), "description": "Studiogate's own: generated images, also in the content."},
}

_COMPLETIONS: dict[str, Schema] = {
    "ChatCompletion": record(
        "A whole answer.",
        {
            **_HEAD,
            "object": only("chat.completion"),
            "choices": many(ref("Choice"), minItems=1, maxItems=1),
            "usage": ref("Usage"),
        },
    ),
    "Choice": record(
        "The one answer.",
        {"index": only(0), "message": ref("AnswerMessage"), "logprobs": only(None), "finish_reason": _FINISH},
    ),
    "AnswerMessage": record(
        "What the model says.",
        {"role": only("assistant"), "content": nullable(TEXT), "refusal": nullable(TEXT)},
        {**_PARTS, "tool_calls": many(ref("ToolCall"), minItems=1)},
    ),
    "ToolCall": record(
        "A call that the client is to make.", {"id": WORDS, "type": only("function"), "function": _FUNCTION}
    ),
    "Annotation": record("A source of the answer.", {"type": only("url_citation"), "url_citation": _URL_CITATION}),
    "Image": record("A generated image.", {"type": only("image_url"), "image_url": _IMAGE_URL}),
    "Usage": record(
        "Token counts. The header `x-studiogate-usage: estimated` marks those that nobody counted.",
        {
            "prompt_tokens": COUNT,
            "completion_tokens": COUNT,
            "total_tokens": COUNT,
            "prompt_tokens_details": record("", {"cached_tokens": COUNT, "audio_tokens": COUNT}),
            "completion_tokens_details": record(
                "",
                {
                    "reasoning_tokens": COUNT,
                    "audio_tokens": COUNT,
                    "accepted_prediction_tokens": COUNT,
                    "rejected_prediction_tokens": COUNT,
                },
            ),
        },
    ),
    "ChatCompletionEvent": record(
        "One of the server-sent events of a streamed answer.",
        {
            "data": {
                "anyOf": [
                    {
                        **TEXT,
                        "description": "A chunk; or an error, with which the stream ends.",
                        "contentMediaType": "application/json",
                        "contentSchema": {"anyOf": [ref("ChatCompletionChunk"), ref("Error")]},
                    },
                    {"const": "[DONE]", "description": "The end of a whole answer."},
                ]
            }
        },
    ),
    "ChatCompletionChunk": record(
        "A piece of a streamed answer.",
        {**_HEAD, "object": only("chat.completion.chunk"), "choices": many(ref("ChunkChoice"), maxItems=1)},
        {"usage": nullable(ref("Usage"))},
    ),
    "ChunkChoice": record(
        "A piece of the one answer.",
        {"index": only(0), "delta": ref("Delta"), "logprobs": only(None), "finish_reason": nullable(_FINISH)},
    ),
    "Delta": record(
        "What a chunk adds to the message.",
        {},
        {
            "role": only("assistant"),
            "content": nullable(TEXT),
            "refusal": nullable(TEXT),
            **_PARTS,
            "tool_calls": many(ref("ToolCallDelta"), minItems=1),
        },
    ),
    "ToolCallDelta": record(
        "A piece of a call: first its id and name, then its arguments.",
        {"index": COUNT, "function": record("", {}, {"name": TEXT, "arguments": TEXT})},
        {"id": WORDS, "type": only("function")},
    ),
}

_LIMIT = nullable({"type": "integer"})
_MODELS: dict[str, Schema] = {
    "ModelList": record("What can be asked now.", {"object": only("list"), "data": many(ref("Model"))}),
    "Model": record(
        "A model, or another name of one.",
        {
            "id": WORDS,
            "object": only("model"),
            "created": COUNT,
            "owned_by": TEXT,
            "display_name": TEXT,
            "description": TEXT,
            "injected": {"type": "boolean", "description": "Whether the operator's configuration added it."},
            "target": {**nullable(TEXT), "description": "The id of the model that answers for this one."},
            "input_token_limit": _LIMIT,
            "output_token_limit": _LIMIT,
            "default_temperature": nullable({"type": "number"}),
            "default_top_p": nullable({"type": "number"}),
            "default_top_k": _LIMIT,
            "thinking": nullable(ref("Thinking")),
            "media_resolution": {"type": "boolean", "description": "Whether `detail` of images can be honoured."},
            "functions": {**nullable(FLAG), "description": "Whether it can call functions; null where nobody says."},
        },
    ),
    "Thinking": record(
        "How a model's thinking can be set: by a budget in tokens, or by named levels.",
        {
            "min_budget": _LIMIT,
            "max_budget": _LIMIT,
            "default_budget": _LIMIT,
            "can_turn_off": FLAG,
            "off_by_default": FLAG,
            "levels": many(TEXT),
            "default_level": nullable(TEXT),
        },
    ),
}

_STATE: dict[str, Schema] = {
    "Queue": record(
        "What waits and what runs.",
        {
            "queue_length": COUNT,
            "is_processing_locked": {"type": "boolean", "description": "Whether all slots are busy."},
            "items": {**many(ref("QueueItem")), "description": "What waits, the next one first."},
            "running": {**many(ref("QueueItem")), "description": "What runs, the oldest first."},
            "slots": COUNT,
            "limit": {"type": "integer", "minimum": 0, "description": "How many may wait."},
        },
    ),
    "QueueItem": record(
        "A request. Where keys are configured, a caller without one sees only how its id begins.",
        {
            "req_id": TEXT,
            "enqueue_time": {"type": "number", "description": "Unix time in seconds."},
            "wait_time_seconds": SECONDS,
            "is_streaming": FLAG,
            "cancelled": FLAG,
        },
    ),
    "Cancelled": record("The end of a request.", {"success": only(True), "req_id": TEXT, "message": TEXT}),
    "Health": record(
        "Whether requests can be answered. Plugins may add flags.",
        {
            "status": {"type": "string", "enum": ["ok", "unavailable"]},
            "message": {**nullable(TEXT), "description": "Why not, and what to do."},
            "playwright_ready": FLAG,
            "browser_connected": FLAG,
            "page_ready": FLAG,
            "worker_running": FLAG,
            "queue_length": COUNT,
            "plugins": {"type": "object", "additionalProperties": ref("PluginHealth")},
            "backends": many(TEXT),
            "breakers": {"type": "object", "additionalProperties": ref("Breaker")},
            "queue": record("", {"slots": COUNT, "running": COUNT, "waiting": COUNT}),
        },
    ),
    "Breaker": record(
        "Whether a backend is asked in its turn, or last of all because it kept failing.",
        {
            "state": {"type": "string", "enum": [str(state) for state in BreakerState]},
            "failures": {**COUNT, "description": "In a row."},
            "again_in_s": {**SECONDS, "description": "When it gets its turn again."},
        },
    ),
    "PluginHealth": record(
        "How one plugin fares.",
        {"ready": FLAG, "status": TEXT, "advice": nullable(TEXT), "details": {"type": "object"}},
    ),
    "Info": record(
        "What a client needs to know to use this gateway.",
        {
            "name": TEXT,
            "version": TEXT,
            "message": TEXT,
            "openai_compatible": FLAG,
            "server_base_url": TEXT,
            "api_base_url": TEXT,
            "api_key_required": FLAG,
            "auth_header": TEXT,
            "supported_auth_methods": many(TEXT),
            "model_name": nullable(TEXT),
            "backends": many(TEXT),
            "defaults": {"type": "object"},
            "endpoints": many(record("", {"method": TEXT, "path": TEXT, "description": TEXT})),
        },
    ),
    "Error": record(
        "The body of every error.",
        {
            "error": record(
                "What is wrong.",
                {
                    "message": WORDS,
                    "type": WORDS,
                    "param": {**nullable(TEXT), "description": "The place in the request, such as `messages[0].role`."},
                    "code": nullable(TEXT),
                },
            ),
            "detail": {"type": "string", "description": "The message again, for clients of the older guide."},
        },
    ),
}

RESPONSES: dict[str, Schema] = {**_COMPLETIONS, **_MODELS, **_STATE}
"""By name."""
