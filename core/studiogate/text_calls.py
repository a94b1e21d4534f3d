"""Function calls in a form of text, for models and pages that have no calls of their own.

The functions are described in the system instruction, and the model is asked to write each call as a block:

    ```function_call
    {"name": "get_weather", "arguments": {"city": "Rome"}}
    ```

A fenced block, since that is what survives wherever Markdown is shown and read back. It is read strictly: it stands on
lines of its own, not inside another fenced block, is one JSON object of `name` and `arguments`, and names a function
that was described. What looks like a call and isn't one stays the text that it is. Text is held back only while it may
still become a block.
"""

import json
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, cast

import attrs
import msgspec

from studiogate.events import TextDelta, ToolCall
from studiogate.tools import FunctionDeclaration

_OPENING = "```function_call"
_CLOSING = "```"
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")

_FORM = f"""\
You can call functions. A call is a block of exactly this form, on lines of its own:

{_OPENING}
{{"name": "the function's name", "arguments": {{}}}}
{_CLOSING}

The arguments are a JSON object that follows the function's JSON Schema. Write one block for each call, and nothing \
after the last one: the results are given to you in the next turn. Never make up a result, and call no function that \
isn't listed. Where no call is needed, answer as usual, without such a block.

The functions, one a line:
"""


def new_call_id() -> str:
    """Return an id for a call that came without one."""
    return f"call_{secrets.token_hex(12)}"


def text_form(functions: Iterable[FunctionDeclaration]) -> str:
    """Return the part of a system instruction that describes functions and how to call them."""
    return _FORM + "\n".join(_described(function) for function in functions)


def call_block(name: str, arguments: str) -> str:
    """Return a call as the model is asked to write it.

    :param arguments: a JSON object as text; its line ends are spaces in the block.
    """
    arguments = arguments.replace("\r", " ").replace("\n", " ")
    return f'{_OPENING}\n{{"name": {json.dumps(name, ensure_ascii=False)}, "arguments": {arguments}}}\n{_CLOSING}'


def _described(function: FunctionDeclaration) -> str:
    about: dict[str, Any] = {"name": function.name, "description": function.description or None}
    about["parameters"] = function.parameters or None
    return json.dumps({word: value for word, value in about.items() if value is not None}, ensure_ascii=False)


@attrs.define
class TextCalls:
    """Turn an answer's text, piece by piece, into text and calls."""

    names: Collection[str]
    """The functions that may be called."""
    make_id: Callable[[], str] = new_call_id
    _line: str = attrs.field(default="", init=False)
    """The line that has begun."""
    _told: int = attrs.field(default=0, init=False)
    """How many of its characters have been passed on."""
    _block: list[str] | None = attrs.field(default=None, init=False)
    """The lines of a block that has begun, its opening included."""
    _fence: str | None = attrs.field(default=None, init=False)
    """The fence of another block that has begun."""
    _space: str = attrs.field(default="", init=False)
    """White space that goes with the call if one follows, and else belongs to the text."""
    _called: bool = attrs.field(default=False, init=False)

    def feed(self, text: str) -> list[TextDelta | ToolCall]:
        """Take the next piece of the answer; return what is certain now."""
        found: list[TextDelta | ToolCall] = []
        lines = text.split("\n")
        for line in lines[:-1]:
            self._line += line
            found += self._end_line("\n")
        self._line += lines[-1]
        if self._block is None and not self._may_open():
            found += self._tell(self._line[self._told :])
            self._told = len(self._line)
        return _joined(found)

    def close(self) -> list[TextDelta | ToolCall]:
        """End the answer; return what was held back. A block that isn't closed is no call."""
        found = self._end_line("") if self._line else []
        if self._block is not None:
            found += self._tell("".join(self._block))
            self._block = None
        if self._space and not self._called:
            found.append(TextDelta(text=self._space))
        return _joined(found)

    def _may_open(self) -> bool:
        line = self._line.rstrip() if self._line.startswith(_OPENING) else self._line
        return self._fence is None and not self._told and bool(line) and _OPENING.startswith(line)

    def _end_line(self, end: str) -> list[TextDelta | ToolCall]:
        line, told = self._line, self._told
        self._line, self._told = "", 0
        if self._block is not None:
            self._block.append(line + end)
            return self._end_block() if line.rstrip() == _CLOSING else []
        if self._fence is None and line.rstrip() == _OPENING:
            self._block = [line + end]
            return []
        self._note_fence(line)
        return self._tell(line[told:] + end)

    def _end_block(self) -> list[TextDelta | ToolCall]:
        block, self._block = self._block or [], None
        call = self._read("".join(block[1:-1]))
        if call is None:
            return self._tell("".join(block))
        self._space, self._called = "", True
        return [call]

    def _read(self, source: str) -> ToolCall | None:
        try:
            value: object = msgspec.json.decode(source)
        except (msgspec.DecodeError, RecursionError):
            return None
        if not isinstance(value, dict):
            return None
        call = cast("dict[str, Any]", value)
        name: object = call.get("name")
        if call.keys() != {"name", "arguments"} or not isinstance(call["arguments"], dict):
            return None
        if not isinstance(name, str) or name not in self.names:
            return None
        return ToolCall(id=self.make_id(), name=name, arguments=msgspec.json.encode(call["arguments"]).decode())

    def _note_fence(self, line: str) -> None:
        fence = _FENCE.match(line)
        if fence is None:
            return
        run = fence[1]
        if self._fence is None:
            self._fence = run
        elif run[0] == self._fence[0] and len(run) >= len(self._fence) and not line[fence.end() :].strip():
            self._fence = None

    def _tell(self, text: str) -> list[TextDelta | ToolCall]:
        """Return text; of white space that a call may follow, which then goes with the call, nothing yet."""
        whole = self._space + text
        said = whole.rstrip()
        self._space = whole[len(said) :]
        return [TextDelta(text=said)] if said else []


def _joined(found: Sequence[TextDelta | ToolCall]) -> list[TextDelta | ToolCall]:
    """Return the events with neighbouring texts as one."""
    return list(_join(found))


def _join(found: Sequence[TextDelta | ToolCall]) -> Iterator[TextDelta | ToolCall]:
    texts: list[str] = []
    for event in found:
        if isinstance(event, TextDelta):
            texts.append(event.text)
            continue
        if texts:
            yield TextDelta(text="".join(texts))
            texts.clear()
        yield event
    if texts:
        yield TextDelta(text="".join(texts))
