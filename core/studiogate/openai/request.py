"""From the JSON of `POST /v1/chat/completions` to a `ChatRequest`.

The JSON is taken strictly (a number as text is an error that names its place) but openly: fields nobody here knows are
kept in `ChatRequest.extra` for plugins. OpenAI's sampling fields without a counterpart go to `Params.other`, so that
they are either honoured by a backend or reported as ignored, never dropped silently.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import attrs
import cattrs
import msgspec
from cattrs.errors import BaseValidationError

from studiogate.attachments import AttachmentRef
from studiogate.chat import ChatRequest, Message, RequestedCall, Role
from studiogate.errors import InvalidRequest
from studiogate.params import Params
from studiogate.strict import WrongValue, problems, strict_converter, within
from studiogate.tools import ToolSpec

_OTHER_PARAMS = frozenset(
    {
        "audio",
        "frequency_penalty",
        "functions",
        "function_call",
        "logit_bias",
        "logprobs",
        "modalities",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "service_tier",
        "store",
        "top_logprobs",
        "verbosity",
        "web_search_options",
    }
)
"""Parameters of OpenAI's that change the answer and have no field of their own in `Params`."""

_HARMLESS: dict[str, tuple[object, ...]] = {
    "response_format": ({"type": "text"}, "text"),
    "service_tier": ("auto", "default"),
    "parallel_tool_calls": (True,),
    "modalities": (["text"],),
    "logprobs": (False,),
    "store": (False,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
}
"""Values that ask for what happens anyway; not worth a report."""

_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
    "function": Role.TOOL,
}

_REF_TYPES = ("image_url", "input_image", "file_url", "media_url", "input_audio", "input_video", "file", "input_file")
_REF_FIELDS = ("attachments", "images", "files", "media")
_SOURCE_KEYS = ("url", "path", "data", "file_data", *_REF_TYPES)
_REF_LEVELS = 2
"""How deep a source may be nested, as in `{"image_url": {"url": "..."}}`; bounded, so that no stack runs over."""


def _only_one(_: object, field: "attrs.Attribute[int | None]", value: int | None) -> None:
    if value not in (None, 1):
        raise WrongValue(field.name, f"must be 1, as a request gets one answer, not {value!r}")


@attrs.frozen
class _StreamOptions:
    include_usage: bool | None = None


@attrs.frozen
class _Function:
    name: str
    arguments: str = "{}"


@attrs.frozen
class _Call:
    function: _Function
    id: str = ""


@attrs.frozen
class _Message:
    role: str
    content: Any = None
    name: str | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    attachments: list[Any] | None = None
    images: list[Any] | None = None
    files: list[Any] | None = None
    media: list[Any] | None = None


@attrs.frozen
class _Body:
    messages: list[_Message]
    model: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    temperature: float | None = attrs.field(default=None, validator=within(0, 2))
    top_p: float | None = attrs.field(default=None, validator=within(0, 1))
    max_tokens: int | None = attrs.field(default=None, validator=within(1, math.inf))
    max_completion_tokens: int | None = attrs.field(default=None, validator=within(1, math.inf))
    max_output_tokens: int | None = attrs.field(default=None, validator=within(1, math.inf))
    stop: Any = None
    n: int | None = attrs.field(default=None, validator=_only_one)
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    attachments: list[Any] | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None


_CONVERTER: cattrs.Converter = strict_converter(forbid_extra_keys=False)
_KNOWN = frozenset(field.name for field in attrs.fields(_Body))


def parse_chat_request(body: bytes) -> ChatRequest:
    """Check the body of a chat completion and return it typed.

    :raises InvalidRequest: names the first wrong place in `param` and every one in its message.
    """
    document = _json_object(body)
    try:
        parsed = _CONVERTER.structure(document, _Body)
    except BaseValidationError as error:
        found = list(problems(error))
        raise InvalidRequest(
            " ".join(f"{problem.path}: {problem.message}." for problem in found), param=found[0].path or None
        ) from None
    extra = {key: value for key, value in document.items() if key not in _KNOWN}
    other = {
        key: extra.pop(key)
        for key in sorted(_OTHER_PARAMS & extra.keys())
        if extra[key] is not None and extra[key] not in _HARMLESS.get(key, ())
    }
    options = parsed.stream_options
    return ChatRequest(
        messages=_messages(parsed),
        model=parsed.model or None,
        params=Params(
            temperature=parsed.temperature,
            top_p=parsed.top_p,
            max_tokens=parsed.max_completion_tokens or parsed.max_tokens or parsed.max_output_tokens,
            stop=_stop(parsed.stop),
            other=other,
        ),
        tools=tuple(ToolSpec(index=index, spec=spec) for index, spec in enumerate(parsed.tools or ())),
        tool_choice=parsed.tool_choice,
        stream=bool(parsed.stream),
        include_usage=bool(options and options.include_usage),
        extra={key: value for key, value in extra.items() if key not in _OTHER_PARAMS},
    )


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"The body is not JSON: {error}.") from None
    if not isinstance(document, dict):
        raise InvalidRequest("The body must be a JSON object with `messages`.")
    return cast("dict[str, Any]", document)


def _messages(body: _Body) -> tuple[Message, ...]:
    messages = [_message(message, f"messages[{index}]") for index, message in enumerate(body.messages)]
    spoken = [index for index, message in enumerate(messages) if message.role is not Role.SYSTEM]
    if not spoken:
        raise InvalidRequest("messages: must hold at least one message that is not a system message.", param="messages")
    refs = tuple(_refs(body.attachments or (), "attachments"))
    if refs:
        # Attachments of the whole request belong to what the client says last.
        last = messages[spoken[-1]]
        messages[spoken[-1]] = attrs.evolve(last, attachments=(*last.attachments, *refs))
    if not any(
        messages[index].text.strip() or messages[index].attachments or messages[index].tool_calls for index in spoken
    ):
        raise InvalidRequest("messages: hold no text and no attachment.", param="messages")
    return tuple(messages)


def _message(message: _Message, path: str) -> Message:
    role = _ROLES.get(message.role)
    if role is None:
        raise InvalidRequest(f"{path}.role: must be one of {', '.join(_ROLES)}.", param=f"{path}.role")
    text, refs = _content(message.content, f"{path}.content")
    for field in _REF_FIELDS:
        refs.extend(_refs(getattr(message, field) or (), f"{path}.{field}"))
    return Message(
        role=role,
        text=text,
        name=message.name,
        attachments=tuple(refs),
        tool_calls=tuple(
            RequestedCall(id=call.id, name=call.function.name, arguments=call.function.arguments)
            for call in message.tool_calls or ()
        ),
        tool_call_id=message.tool_call_id,
    )


def _content(content: object, path: str) -> tuple[str, list[AttachmentRef]]:
    """Read a message's content: a string, a list of items, an object with text and attachments, or null."""
    if content is None or isinstance(content, str):
        return content or "", []
    if isinstance(content, list):
        texts: list[str] = []
        refs: list[AttachmentRef] = []
        for index, item in enumerate(cast("list[object]", content)):
            text, ref = _item(item, f"{path}[{index}]")
            texts.extend([] if text is None else [text])
            refs.extend([] if ref is None else [ref])
        return "\n".join(texts), refs
    if isinstance(content, dict):
        fields = cast("dict[str, Any]", content)
        found: list[AttachmentRef] = []
        for field in _REF_FIELDS:
            found.extend(_refs(fields.get(field) or (), f"{path}.{field}"))
        return _text(fields.get("text") or "", f"{path}.text"), found
    raise InvalidRequest(f"{path}: must be a string, a list of items or null.", param=path)


def _item(item: object, path: str) -> tuple[str | None, AttachmentRef | None]:
    if isinstance(item, str):
        return item, None
    fields = _object(item, path)
    kind = fields.get("type")
    if kind in ("text", "input_text", "output_text"):
        return _text(fields.get("text"), f"{path}.text"), None
    if kind == "refusal":
        return _text(fields.get("refusal"), f"{path}.refusal"), None
    if isinstance(kind, str) and kind in _REF_TYPES:
        inner = fields.get(kind, fields)
        return None, _ref(inner, f"{path}.{kind}")
    raise InvalidRequest(f"{path}.type: must be one of text, {', '.join(_REF_TYPES)}.", param=f"{path}.type")


def _refs(values: object, path: str) -> Iterator[AttachmentRef]:
    if not isinstance(values, (list, tuple)):
        raise InvalidRequest(f"{path}: must be a list.", param=path)
    for index, value in enumerate(cast("Sequence[object]", values)):
        yield _ref(value, f"{path}[{index}]")


def _ref(value: object, path: str, levels: int = _REF_LEVELS) -> AttachmentRef:
    """Read one reference: a string, or an object that holds it under one of several names."""
    if isinstance(value, str):
        return AttachmentRef(source=value, param=path)
    fields = _object(value, path)
    for key in _SOURCE_KEYS:
        source = fields.get(key)
        if isinstance(source, dict) and levels:
            return _ref(cast("object", source), f"{path}.{key}", levels - 1)
        if isinstance(source, str) and source:
            return AttachmentRef(
                source=source,
                param=path,
                mime=_text_or_none(fields, "mime_type"),
                filename=_text_or_none(fields, "filename"),
                detail=_text_or_none(fields, "detail"),
            )
    raise InvalidRequest(f"{path}: must name its source under one of {', '.join(_SOURCE_KEYS[:4])}.", param=path)


def _stop(stop: object) -> tuple[str, ...]:
    values = [stop] if isinstance(stop, str) else [] if stop is None else stop
    if not isinstance(values, list) or not all(isinstance(each, str) for each in cast("list[object]", values)):
        raise InvalidRequest("stop: must be a string or a list of strings.", param="stop")
    return tuple(each for each in cast("list[str]", values) if each)


def _object(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidRequest(f"{path}: must be an object.", param=path)
    return cast("dict[str, Any]", value)


def _text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(f"{path}: must be a string.", param=path)
    return value


def _text_or_none(fields: Mapping[str, Any], key: str) -> str | None:
    value = fields.get(key)
    return value if isinstance(value, str) else None
