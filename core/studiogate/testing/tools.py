"""The contract of a plugin for tools, as tests."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, ClassVar

import attrs

from studiogate.chat import ChatRequest
from studiogate.errors import ClientError
from studiogate.plugins import Implementation
from studiogate.testing.blocking import watching
from studiogate.testing.contract import MARK, Contract
from studiogate.testing.listening import listening
from studiogate.testing.rules import NotTried, RuleBroken, rule
from studiogate.testing.stage import ask
from studiogate.testing.steps import check_cancelled, done
from studiogate.tools import ToolError, ToolPlan, ToolSpec

type Tool = Mapping[str, Any]

_FOREIGN: Sequence[Tool] = (
    {"type": "studiogate_testing_unknown"},
    {"type": "function", "function": {"name": "studiogate_testing_of_the_client", "parameters": {"type": "object"}}},
)
"""Tools that are for no plugin: one of an unknown type, and a function of the client's."""


class ToolsContract(Contract):
    """Hold a plugin to the contract of `map_tools`.

    class TestContract(ToolsContract):
        plugin = MyTools
        own = [{"type": "my_search"}]
    """

    own: ClassVar[Sequence[Tool]] = ()
    """Tools of a request, as a client writes them, that the plugin takes."""
    wrong: ClassVar[Sequence[Tool]] = ()
    """Tools that are the plugin's and wrong, each of which it refuses."""
    calls: ClassVar[Mapping[str, str]] = {}
    """Calls of the tools that the gateway runs: the function's name, and arguments (a JSON object as text) that it can
    be run with."""
    cancellations: ClassVar[int] = 50
    """Of the awaits of a call, how many are tried as the place where it is cancelled, spread evenly."""

    def request(self, *tools: Tool) -> ChatRequest:
        """Return a request with tools."""
        return ask(f"Say {MARK}.", tools=tuple(ToolSpec(index=index, spec=tool) for index, tool in enumerate(tools)))

    @asynccontextmanager
    async def planning(self) -> AsyncGenerator["Planning"]:
        """Run a gateway around the plugin and plan tools with it."""
        async with self.living() as gateway, AsyncExitStack() as stack:
            hooks = [each for each in gateway.plugins.implementations("map_tools") if each.plugin == self.listed_as]
            if not hooks:
                raise RuleBroken("there is no map_tools", "map_tools is implemented and marked with @hookimpl")
            yield Planning(hook=hooks[0], stack=stack, patience_s=self.patience_s)

    async def use(self) -> None:
        """Plan once."""
        async with self.planning() as planning:
            await planning.plan(self.request(*_FOREIGN, *self.own))

    @rule("Tools that aren't its own it leaves to others: unknown types and the client's functions.")
    async def test_leaves_others(self) -> None:
        """Offer it tools that are nobody's."""
        async with self.planning() as planning:
            plan = await planning.plan(self.request(*_FOREIGN))
        if plan.taken:
            taken = ", ".join(json.dumps(_FOREIGN[index]) for index in sorted(plan.taken) if index < len(_FOREIGN))
            raise RuleBroken(f"taken: {taken or sorted(plan.taken)}", "`taken` has the plugin's own tools alone")

    @rule("Tools that are its own it takes, each by its index, and no other.")
    async def test_takes_own(self) -> None:
        """Offer it its own tools between others."""
        self._need(self.own, "own")
        request = self.request(_FOREIGN[0], *self.own, _FOREIGN[1])
        async with self.planning() as planning:
            plan = await planning.plan(request)
        mine = frozenset(range(1, len(self.own) + 1))
        if plan.taken != mine:
            raise RuleBroken(f"taken: {sorted(plan.taken)} of the tools {sorted(mine)}", "`tool.index` of each")

    @rule("What it takes is not what it finds at a place: tools that earlier plugins took leave gaps in the indices.")
    async def test_by_index(self) -> None:
        """Offer it its own tools without those before them."""
        self._need(self.own, "own")
        request = self.request(*_FOREIGN, *self.own)
        async with self.planning() as planning:
            plan = await planning.plan(request, request.tools[len(_FOREIGN) :])
        mine = frozenset(tool.index for tool in request.tools[len(_FOREIGN) :])
        if plan.taken != mine:
            raise RuleBroken(
                f"taken: {sorted(plan.taken)} of the tools {sorted(mine)}", "`tool.index`, never a position"
            )

    @rule(
        "Every tool that the gateway runs is declared, and every declaration has a name and a schema of its arguments."
    )
    async def test_plan_fits(self) -> None:
        """Look at its plan for its own tools."""
        async with self.planning() as planning:
            plan = await planning.plan(self.request(*self.own))
        if plan == ToolPlan():
            self._need(self.own, "own")
        declared = {function.name: function for function in plan.functions}
        if strange := sorted(plan.executors.keys() - declared.keys()):
            raise RuleBroken(f"executors for {', '.join(strange)}, which are not declared", "`functions` declares each")
        if len(declared) != len(plan.functions):
            raise RuleBroken("two functions of one name", "a name for each")
        for name, function in declared.items():
            if not name or function.parameters.get("type", "object") != "object":
                raise RuleBroken(f"{name!r} has the parameters {function.parameters}", "a JSON Schema of type object")

    @rule('With tool_choice "none" its tools are taken, but none is switched on, declared or run.')
    async def test_choice_none(self) -> None:
        """Ask for no tool to be used."""
        async with self.planning() as planning:
            if await planning.plan(self.request(*self.own)) == ToolPlan():
                self._need(self.own, "own")
            plan = await planning.plan(attrs.evolve(self.request(*self.own), tool_choice="none"))
        on = sorted({*plan.switches, *plan.executors, *(function.name for function in plan.functions)})
        if on:
            raise RuleBroken(f"in the plan: {', '.join(on)}", "a plan with nothing but `taken`")
        if len(plan.taken) != len(self.own):
            raise RuleBroken(
                f"taken: {sorted(plan.taken)} of {len(self.own)} tools", "taken, so that nobody refuses them"
            )

    @rule("A tool that is its own and wrong is refused with InvalidRequest.")
    async def test_refuses_wrong(self) -> None:
        """Offer it tools that are wrong."""
        self._need(self.wrong, "wrong")
        async with self.planning() as planning:
            for tool in self.wrong:
                ended = await done(planning.planned(self.request(tool)), self.patience_s)
                if not isinstance(ended.error, ClientError):
                    became = "taken" if ended.error is None else f"{type(ended.error).__name__}: {ended.error}"
                    raise RuleBroken(f"{json.dumps(tool)}: {became}", "InvalidRequest, which names the place")

    @rule(
        "A tool that the gateway runs returns text; what goes wrong with it is a ToolError, with words for the model."
    )
    async def test_runs(self) -> None:
        """Run its tools, with good arguments and with bad ones."""
        self._need(self.calls, "calls")
        async with self.planning() as planning:
            plan = await planning.plan(self.request(*self.own))
            for name, arguments in self.calls.items():
                run = _executor(plan, name)
                result = await run(arguments)
                if not isinstance(result, str):  # pyright: ignore[reportUnnecessaryIsInstance] - a plugin may return anything
                    raise RuleBroken(f"{name} returned {result!r}", "a result is text")
                for bad in ("", "[]", '{"studiogate_testing": [1]}'):
                    ended = await done(run(bad), self.patience_s)
                    if ended.error is not None and not isinstance(ended.error, ToolError):
                        raise RuleBroken(
                            f"{name} called with {bad!r} raised {type(ended.error).__name__}: {ended.error}",
                            "ToolError, with words for the model",
                        )

    @rule("Cancelled at any await, it ends at once.")
    async def test_cancelled(self) -> None:
        """Cancel its planning and its tools at each of their awaits in turn."""
        async with self.planning() as planning:
            request = self.request(*_FOREIGN, *self.own)
            await check_cancelled(lambda: planning.planned(request), self.patience_s, self.cancellations)
            plan = await planning.plan(request)
            for name, arguments in self.calls.items():
                run = _executor(plan, name)
                await check_cancelled(_called(run, arguments), self.patience_s, self.cancellations)

    @rule("It never blocks the event loop.")
    async def test_never_blocks(self) -> None:
        """Watch the loop's thread while it plans and runs tools."""
        async with self.planning() as planning:
            request = self.request(*_FOREIGN, *self.own)
            plan = await planning.plan(request)  # imports what it needs
            with watching(self.blocked_s) as watch:
                await planning.plan(request)
                for name, arguments in self.calls.items():
                    await _executor(plan, name)(arguments)
        watch.check()

    @rule("The request is left as it was.")
    async def test_read_only(self) -> None:
        """Look at a request before and after."""
        nested = {"studiogate_testing": {"list": [1, 2]}}
        request = attrs.evolve(self.request(*_FOREIGN, *self.own), extra=nested)
        was = repr(request)
        async with self.planning() as planning:
            await planning.plan(request)
        if repr(request) != was:
            raise RuleBroken(f"the request was {was} and is {request!r}", "copies are changed")

    @rule("Nothing of what a request says is in a log.")
    async def test_keeps_quiet(self) -> None:
        """Look for a prompt in the log."""
        with listening() as heard:
            await self.use()
        for line in heard:
            if MARK in line:
                raise RuleBroken(f"the prompt in: {line}", "no words of a request, whatever happens")

    def _need(self, given: object, name: str) -> None:
        if not given:
            raise NotTried(f"the contract class names none: set `{name}`")


@attrs.frozen(kw_only=True)
class Planning:
    """A plugin's `map_tools` while a rule is tried."""

    hook: Implementation
    stack: AsyncExitStack
    patience_s: float

    def planned(self, request: ChatRequest, left: Sequence[ToolSpec] | None = None) -> Awaitable[ToolPlan | None]:
        """Begin to plan."""
        planned: Awaitable[ToolPlan | None] = self.hook(
            tools=list(request.tools if left is None else left),
            choice=request.tool_choice,
            request=request,
            stack=self.stack,
        )
        return planned

    async def plan(self, request: ChatRequest, left: Sequence[ToolSpec] | None = None) -> ToolPlan:
        """Return the plugin's part of a plan.

        :param left: the tools that no earlier plugin took; all when None.
        """
        ended = await done(self.planned(request, left), self.patience_s)
        if ended.error is not None:
            raise RuleBroken(f"map_tools raised {type(ended.error).__name__}: {ended.error}", "a ToolPlan or None")
        if ended.result is not None and not isinstance(ended.result, ToolPlan):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise RuleBroken(f"map_tools returned {ended.result!r}", "a ToolPlan or None")
        return ended.result or ToolPlan()


def _executor(plan: ToolPlan, name: str) -> Callable[[str], Awaitable[str]]:
    run = plan.executors.get(name)
    if run is None:
        known = ", ".join(plan.executors) or "none"
        raise RuleBroken(f"no executor for {name}; there are: {known}", "`calls` names functions that the gateway runs")
    return run


def _called(run: Callable[[str], Awaitable[str]], arguments: str) -> Callable[[], Awaitable[str]]:
    return lambda: run(arguments)
