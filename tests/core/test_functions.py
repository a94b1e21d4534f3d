from collections.abc import AsyncGenerator
from typing import Any

import pytest

from studiogate.chat import ChatRequest, Message, RequestedCall, Role
from studiogate.events import Event, Finish, FinishReason, TextDelta, ThoughtDelta, ToolCall
from studiogate.functions import FunctionPlan, plan_functions
from studiogate.params import Params
from studiogate.tools import FunctionDeclaration, ToolPlan

A, B = FunctionDeclaration(name="a"), FunctionDeclaration(name="b", description="B.")
STOP = Finish(reason=FinishReason.STOP)
CALLED = Finish(reason=FinishReason.TOOL_CALLS)
BLOCK = '```function_call\n{"name": "a", "arguments": {}}\n```\n'


def planned(*functions: FunctionDeclaration, emulate: bool = False, **fields: Any) -> FunctionPlan:
    """Plan for a request that has fields besides its functions."""
    messages = fields.pop("messages", (Message(role=Role.USER, text="Hi"),))
    request = ChatRequest(messages=messages, **fields)
    return plan_functions(request, ToolPlan(functions=functions), emulate=emulate)


def choice(name: str) -> dict[str, Any]:
    """Name one function."""
    return {"type": "function", "function": {"name": name}}


async def read(plan: FunctionPlan, *events: Event) -> list[Event]:
    """Read a backend's events by a plan."""

    async def said() -> AsyncGenerator[Event]:
        for event in events:
            yield event

    return [event async for event in plan.read(said())]


@pytest.mark.parametrize("wanted", [None, "auto"])
def test_functions_are_declared_and_nothing_is_said(wanted: str | None) -> None:
    """The model decides by itself."""
    assert planned(A, B, tool_choice=wanted) == FunctionPlan(declared=(A, B))


def test_none_declares_nothing() -> None:
    """What isn't declared can't be called, natively or as text."""
    assert planned(A, tool_choice="none") == planned(A, tool_choice="none", emulate=True) == FunctionPlan()
    assert not FunctionPlan().offered


def test_required_says_so() -> None:
    """All are declared; that one has to be called is said in the instruction."""
    plan = planned(A, B, tool_choice="required")

    assert plan.declared == (A, B)
    assert "must call at least one" in plan.instruction


def test_one_function_is_declared_alone() -> None:
    """And is to be called."""
    plan = planned(A, B, tool_choice=choice("b"))

    assert plan.declared == (B,)
    assert "must call the function b" in plan.instruction


def test_a_choice_that_is_no_function_declares_none() -> None:
    """A tool that runs upstream may be chosen by name; it is switched on, and no function is wanted."""
    assert planned(A, tool_choice=choice("google_search")) == FunctionPlan()


def test_of_two_functions_of_a_name_the_first_counts() -> None:
    """Upstream refuses the second."""
    other = FunctionDeclaration(name="a", description="Other.")

    assert planned(A, B, other).declared == (A, B)


@pytest.mark.parametrize(
    "fields", [{"params": Params(other={"parallel_tool_calls": False})}, {"legacy_functions": True}]
)
async def test_one_call_only(fields: dict[str, Any]) -> None:
    """It is asked for, and kept to whatever the model does."""
    plan = planned(A, **fields)
    calls = [ToolCall(id=each, name="a", arguments="{}") for each in "xy"]

    assert "at most one" in plan.instruction
    assert await read(plan, *calls, CALLED) == [calls[0], CALLED]


async def test_parallel_calls_pass() -> None:
    """All of them, and the end of an answer with calls is one for calls."""
    calls = [ToolCall(id=each, name="a", arguments="{}") for each in "xy"]

    assert await read(planned(A), *calls, STOP) == [*calls, CALLED]


def test_a_model_is_told_what_earlier_calls_look_like() -> None:
    """It must not write such a turn itself."""
    call = RequestedCall(id="x", name="a", arguments="{}")
    messages = (Message(role=Role.USER, text="Hi"), Message(role=Role.ASSISTANT, tool_calls=(call,)))

    assert "never by writing such a turn" in planned(A, messages=messages).instruction
    assert planned(messages=messages).instruction == ""


def test_the_instruction_follows_the_clients() -> None:
    """Neither is lost."""
    plan = planned(A, tool_choice="required")

    assert plan.instruct("Be brief.") == f"Be brief.\n\n{plan.instruction}"
    assert plan.instruct(None) == plan.instruction
    assert FunctionPlan().instruct("Be brief.") == "Be brief."
    assert FunctionPlan().instruct(None) is None


async def test_emulated_calls() -> None:
    """Functions are described instead of declared, and the text is read back into calls."""
    plan = planned(A, B, emulate=True, tool_choice="required")
    events = await read(plan, ThoughtDelta(text=BLOCK), TextDelta(text=f"Well.\n{BLOCK}"), STOP)

    assert (plan.declared, plan.described) == ((), (A, B))
    assert plan.instruction.index('{"name": "b", "description": "B."}') < plan.instruction.index("must call")
    assert events[:2] == [ThoughtDelta(text=BLOCK), TextDelta(text="Well.")]
    assert isinstance(events[2], ToolCall)
    assert (events[2].name, events[2].arguments) == ("a", "{}")
    assert events[3:] == [CALLED]


async def test_an_emulated_answer_without_calls() -> None:
    """What was held back at its end is passed on before the finish."""
    plan = planned(A, emulate=True)

    assert await read(plan, TextDelta(text="Yes\n```"), STOP) == [
        TextDelta(text="Yes"),
        TextDelta(text="\n```"),
        STOP,
    ]


async def test_an_answer_cut_short_stays_so() -> None:
    """A call doesn't hide that there may have been more."""
    cut = Finish(reason=FinishReason.LENGTH)

    assert (await read(planned(A, emulate=True), TextDelta(text=BLOCK), cut))[-1] == cut


async def test_leaving_early_closes_the_backends_events() -> None:
    """Whoever stops reading stops the upstream."""
    closed: list[bool] = []

    async def said() -> AsyncGenerator[Event]:
        try:
            yield TextDelta(text="a")
            yield STOP
        finally:
            closed.append(True)

    reading = planned(A).read(said())
    await anext(reading)
    await reading.aclose()

    assert closed == [True]
