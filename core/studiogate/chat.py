"""A chat request as plugins see it: checked, typed, free of HTTP and JSON."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, cast

import attrs

from studiogate.attachments import AttachmentRef
from studiogate.params import Params
from studiogate.tools import ToolSpec


class Role(StrEnum):
    """Who speaks in a message."""

    SYSTEM = "system"
    """Includes OpenAI's `developer`."""
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    """A tool's result; includes OpenAI's legacy `function`."""


@attrs.frozen(kw_only=True)
class RequestedCall:
    """Hold a tool call that the model made earlier in the conversation."""

    id: str
    name: str
    arguments: str
    """A JSON object, as text."""


@attrs.frozen(kw_only=True)
class Message:
    """Hold one message of the conversation."""

    role: Role
    text: str = ""
    """All text parts, joined by newlines."""
    name: str | None = None
    """The sender's name, where the client gave one; for a tool's result, the function's."""
    attachments: tuple[AttachmentRef, ...] = ()
    """In the order they stood."""
    tool_calls: tuple[RequestedCall, ...] = ()
    """Only on assistant messages."""
    tool_call_id: str | None = None
    """Only on a tool's result: the call it answers."""


@attrs.frozen(kw_only=True)
class ChatRequest:
    """Hold one checked chat request."""

    messages: tuple[Message, ...]
    """At least one; at least one of them is not a system message."""
    model: str | None = None
    """As the client named it; None for the operator's default."""
    params: Params = attrs.field(factory=Params)
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: Any = None
    """`auto`, `none`, `required`, an object naming one function, or None."""
    legacy_functions: bool = False
    """Whether the client wrote its functions in OpenAI's older form, and reads one call in that form too."""
    stream: bool = False
    include_usage: bool = False
    """Whether a stream ends with a chunk of usage."""
    extra: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """Fields of the request that the gateway itself has no use for, such as `mcp_endpoint` and all it doesn't know, for
    plugins that have. Read only."""

    @property
    def attachments(self) -> tuple[AttachmentRef, ...]:
        """Return every reference of every message, in order."""
        return tuple(ref for message in self.messages for ref in message.attachments)

    @property
    def chosen_function(self) -> str | None:
        """Return the name of the one function that must be called; None where `tool_choice` leaves more open."""
        choice: object = self.tool_choice
        return cast("dict[str, dict[str, str]]", choice)["function"]["name"] if isinstance(choice, dict) else None

    def with_attachments(self, change: Callable[[Message], Iterable[AttachmentRef]]) -> "ChatRequest":
        """Return it with other attachments: those that `change` returns for each message."""
        messages = tuple(attrs.evolve(message, attachments=tuple(change(message))) for message in self.messages)
        return attrs.evolve(self, messages=messages)

    def with_current_attachments(self) -> "ChatRequest":
        """Return it with the attachments of the last user message and of the request as a whole only."""
        said = [message for message in self.messages if message.role is Role.USER]

        def current(message: Message) -> Iterable[AttachmentRef]:
            return (
                ref
                for ref in message.attachments
                if (said and message is said[-1]) or not ref.param.startswith("messages[")
            )

        return self.with_attachments(current)
