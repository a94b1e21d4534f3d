"""`GET /openapi.json`: the API as it is now, in OpenAPI 3.1."""

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

from litestar import get
from litestar.datastructures import State

from studiogate.errors import ERRORS
from studiogate.gateway import Gateway
from studiogate.keys import ApiKeys
from studiogate.openai.schema import request_schemas
from studiogate.openai.shape import ref
from studiogate.web.logs import LEVELS
from studiogate.web.schemas import COUNT, RESPONSES, TEXT, Schema

_JSON = "application/json"
_ANYWHERE = (403, 500)
"""Errors of every operation: a web page of another site, a bug."""
_CHAT = (400, 401, 403, 413, 422, 429, 499, 500, 502, 503, 504)
_WAITS = (429, 503)
"""Errors that may say when to come back."""

_TRACE_HEADERS: Schema = {
    "x-request-id": {
        "description": "Names the request, for `/v1/cancel` and in the log.",
        "required": True,
        "schema": {"type": "string", "pattern": "^req_[0-9a-f]{24}$"},
    },
    "x-studiogate-backend": {"description": "Who answered.", "schema": TEXT},
    "x-studiogate-attempts": {"description": "Who was tried, in order, and how that went.", "schema": TEXT},
    "x-studiogate-ignored": {"description": "What was asked for and not honoured, each with a reason.", "schema": TEXT},
}
_ESTIMATED: Schema = {
    "x-studiogate-usage": {
        "description": "There when nobody counted the tokens.",
        "schema": {"type": "string", "enum": ["estimated"]},
    }
}
_KEYS: list[Schema] = [{"bearer": []}, {"apiKey": []}]


@get("/openapi.json")
async def show_openapi(state: State) -> dict[str, Any]:
    """Describe the API; the models are those offered now."""
    gateway: Gateway = state.gateway
    keys: ApiKeys = state.api_keys
    return openapi([model.id for model in gateway.catalogue.models], key_required=keys.required)


def openapi(models: Sequence[str], *, key_required: bool) -> dict[str, Any]:
    """Return the whole document.

    :param models: ids that can be asked for; empty for any.
    :param key_required: whether chats need a key.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "studiogate",
            "version": version("studiogate"),
            "summary": "An OpenAI-compatible gateway.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": {path: {method: made} for path, method, made in _operations(key_required=key_required)},
        "components": {
            "schemas": {**request_schemas(models), **RESPONSES},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _operations(*, key_required: bool) -> Iterable[tuple[str, str, Schema]]:
    yield (
        "/v1/chat/completions",
        "post",
        _operation(
            "createChatCompletion",
            "Answer a conversation, whole or streamed.",
            {"200": _completion(), **_errors(_CHAT, trace=True)},
            security=_KEYS if key_required else [{}, *_KEYS],
            requestBody={"required": True, "content": {_JSON: {"schema": ref("ChatCompletionRequest")}}},
        ),
    )
    yield "/v1/models", "get", _shows("listModels", "List the models that can be asked now.", "ModelList")
    model = _parameter("model_id", "The model's id; it may hold slashes.")
    yield "/v1/models/{model_id}", "get", _shows("getModel", "Describe one model.", "Model", 404, parameters=[model])
    yield (
        "/v1/queue",
        "get",
        # Nobody is refused; who has a key sees more.
        _shows("getQueue", "Show what waits and what runs.", "Queue", security=[{}, *_KEYS]),
    )
    request = _parameter("req_id", "The `x-request-id` of a response, or the `id` in its body.")
    end = "End a request that waits or runs."
    yield "/v1/cancel/{req_id}", "post", _shows("cancelRequest", end, "Cancelled", 404, parameters=[request])
    health = _operation(
        "getHealth",
        "Tell whether requests can be answered, and if not, why and what to do.",
        {
            "200": _told("They can.", "Health"),
            "503": _told("They can't.", "Health"),
            **_errors(_ANYWHERE),
        },
    )
    yield "/health", "get", health
    yield "/api/info", "get", _shows("getInfo", "Tell what a client needs to know to use this gateway.", "Info")
    page = {"description": "A page.", "content": {"text/html": {"schema": TEXT}}}
    yield "/", "get", _operation("getStatusPage", "Show a person how things are.", {"200": page, **_errors(_ANYWHERE)})
    numbers = {"description": "The numbers.", "content": {"text/plain": {"schema": TEXT}}}
    described = {"200": numbers, **_errors((401, *_ANYWHERE))}
    security = _KEYS if key_required else [{}, *_KEYS]
    yield "/metrics", "get", _operation("getMetrics", "Show the gateway in numbers.", described, security=security)
    levels = {"type": "string", "enum": list(LEVELS), "default": "info"}
    asked = [{"name": "level", "in": "query", "description": "The least that is streamed.", "schema": levels}]
    lines = {"description": "A JSON object for each line.", "content": {"text/event-stream": {"schema": TEXT}}}
    described = {"200": lines, **_errors((400, 401, 429, *_ANYWHERE))}
    watch = "Stream the log as it is written."
    yield "/api/logs", "get", _operation("streamLogs", watch, described, security=security, parameters=asked)
    document = {"description": "This document.", "content": {_JSON: {"schema": {"type": "object"}}}}
    described = {"200": document, **_errors(_ANYWHERE)}
    yield "/openapi.json", "get", _operation("getOpenapi", "Describe the API.", described)


def _operation(name: str, summary: str, responses: Schema, **more: Any) -> Schema:
    return {"operationId": name, "summary": summary, **more, "responses": responses}


def _shows(name: str, summary: str, schema: str, *errors: int, **more: Any) -> Schema:
    responses = {"200": _told(RESPONSES[schema]["description"], schema), **_errors((*_ANYWHERE, *errors))}
    return _operation(name, summary, responses, **more)


def _parameter(name: str, about: str) -> Schema:
    schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "description": about, "schema": schema}


def _told(about: str, schema: str, **more: Any) -> Schema:
    return {"description": about, **more, "content": {_JSON: {"schema": ref(schema)}}}


def _completion() -> Schema:
    return {
        "description": "The answer.",
        "headers": {**_TRACE_HEADERS, **_ESTIMATED},
        "content": {
            _JSON: {"schema": ref("ChatCompletion")},
            "text/event-stream": {"schema": ref("ChatCompletionEvent")},
        },
    }


def _errors(statuses: Iterable[int], *, trace: bool = False) -> Schema:
    return {str(status): _error(status, trace=trace) for status in sorted(statuses)}


def _error(status: int, *, trace: bool) -> Schema:
    headers: Schema = dict(_TRACE_HEADERS) if trace else {}
    if status in _WAITS:
        headers["retry-after"] = {"description": "Seconds until it may work.", "schema": COUNT}
    if status == 401:  # noqa: PLR2004
        headers["www-authenticate"] = {"schema": TEXT}
    about = (ERRORS[status].__doc__ or "").strip()
    return _told(about, "Error", **({"headers": headers} if headers else {}))
