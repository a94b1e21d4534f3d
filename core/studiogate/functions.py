"""Functions on their way to a model whose upstream can't be told all that OpenAI's clients say of them.

AI Studio and its like declare functions and nothing else: there is no `tool_choice`, no `parallel_tool_calls`, and some
models and pages have no calls at all. What is missing is made here, in one place for all backends:

- `none` declares nothing. One function's name declares that one alone and says in the system instruction to call it.
  `required` says there that some function is to be called. Models follow it, but nothing makes them.
- `parallel_tool_calls: false`, and OpenAI's older `functions`, say in the instruction that one call is enough, and
  further calls of an answer are dropped.
- Of functions of one name the first counts.
- Where calls are emulated, the instruction describes the functions and the form of a call (`text_calls.py`), and calls
  are read out of the answer's text. What is held to JSON can't hold such a call, so JSON is asked for in words then.

A backend asks `plan_functions` once it knows whether its upstream can call functions, declares what the plan says,
appends the plan's instruction to its own, and passes its events through `read`.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from enum import StrEnum

import attrs
import msgspec

from studiogate.chat import ChatRequest
from studiogate.events import Event, Finish, FinishReason, TextDelta, ToolCall
from studiogate.params import ResponseFormat
from studiogate.text_calls import TextCalls, text_form
from studiogate.tools import FunctionDeclaration, ToolPlan

PARALLEL = "parallel_tool_calls"
"""The parameter that a backend takes from `Params.other`, since the plan honours it."""

_ANY = "You must call at least one of the functions now; say nothing else."
_ONE = "Call at most one function at a time."
IN_WORDS = "asked for in words, as functions may be called too"
"""Why a form of the answer is not honoured as asked beside functions."""
_JSON = "Whenever you don't call a function, your whole answer is one JSON document, without a fence around it"
_TURNS = (
    "Earlier function calls and their results are shown as turns of the conversation. Call functions by the means that "
    "you have been given for it, never by writing such a turn."
)


class CallMode(StrEnum):
    """How functions are offered to models."""

    AUTO = "auto"
    """By the upstream's own means where it has them, else as text."""
    NATIVE = "native"
    """By the upstream's own means only."""
    EMULATED = "emulated"
    """As text always."""


@attrs.frozen(kw_only=True)
class FunctionPlan:
    """Say what a backend does about an exchange's functions."""

    declared: tuple[FunctionDeclaration, ...] = ()
    """To be declared upstream."""
    described: tuple[FunctionDeclaration, ...] = ()
    """Described in the instruction instead; their calls are read out of the text."""
    instruction: str = ""
    """What the system instruction has to say besides; may be empty."""
    one_call: bool = False
    """Whether an answer may hold one call only."""

    @property
    def offered(self) -> bool:
        """Tell whether the model may call anything."""
        return bool(self.declared or self.described)

    def instruct(self, system: str | None) -> str | None:
        """Return a system instruction with what the plan adds to it."""
        return "\n\n".join(part for part in (system, self.instruction) if part) or None

    async def read(self, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
        """Yield a backend's events with calls as the plan has them; closes `events`."""
        reading = Reading(self)
        async with aclosing(events):
            async for event in events:
                for each in reading.add(event):
                    yield each


def plan_functions(request: ChatRequest, plan: ToolPlan, *, emulate: bool = False) -> FunctionPlan:
    """Return what to do about the functions of a tool plan.

    :param emulate: whether calls are to be made in text.
    """
    offered = _offered(request, plan)
    if not offered:
        return FunctionPlan()
    one_call = request.legacy_functions or request.params.other.get(PARALLEL) is False
    said = [
        text_form(offered) if emulate else _TURNS if any(message.tool_calls for message in request.messages) else "",
        _must_call(request, offered),
        _ONE if one_call else "",
    ]
    return FunctionPlan(
        declared=() if emulate else offered,
        described=offered if emulate else (),
        instruction="\n\n".join(part for part in said if part),
        one_call=one_call,
    )


def _offered(request: ChatRequest, plan: ToolPlan) -> tuple[FunctionDeclaration, ...]:
    if request.tool_choice == "none":
        return ()
    offered: dict[str, FunctionDeclaration] = {}
    for function in plan.functions:
        if request.chosen_function in (None, function.name):
            offered.setdefault(function.name, function)
    return tuple(offered.values())


def _must_call(request: ChatRequest, offered: tuple[FunctionDeclaration, ...]) -> str:
    if request.chosen_function is not None:
        return f"You must call the function {offered[0].name} now; say nothing else."
    return _ANY if request.tool_choice == "required" else ""


def json_in_words(form: ResponseFormat) -> str:
    """Return what asks a model for JSON that may call a function instead."""
    if form.schema is None:
        return f"{_JSON}."
    return f"{_JSON}, which follows this JSON Schema:\n{msgspec.json.encode(form.schema).decode()}"


@attrs.define
class Reading:
    """Read one answer by a plan: event by event, without waiting for anything."""

    plan: FunctionPlan
    _text: TextCalls | None = attrs.field(init=False)
    _calls: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        names = {function.name for function in self.plan.described}
        self._text = TextCalls(names) if names else None

    def add(self, event: Event) -> Iterator[Event]:
        """Take the answer's next event; yield what it comes to."""
        match event:
            case TextDelta() if self._text is not None:
                yield from self._pass(self._text.feed(event.text))
            case ToolCall():
                yield from self._pass([event])
            case Finish():
                if self._text is not None:
                    yield from self._pass(self._text.close())
                called = self._calls and event.reason is FinishReason.STOP
                yield attrs.evolve(event, reason=FinishReason.TOOL_CALLS) if called else event
            case _:
                yield event

    def _pass(self, events: "list[TextDelta | ToolCall] | list[ToolCall]") -> Iterator[Event]:
        for event in events:
            if isinstance(event, ToolCall):
                self._calls += 1
                if self._calls > 1 and self.plan.one_call:
                    continue
            yield event
