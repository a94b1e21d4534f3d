"""From messages to what can be typed into a page: a system instruction and one prompt text.

A conversation of one user message is passed as it is. Anything longer becomes a transcript whose turns are set apart by
header lines that the model can't confuse with content:

    ### user
    What is the capital of France?

    ### assistant
    Paris.

    ### user
    And of Italy?

A line of a message that would itself look like such a header is indented by one space, so nobody can forge a turn.
Earlier tool calls stand in the assistant's turn and their results in turns of their own, each with the call's id. The
transcript ends with the client's last message; the model answers as the assistant. Of a file that an earlier answer
held as a data URL only its kind is left.
"""

import re
from collections.abc import Sequence

import attrs

from studiogate.attachments import AttachmentRef
from studiogate.chat import Message, Role

_HEADER_LIKE = re.compile(r"^(?=### (?:user|assistant|tool)\b)", re.MULTILINE)

_DATA_URL = re.compile(r"(?P<start>!?\[[^\]\n]*\]\()data:(?P<mime>[\w.+-]+/[\w.+-]+);base64,[A-Za-z0-9+/=_-]*\)")
"""A file as the gateway puts it into an answer's text."""

_PREFACE = "The conversation so far, oldest turn first. Answer its last turn as the assistant.\n\n"


@attrs.frozen(kw_only=True)
class Prompt:
    """Hold what a page is given for one exchange."""

    system: str | None
    """All system messages, in order, joined by blank lines; None when there are none."""
    text: str
    """What is typed. Line ends are `\\n`."""
    attachments: tuple[AttachmentRef, ...]
    """Every reference of the conversation, in order."""


def build_prompt(messages: Sequence[Message]) -> Prompt:
    """Turn a conversation into a system instruction, one prompt text and its attachment references."""
    spoken = [message for message in messages if message.role is not Role.SYSTEM]
    system = [message.text for message in messages if message.role is Role.SYSTEM and message.text]
    lone = len(spoken) == 1 and spoken[0].role is Role.USER
    text = spoken[0].text if lone else _PREFACE + "\n\n".join(_turn(message) for message in spoken)
    return Prompt(
        system="\n\n".join(system) or None,
        text=_unix_lines(text),
        attachments=tuple(ref for message in messages for ref in message.attachments),
    )


def _said(message: Message) -> str:
    """Return a message's text; of files that an earlier answer held, only what they were.

    Their data is no text that a model could read, and megabytes to type.
    """
    if message.role is not Role.ASSISTANT:
        return message.text
    return _DATA_URL.sub(r"\g<start>\g<mime>)", message.text)


def _turn(message: Message) -> str:
    header = f"### {message.role}"
    if message.name:
        header += f" {_one_line(message.name)}"
    if message.tool_call_id:
        header += f" (result of call {_one_line(message.tool_call_id)})"
    calls = [f"(called {call.name} as {call.id} with {call.arguments})" for call in message.tool_calls]
    body = "\n".join([*([text] if (text := _said(message)) else []), *calls])
    return "\n".join([header, *([_HEADER_LIKE.sub(" ", _unix_lines(body))] if body else [])])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _unix_lines(text: str) -> str:
    # A textarea does the same, and the text is compared with what the page sent.
    return text.replace("\r\n", "\n").replace("\r", "\n")
