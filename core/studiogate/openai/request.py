"""From the JSON of `POST /v1/chat/completions` to a `ChatRequest`.

The JSON is taken strictly (a number as text is an error that names its place) but openly: fields nobody here knows are
kept in `ChatRequest.extra` for plugins. OpenAI's sampling fields without a counterpart go to `Params.other`, so that
they are either honoured by a backend or reported as ignored, never dropped silently.

    document.py     bytes -> a JSON object
    fields.py       the fields: their types and ranges, each as a shape (shape.py)
    messages.py, content.py, tools.py, response_format.py     the fields that take more than a range
"""

import logging
from collections.abc import Mapping
from typing import Any

import attrs
from cattrs.errors import BaseValidationError

from studiogate.chat import ChatRequest
from studiogate.errors import InvalidRequest
from studiogate.openai.document import json_object
from studiogate.openai.fields import FOR_PLUGINS, REPORTED, ChatFields
from studiogate.openai.messages import conversation, says_something
from studiogate.openai.shape import CONVERTER
from studiogate.params import Params
from studiogate.strict import Problem, problems, shown_name
from studiogate.tools import ToolSpec
from studiogate.trace import one_line

log = logging.getLogger(__name__)

PROBLEMS_SHOWN = 20
"""How many problems of one request are told in full."""

_HARMLESS: dict[str, tuple[object, ...]] = {
    "service_tier": ("auto", "default"),
    "parallel_tool_calls": (True,),
    "modalities": (["text"],),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "store": (False,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "verbosity": ("medium",),
}
"""Values that ask for what happens anyway; not worth a report."""

_READERS = {field.name: (CONVERTER.get_structure_hook(field.type), field.type) for field in attrs.fields(ChatFields)}
_NAMES = frozenset(_READERS)


def parse_chat_request(body: bytes | bytearray) -> ChatRequest:
    """Check the body of a chat completion and return it typed. Long attachments stay views of the body.

    :raises InvalidRequest: names the first wrong place in `param` and every one in its message.
    """
    document = json_object(body)
    fields = _read(document)
    _note_unknown(document)
    options = fields.stream_options
    return ChatRequest(
        messages=conversation(fields.messages, fields.attachments or ()),
        model=fields.model or None,
        params=Params(
            temperature=fields.temperature,
            top_p=fields.top_p,
            max_tokens=fields.max_completion_tokens or fields.max_tokens or fields.max_output_tokens,
            stop=fields.stop or (),
            seed=fields.seed,
            reasoning_effort=fields.reasoning_effort,
            response_format=fields.response_format,
            other={name: document[name] for name in REPORTED if _asks(name, document)},
        ),
        tools=tuple(
            ToolSpec(index=index, spec=spec)
            for index, spec in enumerate([*(fields.tools or ()), *(fields.functions or ())])
        ),
        tool_choice=fields.function_call if fields.tool_choice is None else fields.tool_choice,
        legacy_functions=bool(fields.functions and not fields.tools),
        stream=bool(fields.stream),
        include_usage=bool(options and options.include_usage),
        extra={
            name: value
            for name, value in document.items()
            if name not in _NAMES or (name in FOR_PLUGINS and value is not None)
        },
    )


def _read(document: Mapping[str, Any]) -> ChatFields:
    values: dict[str, Any] = {}
    found: list[Problem] = []
    for name, (read, kind) in _READERS.items():
        value = document.get(name)
        if value is None and name != "messages":
            continue
        try:
            if name not in document:
                raise ValueError("is required")  # noqa: TRY301 - told like every other problem
            values[name] = read(value, kind)
        except (BaseValidationError, ValueError, TypeError) as error:
            found.extend(problems(error, name))
    if "messages" in values and not values.get("attachments") and not says_something(values["messages"]):
        found.append(Problem("messages", "hold no text and no attachment"))
    if found:
        raise _refusal(found)
    return ChatFields(**values)


def _refusal(found: list[Problem]) -> InvalidRequest:
    shown = [f"{shown_name(problem.path)}: {problem.message}." for problem in found[:PROBLEMS_SHOWN]]
    more = len(found) - len(shown)
    return InvalidRequest(
        " ".join([*shown, *([f"And {more} more problem{'s' if more > 1 else ''}."] if more else [])]),
        param=shown_name(found[0].path),
    )


def _asks(name: str, document: Mapping[str, Any]) -> bool:
    return document.get(name) is not None and document[name] not in _HARMLESS.get(name, ())


def _note_unknown(document: Mapping[str, Any]) -> None:
    names = [name for name in document if name not in _NAMES]
    if names and log.isEnabledFor(logging.DEBUG):
        log.debug("a request has fields that the gateway doesn't know: %s", one_line(", ".join(names)))
