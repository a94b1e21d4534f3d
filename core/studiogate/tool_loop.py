"""Runs the tools that the gateway executes itself, and asks the model again until it answers.

    round: chain -> text, thoughts … to the client
                 -> calls of the client's functions: to the client, the answer ends
                 -> calls of the gateway's tools: run side by side, then the next round, with calls and results as turns

Each round asks the backends anew, in a chat of its own: what backends opened for a round is closed before the next.
After `max_tool_rounds` rounds with calls the model is asked once more without the gateway's tools, so that it has to
answer.

Where one turn calls tools of both kinds, only the client's calls go out and none of the gateway's is run: the model
sees the client's results first and calls again what it still wants. So nothing runs twice, and nothing has to be
remembered between requests.

A tool that fails is no failure of the request: the model reads what went wrong in place of the result.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing

import attrs

from studiogate.chain import Chain
from studiogate.chat import Message, RequestedCall, Role
from studiogate.counts import Counts
from studiogate.crash import log_fault
from studiogate.events import Event, Finish, FinishReason, Progress, TextDelta, ToolCall, Usage
from studiogate.exchange import Exchange
from studiogate.settings import GatewaySettings
from studiogate.tools import ToolError

log = logging.getLogger(__name__)


@attrs.define
class _Round:
    """What one round came to."""

    texts: list[str] = attrs.field(factory=list[str])
    ours: list[ToolCall] = attrs.field(factory=list[ToolCall])
    theirs: int = 0
    finish: Finish | None = None
    usage: Usage | None = None


@attrs.frozen
class ToolLoop:
    """Answer exchanges, with rounds for the tools that the gateway runs."""

    chain: Chain
    settings: GatewaySettings
    counts: Counts = attrs.field(factory=Counts)

    async def answer(self, exchange: Exchange) -> AsyncGenerator[Event]:
        """Yield the answer's events; close it with `aclose`. Calls of the gateway's tools are not among them.

        :raises ClientError: as `Chain.answer`.
        """
        if not exchange.plan.executors:
            async with aclosing(self.chain.answer(exchange)) as events:
                async for event in events:
                    yield event
            return
        names = frozenset(exchange.plan.executors)
        total: Usage | None = None
        done = _Round()
        for number in range(self.settings.max_tool_rounds + 1):
            done = _Round()
            async with aclosing(self._round(exchange, names, done)) as events:
                async for event in events:
                    yield event
            total = _sum(total, done.usage)
            if not done.ours or done.theirs or not exchange.plan.executors:
                break
            log.info("%s: round %d: %s", exchange.id, number + 1, ", ".join(call.name for call in done.ours))
            yield Progress(text=f"running {', '.join(call.name for call in done.ours)}")
            results = await self._run_all(exchange, done.ours)
            last = number + 1 == self.settings.max_tool_rounds
            await exchange.next_round(
                (*exchange.request.messages, *_turns("".join(done.texts), done.ours, results)),
                exchange.plan.without_executors() if last else exchange.plan,
            )
        if total is not None:
            yield total
        yield _ended(done)

    async def _round(self, exchange: Exchange, names: Collection[str], done: _Round) -> AsyncGenerator[Event]:
        """Yield what the client sees of one round, and note in `done` what it came to.

        :param names: the gateway's tools, also in the round that does without them: a model may call all the same.
        """
        async with aclosing(self.chain.answer(exchange)) as events:
            async for event in events:
                match event:
                    case ToolCall() if event.name in names:
                        done.ours.append(event)
                    case Finish():
                        done.finish = event
                    case Usage():
                        done.usage = event
                    case ToolCall():
                        done.theirs += 1
                        yield event
                    case TextDelta():
                        done.texts.append(event.text)
                        yield event
                    case _:
                        yield event

    async def _run_all(self, exchange: Exchange, calls: Sequence[ToolCall]) -> list[str]:
        """Run calls side by side; returns what the model reads of each, in their order."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._run(exchange, call)) for call in calls]
        return [task.result() for task in tasks]

    async def _run(self, exchange: Exchange, call: ToolCall) -> str:
        """Run a call and count it; returns what the model reads of it."""
        began, outcome, span = time.monotonic(), "cancelled", exchange.span.child("tool_call")
        try:
            outcome, text = await self._called(exchange, call)
        finally:
            span.say(outcome=outcome)
            span.end()
            self.counts.tool_call(outcome, time.monotonic() - began)
        return text

    async def _called(self, exchange: Exchange, call: ToolCall) -> tuple[str, str]:
        """Return what came of a call, as `Counts.tool_call` takes it, and in words."""
        limit_s = self.settings.tool_call_s
        limit = asyncio.timeout(limit_s)
        try:
            async with limit:
                return "ok", self._fitted(await exchange.plan.executors[call.name](call.arguments))
        except ToolError as error:
            return "error", self._fitted(f"Error: {error}")
        except Exception as error:  # noqa: BLE001 - the plugin boundary: the model is told, and the log says where
            if isinstance(error, TimeoutError) and limit.expired():
                return "timeout", f"Error: the tool did not answer within {limit_s:g} s."
            log_fault(f"{exchange.id}: tool {call.name}", error)
            return "fault", "Error: the tool failed unexpectedly."

    def _fitted(self, result: str) -> str:
        most = self.settings.max_tool_result_chars
        if len(result) <= most:
            return result
        return f"{result[:most]}\n[cut off: {most} of {len(result)} characters]"


def _turns(said: str, calls: Sequence[ToolCall], results: Sequence[str]) -> list[Message]:
    """Return the messages that tell the next round of this one."""
    requested = tuple(RequestedCall(id=call.id, name=call.name, arguments=call.arguments) for call in calls)
    return [
        Message(role=Role.ASSISTANT, text=said, tool_calls=requested),
        *(
            Message(role=Role.TOOL, text=result, name=call.name, tool_call_id=call.id)
            for call, result in zip(calls, results, strict=True)
        ),
    ]


def _ended(last: _Round) -> Finish:
    """Return how the whole answer ended: calls that the client doesn't see are no reason for it."""
    finish = last.finish or Finish(reason=FinishReason.STOP)
    if finish.reason is FinishReason.TOOL_CALLS and not last.theirs:
        return attrs.evolve(finish, reason=FinishReason.STOP)
    return finish


def _sum(total: Usage | None, usage: Usage | None) -> Usage | None:
    """Add up rounds: each was asked and answered on its own."""
    if total is None or usage is None:
        return total or usage
    return Usage(
        prompt=total.prompt + usage.prompt,
        completion=total.completion + usage.completion,
        reasoning=total.reasoning + usage.reasoning,
        cached=total.cached + usage.cached,
    )
