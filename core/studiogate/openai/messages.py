"""The messages of a request: who says what, which tools were called, and what they returned."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import attrs
import msgspec

from studiogate.chat import Message, RequestedCall, Role
from studiogate.openai.content import NOT_EMPTY, SAYS_SOMETHING, TEXT, Attachments, Content, MessageContent, Reference
from studiogate.openai.shape import CONVERTER, Shape, one_of, ref
from studiogate.strict import WrongValue, shown

ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
    "function": Role.TOOL,
}
"""What OpenAI calls the roles, now and earlier."""


def _read_arguments(value: object) -> str:
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    if not isinstance(value, str):
        raise TypeError(f"must be a string that holds a JSON object, not {shown(value)}")
    if not value.strip():
        # So some models call a function that takes nothing.
        return "{}"
    try:
        arguments = msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise ValueError("must be a string that holds a JSON object")  # noqa: TRY004 - the string has the right type
    return value


Arguments = Annotated[
    str, Shape(_read_arguments, {"anyOf": [{"type": "string", "format": "json-object"}, {"type": "object"}]})
]
"""A call's arguments, a JSON object as text; from clients that send an object, that object as text."""


@attrs.frozen
class CalledFunction:
    """Say which function the model called, and with what."""

    name: str
    arguments: Arguments | None = None


@attrs.frozen
class Call:
    """Hold one call that the model made earlier."""

    id: str
    function: CalledFunction
    type: Annotated[str, one_of("function")] | None = None


@attrs.frozen
class ChatMessage(Attachments):
    """Hold one message as the client sent it."""

    role: Annotated[str, one_of(*ROLES)] = attrs.field(kw_only=True)
    content: MessageContent | None = None
    name: str | None = None
    tool_calls: list[Call] | None = None
    function_call: CalledFunction | None = None
    """OpenAI's older form of one call."""
    tool_call_id: str | None = None


def _read_message(value: object) -> ChatMessage:
    message = CONVERTER.structure(value, ChatMessage)
    role = ROLES[message.role]
    if role is not Role.ASSISTANT and message.tool_calls:
        raise WrongValue("tool_calls", "belongs to messages of the role assistant")
    if role is not Role.ASSISTANT and message.function_call:
        raise WrongValue("function_call", "belongs to messages of the role assistant")
    if role is not Role.TOOL and message.tool_call_id is not None:
        raise WrongValue("tool_call_id", "belongs to messages of the role tool")
    return message


def _read_messages(value: object) -> list[ChatMessage]:
    messages = CONVERTER.structure(value, list[_CheckedMessage])
    if all(ROLES[message.role] is Role.SYSTEM for message in messages):
        raise ValueError("must hold at least one message that is not a system message")
    return messages


def _named(role: Role) -> dict[str, Any]:
    return {"properties": {"role": {"enum": [name for name, meaning in ROLES.items() if meaning is role]}}}


def _only(role: Role, **absent: Any) -> dict[str, Any]:
    return {"if": _named(role), "else": {"properties": absent}}


_NOTHING = {"type": "null"}
_MESSAGE: dict[str, Any] = {
    "allOf": [
        ref("ChatMessage"),
        _only(
            Role.ASSISTANT,
            tool_calls={"anyOf": [_NOTHING, {"type": "array", "maxItems": 0}]},
            function_call=_NOTHING,
        ),
        _only(Role.TOOL, tool_call_id=_NOTHING),
    ]
}
_CheckedMessage = Annotated[ChatMessage, Shape(_read_message, _MESSAGE)]

Messages = Annotated[
    list[ChatMessage],
    Shape(_read_messages, {"type": "array", "items": _MESSAGE, "contains": {"not": _named(Role.SYSTEM)}}),
]
"""The conversation; somebody speaks in it."""


def says_something(messages: Iterable[ChatMessage]) -> bool:
    """Tell whether there is anything to answer: text, an attachment, a call."""
    return any(
        (message.content and (TEXT.search(message.content.text) or message.content.references))
        or any(message.listed())
        or message.tool_calls
        or message.function_call
        for message in messages
        if ROLES[message.role] is not Role.SYSTEM
    )


SOMETHING: dict[str, Any] = {
    "type": "object",
    "not": _named(Role.SYSTEM),
    "anyOf": [
        {"required": ["content"], "properties": {"content": SAYS_SOMETHING}},
        *NOT_EMPTY,
        {"required": ["tool_calls"], "properties": {"tool_calls": {"type": "array", "minItems": 1}}},
        {"required": ["function_call"], "properties": {"function_call": {"type": "object"}}},
    ],
}
"""What `/openapi.json` says of a message for which that is so."""


def conversation(messages: Sequence[ChatMessage], attachments: Sequence[Reference]) -> tuple[Message, ...]:
    """Return the messages as plugins see them.

    :param attachments: those of the whole request; they belong to what is said last.
    """
    made = [_message(message, index) for index, message in enumerate(messages)]
    if attachments:
        last = max(index for index, message in enumerate(made) if message.role is not Role.SYSTEM)
        more = (reference.at(f"attachments[{index}]") for index, reference in enumerate(attachments))
        made[last] = attrs.evolve(made[last], attachments=(*made[last].attachments, *more))
    return tuple(_answering(made))


def _message(message: ChatMessage, index: int) -> Message:
    place = f"messages[{index}]"
    content = message.content or Content()
    return Message(
        role=ROLES[message.role],
        text=content.text,
        name=message.name,
        attachments=(
            *(reference.at(f"{place}.content{step}") for step, reference in content.references),
            *(reference.at(f"{place}{step}") for step, reference in message.listed()),
        ),
        tool_calls=tuple(_calls(message, index)),
        tool_call_id=message.tool_call_id,
    )


def _calls(message: ChatMessage, index: int) -> Iterator[RequestedCall]:
    for call in message.tool_calls or ():
        yield _requested(call.id, call.function)
    if message.function_call:
        # The older form has no id. The place is one that stays the same when the conversation goes on.
        yield _requested(f"call_{index}", message.function_call)


def _requested(call_id: str, function: CalledFunction) -> RequestedCall:
    return RequestedCall(id=call_id, name=function.name, arguments=function.arguments or "{}")


def _answering(messages: Iterable[Message]) -> Iterator[Message]:
    """Give a result without an id that of the last call of its name; the older form has nothing else."""
    calls: dict[str | None, str] = {}
    for message in messages:
        calls.update((call.name, call.id) for call in message.tool_calls)
        if message.role is Role.TOOL and message.tool_call_id is None and message.name in calls:
            yield attrs.evolve(message, tool_call_id=calls[message.name])
        else:
            yield message
