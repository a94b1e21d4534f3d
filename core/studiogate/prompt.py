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
Each earlier tool call is a turn of its own, with the arguments to the letter, and so is each result; both name the
call's id:

    ### assistant calls get_weather, call_1
    {"city": "Rome"}

    ### tool get_weather, result of call_1
    24 °C

The transcript ends with the client's last message; the model goes on as the assistant. Of a file that an earlier
answer held as a data URL only its kind is left.
"""

import re
from collections.abc import Iterator, Sequence

import attrs

from studiogate.attachments import AttachmentRef
from studiogate.chat import Message, Role

_HEADER_LIKE = re.compile(r"^(?=### (?:user|assistant|tool)\b)", re.MULTILINE)

_DATA_URL = re.compile(r"(?P<start>!?\[[^\]\n]*\]\()data:(?P<mime>[\w.+-]+/[\w.+-]+);base64,[A-Za-z0-9+/=_-]*\)")
"""A file as the gateway puts it into an answer's text."""

_PREFACE = "The conversation so far, oldest turn first. Go on with the assistant's next turn.\n\n"


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
    text = spoken[0].text if lone else _PREFACE + "\n\n".join(turn for message in spoken for turn in turns(message))
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


def turns(message: Message) -> Iterator[str]:
    """Yield what a message comes to: its text's turn, unless there are only calls, and one for each call."""
    text = _said(message)
    if text or not message.tool_calls:
        yield _turn(_header(message), text)
    for call in message.tool_calls:
        yield _turn(f"{Role.ASSISTANT} calls {_one_line(call.name)}, {_one_line(call.id)}", call.arguments)


def _header(message: Message) -> str:
    named = f"{message.role} {_one_line(message.name)}" if message.name else str(message.role)
    return f"{named}, result of {_one_line(message.tool_call_id)}" if message.tool_call_id else named


def _turn(header: str, body: str) -> str:
    return f"### {header}\n{unforged(body)}" if body else f"### {header}"


def unforged(text: str) -> str:
    """Return a text none of whose lines can be taken for the header of a turn."""
    return _HEADER_LIKE.sub(" ", _unix_lines(text))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _unix_lines(text: str) -> str:
    # A textarea does the same, and the text is compared with what the page sent.
    return text.replace("\r\n", "\n").replace("\r", "\n")
