"""What the service is asked: an exchange as the JSON body of OpenAI's chat completions."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import msgspec

from studiogate.attachments import AttachmentRef
from studiogate.chat import Message, Role
from studiogate.exchange import Exchange
from studiogate.functions import IN_WORDS, PARALLEL, CallMode, FunctionPlan, json_in_words, plan_functions
from studiogate.params import Params, ResponseFormat
from studiogate.text_conversation import as_text
from studiogate.tools import FunctionDeclaration
from studiogate_helper_backend.files import read_parts
from studiogate_helper_backend.settings import HelperBackendSettings

ENCODED_AT_ONCE = 256 * 1024
"""Characters of a conversation that take well below a millisecond to be written as JSON."""

_UNREADABLE = ("audio", "logprobs", "top_logprobs")
"""Parameters that ask for what answers have no place for here; they are reported as ignored."""

_encode = msgspec.json.Encoder().encode

type Parts = Mapping[AttachmentRef, dict[str, Any]]


def pass_on(params: Params) -> Params | None:
    """Return parameters with all that the service is given as it is; the rest stays, to be reported as ignored.

    None where there is nothing to pass on.
    """
    if not params.other and not params.passed:
        return None
    kept = {name: value for name, value in params.other.items() if name in _UNREADABLE or _asks_for_audio(name, value)}
    passed = {name: value for name, value in params.other.items() if name not in kept}
    passed |= params.passed
    ignored = {name: why for name, why in params.ignored.items() if name not in passed}
    return attrs.evolve(params, other=kept, passed=passed, ignored=ignored)


def plan_text(exchange: Exchange) -> FunctionPlan | None:
    """Return how functions are called in text, where the operator wants them so; None where the service calls them.

    Asks for JSON in words where functions may be called, and notes so in the exchange's parameters.
    """
    if exchange.call_mode is not CallMode.EMULATED:
        return None
    plan = plan_functions(exchange.request, exchange.plan, emulate=True)
    form = exchange.params.response_format
    if not plan.offered or form is None:
        return plan
    exchange.params = exchange.params.drop("response_format", IN_WORDS)
    return attrs.evolve(plan, instruction=f"{plan.instruction}\n\n{json_in_words(form)}")


async def encoded_request(
    exchange: Exchange, options: HelperBackendSettings, in_text: FunctionPlan | None = None
) -> bytes:
    """Return the body. What takes long, files above all, is done in a thread.

    :param in_text: as `chat_request`.
    """
    said = sum(len(message.text) for message in exchange.request.messages)
    if not exchange.files and said <= ENCODED_AT_ONCE:
        return _encode(chat_request(exchange, options, {}, in_text))
    return await asyncio.to_thread(
        lambda: _encode(chat_request(exchange, options, read_parts(exchange.files), in_text))
    )


def chat_request(
    exchange: Exchange, options: HelperBackendSettings, parts: Parts, in_text: FunctionPlan | None = None
) -> dict[str, Any]:
    """Return the request as the service gets it.

    :param parts: the content of every reference among the messages.
    :param in_text: how functions are called in text; None where the service gets them as such.
    """
    request = exchange.request
    body: dict[str, Any] = {name: request.extra[name] for name in options.pass_fields if name in request.extra}
    body |= exchange.params.passed
    if exchange.model is not None:
        body["model"] = options.models.get(exchange.model.id, exchange.model.id)
    messages = request.messages if in_text is None else as_text(request.messages, in_text.instruction)
    body["messages"] = [_message(message, parts) for message in messages]
    if tools := list(_tools(exchange) if in_text is None else _upstream(exchange)):
        body["tools"] = tools
        if request.tool_choice is not None and in_text is None:
            body["tool_choice"] = request.tool_choice
    if in_text is not None:
        body.pop(PARALLEL, None)
    body |= _parameters(exchange, options)
    if request.stream:
        body["stream"] = True
        if request.include_usage:
            body["stream_options"] = {"include_usage": True}
    return body


def _message(message: Message, parts: Parts) -> dict[str, Any]:
    said: dict[str, Any] = {"role": str(message.role), "content": _content(message, parts)}
    if message.name and message.role is not Role.TOOL:
        said["name"] = message.name
    if message.tool_calls:
        said["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        said["tool_call_id"] = message.tool_call_id
    return said


def _content(message: Message, parts: Parts) -> str | list[dict[str, Any]] | None:
    if message.attachments:
        text = [{"type": "text", "text": message.text}] if message.text else []
        return [*text, *(parts[ref] for ref in message.attachments)]
    # Where the assistant only called tools, OpenAI says null.
    return None if message.tool_calls and not message.text else message.text


def _tools(exchange: Exchange) -> Iterator[Mapping[str, Any]]:
    """Yield the client's tools as it sent them, and the functions that plugins add.

    Of tools that a plugin took, those that ask for one built into the upstream may be known to the service too; any
    other is that plugin's to run, by functions of its own.
    """
    offered = {function.name for function in exchange.plan.functions}
    named: set[str] = set()
    for tool in exchange.request.tools:
        if (name := tool.function) is not None and name in offered:
            named.add(name)
            yield {"type": "function", **tool.spec}
        elif tool.index in exchange.plan.upstream:
            yield tool.spec if name is None else {"type": "function", **tool.spec}
    for function in exchange.plan.functions:
        if function.name not in named:
            yield _declared(function)


def _upstream(exchange: Exchange) -> Iterator[Mapping[str, Any]]:
    """Yield what the client asks for of the tools built into the upstream, unless it is written as a function."""
    return (t.spec for t in exchange.request.tools if t.index in exchange.plan.upstream and t.function is None)


def _declared(function: FunctionDeclaration) -> Mapping[str, Any]:
    parameters = {"parameters": dict(function.parameters)} if function.parameters else {}
    return {
        "type": "function",
        "function": {"name": function.name, "description": function.description, **parameters},
    }


def _parameters(exchange: Exchange, options: HelperBackendSettings) -> dict[str, Any]:
    asked, params = exchange.request.params, exchange.params
    named = {
        "temperature": "temperature",
        "top_p": "top_p",
        "max_tokens": options.limit_field,
        "stop": "stop",
        "seed": "seed",
        "reasoning_effort": "reasoning_effort",
    }
    body: dict[str, Any] = {}
    for name, theirs in named.items():
        value = getattr(params, name)
        said = options.send_defaults or getattr(asked, name) not in (None, ())
        if said and value not in (None, ()):
            body[theirs] = value
    if params.response_format is not None:
        body["response_format"] = _response_format(params.response_format)
    return body


def _response_format(wanted: ResponseFormat) -> dict[str, Any]:
    if wanted.schema is None:
        return {"type": "json_object"}
    schema: dict[str, Any] = {"name": wanted.name or "answer", "schema": wanted.schema}
    said = {"description": wanted.description, "strict": wanted.strict}
    schema |= {name: value for name, value in said.items() if value is not None}
    return {"type": "json_schema", "json_schema": schema}


def _asks_for_audio(name: str, value: object) -> bool:
    return name == "modalities" and isinstance(value, list) and "audio" in value
