import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest

from studiogate import hookimpl
from studiogate.chat import Role
from studiogate.events import Event, Progress, TextDelta, ToolCall, Usage
from studiogate.exchange import Exchange
from studiogate.tools import Executor, FunctionDeclaration, ToolError, ToolPlan

from .backends import CALLED, STOP, Playing, ask, backend, call, living, read, serving, sse, text_of, until


def tools(**executors: Executor) -> type:
    """Make a plugin whose tools the gateway runs."""

    class Tools:
        @hookimpl
        async def map_tools(self) -> ToolPlan:
            return ToolPlan(functions=tuple(FunctionDeclaration(name=name) for name in executors), executors=executors)

    return Tools


def returning(result: str) -> Executor:
    """Make a tool that returns one result."""

    async def run(_: str) -> str:
        return result

    return run


async def test_results_are_fed_back_until_the_model_answers(caplog: pytest.LogCaptureFixture) -> None:
    """The client reads the text of every round and no call, and usage of all rounds; the log tells what is run."""
    caplog.set_level("INFO", "studiogate.tool_loop")
    model = Playing(
        [
            [TextDelta(text="Let me see. "), call("add", a=1), CALLED, Usage(prompt=10, completion=2)],
            [TextDelta(text="It is 3."), STOP, Usage(prompt=20, completion=3)],
        ]
    )
    async with living({"tools": tools(add=returning("3")), "a": backend(model)}) as gateway:
        events = await read(gateway.submit(ask("1 + 2?")))

    assert text_of(events) == "Let me see. It is 3."
    assert not [event for event in events if isinstance(event, ToolCall)]
    assert events[-2:] == [Usage(prompt=30, completion=5), STOP]
    assert Progress(text="running add") in events
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == ["round 1: add"]
    first, second = (exchange.request.messages for exchange in model.asked)
    assert second[: len(first)] == first
    said, result = second[len(first) :]
    assert (said.role, said.text, said.tool_calls[0].arguments) == (Role.ASSISTANT, "Let me see. ", '{"a": 1}')
    assert (result.role, result.text, result.tool_call_id) == (Role.TOOL, "3", "call_add_0")
    assert "### tool add, result of call_add_0\n3" in model.asked[1].prompt.text


async def test_calls_of_one_turn_run_side_by_side_and_keep_their_order() -> None:
    """The second ends first."""
    both = asyncio.Event()

    async def slow(_: str) -> str:
        await both.wait()
        return "slow"

    async def fast(_: str) -> str:
        both.set()
        return "fast"

    model = Playing([[call("slow"), call("fast"), CALLED], [STOP]])
    async with living({"tools": tools(slow=slow, fast=fast), "a": backend(model)}) as gateway:
        await read(gateway.submit(ask()))

    assert model.results() == ["slow", "fast"]


async def _fails(_: str) -> str:
    raise ToolError("no such city")


async def _breaks(_: str) -> str:
    raise RuntimeError("a secret")


async def _hangs(_: str) -> str:
    await asyncio.Event().wait()
    return ""


async def _times_out(_: str) -> str:
    raise TimeoutError


@pytest.mark.parametrize(
    ("tool", "told"),
    [
        (_fails, "Error: no such city"),
        (_breaks, "Error: the tool failed unexpectedly."),
        (_hangs, "Error: the tool did not answer within 0.01 s."),
        (_times_out, "Error: the tool failed unexpectedly."),
        (returning("x" * 30), "x" * 20 + "\n[cut off: 20 of 30 characters]"),
        (returning("x" * 20), "x" * 20),
    ],
)
async def test_the_model_reads_what_went_wrong(tool: Executor, told: str) -> None:
    """And answers all the same: a tool's failure is none of the request's."""
    model = Playing([[call("tool"), CALLED], [TextDelta(text="Well."), STOP]])
    async with living(
        {"tools": tools(tool=tool), "a": backend(model)}, tool_call_s=0.01, max_tool_result_chars=20
    ) as gateway:
        events = await read(gateway.submit(ask()))

    assert model.results() == [told]
    assert text_of(events) == "Well."


async def test_calls_of_the_client_go_to_the_client_and_ours_wait() -> None:
    """In a turn that calls both kinds, nothing of ours is run."""
    ran: list[str] = []

    async def ours(_: str) -> str:
        ran.append("ours")
        return ""

    model = Playing([[call("ours"), call("theirs"), CALLED]])
    async with serving({"tools": tools(ours=ours), "a": backend(model, "test-model")}) as served:
        theirs = {"type": "function", "function": {"name": "theirs"}}
        answer = (await served.chat(tools=[theirs])).json()["choices"][0]

    assert [each["function"]["name"] for each in answer["message"]["tool_calls"]] == ["theirs"]
    assert answer["finish_reason"] == "tool_calls"
    assert ran == []
    assert [function.name for function in model.asked[0].plan.functions] == ["theirs", "ours"]


async def test_after_so_many_rounds_the_model_is_asked_without_them() -> None:
    """Calls that it makes all the same are run no more, and no client sees them."""
    model = Playing([[call("again"), CALLED]])
    async with living({"tools": tools(again=returning("x")), "a": backend(model)}, max_tool_rounds=2) as gateway:
        events = await read(gateway.submit(ask()))

    assert [len(exchange.plan.functions) for exchange in model.asked] == [1, 1, 0]
    assert model.results() == ["x", "x"]
    assert events[-1] == STOP


async def test_a_function_that_had_to_be_called_was() -> None:
    """Later rounds leave the choice to the model, or it would call for ever."""
    model = Playing([[call("tool"), CALLED], [STOP]])
    async with living({"tools": tools(tool=returning("x")), "a": backend(model)}) as gateway:
        await read(gateway.submit(ask(tool_choice="required")))

    assert [exchange.request.tool_choice for exchange in model.asked] == ["required", None]


async def test_each_round_closes_what_its_backend_opened() -> None:
    """A new round finds nothing of the one before, and nothing stays open at the end."""
    log: list[str] = []

    async def script(exchange: Exchange) -> AsyncGenerator[Event]:
        assert exchange.shared(str) is None
        number = 1 + log.count("opened 1")
        log.append(f"opened {number}")
        exchange.share("a tab")
        exchange.round_stack.callback(log.append, f"closed {number}")
        if number == 1:
            yield call("tool")
            yield CALLED
        else:
            yield STOP

    async with living({"tools": tools(tool=returning("x")), "a": backend(script)}) as gateway:
        await read(gateway.submit(ask()))

    assert log == ["opened 1", "closed 1", "opened 2", "closed 2"]


async def test_a_cancel_ends_a_running_tool() -> None:
    """And no other round begins."""
    running, ended = asyncio.Event(), asyncio.Event()

    async def tool(_: str) -> str:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    model = Playing([[call("tool"), CALLED]])
    async with living({"tools": tools(tool=tool), "a": backend(model)}) as gateway:
        exchange = gateway.submit(ask())
        await running.wait()
        exchange.cancel()
        await ended.wait()
        await until(lambda: exchange.error is not None)

    assert exchange.error is not None
    assert exchange.error.status == 499
    assert len(model.asked) == 1


async def test_a_plugin_keeps_what_its_tools_need_until_the_exchange_ends() -> None:
    """`map_tools` gets the exchange's stack."""
    log: list[str] = []

    class Session:
        @hookimpl
        async def map_tools(self, stack: AsyncExitStack) -> ToolPlan:
            stack.callback(log.append, "closed")

            async def run(_: str) -> str:
                log.append("ran")
                return "x"

            return ToolPlan(functions=(FunctionDeclaration(name="tool"),), executors={"tool": run})

    model = Playing([[call("tool"), CALLED], [STOP]])
    async with living({"session": Session, "a": backend(model)}) as gateway:
        await read(gateway.submit(ask()))

    assert log == ["ran", "closed"]


async def test_a_stream_tells_of_running_tools_in_comments() -> None:
    """Clients skip them; nothing else of the tools is on the stream."""
    model = Playing([[call("get weather\n"), CALLED], [TextDelta(text="Warm."), STOP]])
    plugins: dict[str, type] = {"tools": tools(**{"get weather\n": returning("24")}), "a": backend(model, "test-model")}
    async with serving(plugins) as served:
        body = (await served.chat(stream=True)).text

    assert ": running get weather\n\n" in body
    choices = [chunk["choices"][0] for chunk in sse(body)[:-1]]
    assert [choice["delta"].get("content") for choice in choices] == ["", "Warm.", None]
    assert choices[-1]["finish_reason"] == "stop"
