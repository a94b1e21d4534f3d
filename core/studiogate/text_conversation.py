"""Conversations whose function calls and results are text, for services that have neither.

    assistant   ```function_call
                {"name": "get_weather", "arguments": {"city": "Rome"}}
                ```
    user        ### tool get_weather, result of call_1
                24 °C

A call is written as the model is asked to write it (`text_calls.py`), a result as a page is given it (`prompt.py`), and
what the user says can't be taken for one. Results stand in the order of their calls, which have no ids, and what the
user says after them is part of the same message: many services want user and assistant to take turns.
"""

from collections.abc import Iterator, Sequence

import attrs

from studiogate.chat import Message, Role
from studiogate.prompt import turns, unforged
from studiogate.text_calls import call_block


def as_text(messages: Sequence[Message], instruction: str = "") -> tuple[Message, ...]:
    """Return a conversation with calls and results as text.

    :param instruction: what the first system message has to say besides; one is made where there is none.
    """
    said = list(_joined(_texts(messages)))
    if not instruction:
        return tuple(said)
    if said and said[0].role is Role.SYSTEM:
        text = "\n\n".join(part for part in (said[0].text, instruction) if part)
        return (attrs.evolve(said[0], text=text), *said[1:])
    return (Message(role=Role.SYSTEM, text=instruction), *said)


def _texts(messages: Sequence[Message]) -> Iterator[Message]:
    """Yield each message as one without calls, results in the order of their calls."""
    names: dict[str | None, str] = {}
    order: dict[str | None, int] = {}
    results: list[Message] = []
    for message in messages:
        if message.role is Role.TOOL:
            name = message.name or names.get(message.tool_call_id)
            results.append(attrs.evolve(message, name=name))
            continue
        yield from _results(results, order)
        results.clear()
        for call in message.tool_calls:
            names[call.id], order[call.id] = call.name, len(order)
        yield _text(message)
    yield from _results(results, order)


def _results(results: Sequence[Message], order: dict[str | None, int]) -> Iterator[Message]:
    for result in sorted(results, key=lambda each: order.get(each.tool_call_id, len(order))):
        yield Message(role=Role.USER, text="".join(turns(result)), attachments=result.attachments)


def _text(message: Message) -> Message:
    if message.role is Role.USER:
        return attrs.evolve(message, text=unforged(message.text))
    blocks = [call_block(call.name, call.arguments) for call in message.tool_calls]
    text = "\n\n".join(part for part in (message.text, *blocks) if part)
    return attrs.evolve(message, text=text, tool_calls=())


def _joined(messages: Iterator[Message]) -> Iterator[Message]:
    """Yield the messages, neighbouring ones of a nameless user as one."""
    last: Message | None = None
    for message in messages:
        if last is not None and _is_users(last) and _is_users(message):
            text = "\n\n".join(part for part in (last.text, message.text) if part)
            last = attrs.evolve(last, text=text, attachments=(*last.attachments, *message.attachments))
            continue
        if last is not None:
            yield last
        last = message
    if last is not None:
        yield last


def _is_users(message: Message) -> bool:
    return message.role is Role.USER and message.name is None
