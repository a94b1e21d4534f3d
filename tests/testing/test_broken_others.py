"""Plugins for tools, attachments and parameters that break one rule each: found, and the rule named."""

import asyncio
import json
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from studiogate import InvalidRequest, hookimpl
from studiogate.attachments import Attachment, AttachmentRef
from studiogate.chat import ChatRequest
from studiogate.params import Params
from studiogate.testing import AttachmentsContract, Contract, ParamsContract, ToolsContract
from studiogate.testing.checking import Verdict, check
from studiogate.testing.rules import rules_of
from studiogate.tools import FunctionDeclaration, ToolError, ToolPlan, ToolSpec

log = logging.getLogger(__name__)

type Files = Mapping[AttachmentRef, Attachment]


async def add(arguments: str) -> str:
    """Add two numbers."""
    await asyncio.sleep(0)
    try:
        given = json.loads(arguments)
        return str(given["a"] + given["b"])
    except (ValueError, KeyError, TypeError):
        raise ToolError("a and b must be numbers") from None


class Adding:
    """Take `{"type": "adding"}` and offer a function for it: a sound plugin."""

    @hookimpl
    async def map_tools(self, tools: Sequence[ToolSpec], choice: Any, request: ChatRequest) -> ToolPlan | None:
        """Plan."""
        await asyncio.sleep(0)
        mine = [tool for tool in tools if tool.type == "adding"]
        for tool in mine:
            if "digits" in tool.spec and not isinstance(tool.spec["digits"], int):
                raise InvalidRequest("digits must be a number.", param=f"tools[{tool.index}].digits")
        return self.plan(mine, choice) if mine else None

    def plan(self, mine: list[ToolSpec], choice: Any) -> ToolPlan:
        """Plan for tools of its own."""
        taken = frozenset(tool.index for tool in mine)
        if choice == "none":
            return ToolPlan(taken=taken)
        return ToolPlan(taken=taken, functions=(FunctionDeclaration(name="add"),), executors={"add": add})


class TakesAll(Adding):
    """Takes what isn't its own."""

    @hookimpl
    async def map_tools(self, tools: Sequence[ToolSpec], choice: Any, request: ChatRequest) -> ToolPlan:
        """Plan."""
        return self.plan(list(tools), choice)


class TakesNothing(Adding):
    """Forgets to say what it takes."""

    def plan(self, mine: list[ToolSpec], choice: Any) -> ToolPlan:
        """Plan."""
        return attrs.evolve(super().plan(mine, choice), taken=frozenset())


class Counting(Adding):
    """Takes places for indices."""

    @hookimpl
    async def map_tools(self, tools: Sequence[ToolSpec], choice: Any, request: ChatRequest) -> ToolPlan:
        """Plan."""
        mine = frozenset(place for place, tool in enumerate(tools) if tool.type == "adding")
        return attrs.evolve(self.plan([], choice), taken=mine)


class Undeclared(Adding):
    """Runs what it doesn't declare."""

    def plan(self, mine: list[ToolSpec], choice: Any) -> ToolPlan:
        """Plan."""
        return attrs.evolve(super().plan(mine, choice), functions=())


class Eager(Adding):
    """Doesn't look at the choice."""

    def plan(self, mine: list[ToolSpec], choice: Any) -> ToolPlan:
        """Plan."""
        return super().plan(mine, None)


class Crashing(Adding):
    """Computes with what a client wrote."""

    @hookimpl
    async def map_tools(self, tools: Sequence[ToolSpec], choice: Any, request: ChatRequest) -> ToolPlan:
        """Plan."""
        mine = [tool for tool in tools if tool.type == "adding" and tool.spec.get("digits", 0) + 1]
        return self.plan(mine, choice)


class Unforgiving(Adding):
    """Runs a function that fails by whatever comes."""

    def plan(self, mine: list[ToolSpec], choice: Any) -> ToolPlan:
        """Plan."""

        async def run(arguments: str) -> str:
            given = json.loads(arguments)
            return str(given["a"] + given["b"])

        return attrs.evolve(super().plan(mine, choice), executors={"add": run} if choice != "none" else {})


class Deaf(Adding):
    """Goes on where it is cancelled."""

    @hookimpl
    async def map_tools(self, tools: Sequence[ToolSpec], choice: Any, request: ChatRequest) -> ToolPlan:
        """Plan."""
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        return self.plan([tool for tool in tools if tool.type == "adding"], choice)


class Sleeping(Adding):
    """Waits without asyncio."""

    def plan(self, mine: list[ToolSpec], choice: Any) -> ToolPlan:
        """Plan."""
        time.sleep(0.001)
        return super().plan(mine, choice)


class Meddling(Adding):
    """Changes the request."""

    @hookimpl
    async def map_tools(self, tools: Sequence[ToolSpec], choice: Any, request: ChatRequest) -> ToolPlan:
        """Plan."""
        extra: Any = request.extra
        extra["seen"] = True
        return self.plan([tool for tool in tools if tool.type == "adding"], choice)


class Gossiping(Adding):
    """Logs the request."""

    @hookimpl
    async def map_tools(self, tools: Sequence[ToolSpec], choice: Any, request: ChatRequest) -> ToolPlan:
        """Plan."""
        log.info("asked: %s", request.messages[-1].text)
        return self.plan([tool for tool in tools if tool.type == "adding"], choice)


class Texts:
    """Take `text:...`: a sound plugin."""

    @hookimpl
    async def resolve_attachments(self, refs: Sequence[AttachmentRef], workdir: Path) -> Files:
        """Write them."""
        await asyncio.sleep(0)
        return {ref: self.file(ref, workdir / f"{place}.txt") for place, ref in enumerate(refs) if self.mine(ref)}

    def mine(self, ref: AttachmentRef) -> bool:
        """Tell whether it takes a reference."""
        if ref.source == "text:":
            raise InvalidRequest("There is no text.", param=ref.param)
        return ref.source.startswith("text:")

    def file(self, ref: AttachmentRef, path: Path) -> Attachment:
        """Write one."""
        size = path.write_text(ref.source.removeprefix("text:"))
        return Attachment(ref=ref, path=path, mime="text/plain", filename=path.name, size=size)


class TakesEvery(Texts):
    """Takes what isn't its own."""

    def mine(self, ref: AttachmentRef) -> bool:
        """Take it."""
        return True


class Miscounting(Texts):
    """Says another size."""

    def file(self, ref: AttachmentRef, path: Path) -> Attachment:
        """Write one."""
        return attrs.evolve(super().file(ref, path), size=99)


class Outside(Texts):
    """Writes where it likes, for all exchanges alike."""

    folder: ClassVar[Path]

    def file(self, ref: AttachmentRef, path: Path) -> Attachment:
        """Write one."""
        return super().file(ref, self.folder / path.name)


class Inventive(Texts):
    """Answers for what nobody asked."""

    @hookimpl
    async def resolve_attachments(self, refs: Sequence[AttachmentRef], workdir: Path) -> Files:
        """Write one more."""
        more = AttachmentRef(source="text:more", param="nowhere")
        return {more: self.file(more, workdir / "more.txt")}


class Shrugging(Texts):
    """Leaves out what can't be read."""

    def mine(self, ref: AttachmentRef) -> bool:
        """Take what has a text."""
        return ref.source.startswith("text:") and ref.source != "text:"


class DeafTexts(Texts):
    """Goes on where it is cancelled."""

    @hookimpl
    async def resolve_attachments(self, refs: Sequence[AttachmentRef], workdir: Path) -> Files:
        """Write them."""
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        return {}


class SleepingTexts(Texts):
    """Waits without asyncio."""

    def file(self, ref: AttachmentRef, path: Path) -> Attachment:
        """Write one."""
        time.sleep(0.001)
        return super().file(ref, path)


class GossipingTexts(Texts):
    """Logs references."""

    def file(self, ref: AttachmentRef, path: Path) -> Attachment:
        """Write one."""
        log.info("took %s", ref.source)
        return super().file(ref, path)


class Changing:
    """Changes parameters in place."""

    @hookimpl
    def apply_params(self, params: Params) -> Params:
        """Note something."""
        other: Any = params.other
        other["seen"] = True
        return params


class Wavering:
    """Returns something else each time."""

    times = 0

    @hookimpl
    def apply_params(self, params: Params) -> Params:
        """Count."""
        self.times += 1
        return attrs.evolve(params, max_tokens=self.times)


class Unprepared:
    """Counts on every parameter being there."""

    @hookimpl
    def apply_params(self, params: Params) -> Params:
        """Double the temperature."""
        temperature: Any = params.temperature
        return attrs.evolve(params, temperature=temperature * 2)


def tools(kind: type) -> type[Contract]:
    """Make the contract class of a plugin for tools."""
    given = {"own": ({"type": "adding"},), "wrong": ({"type": "adding", "digits": "many"},), "calls": CALLS}
    return type(kind.__name__, (ToolsContract,), {"plugin": kind, **given})


CALLS = {"add": '{"a": 1, "b": 2}'}


def files(kind: type) -> type[Contract]:
    """Make the contract class of a plugin for attachments."""
    return type(
        kind.__name__, (AttachmentsContract,), {"plugin": kind, "own": ("text:a", "text:b"), "wrong": ("text:",)}
    )


def params(kind: type) -> type[Contract]:
    """Make the contract class of a plugin for parameters."""
    return type(kind.__name__, (ParamsContract,), {"plugin": kind})


def broken(contract: type[Contract]) -> dict[str, Verdict]:
    """Return what isn't kept, by rule."""
    return {verdict.rule.name: verdict for verdict in check(contract) if verdict.outcome != "ok"}


BROKEN = [
    ("leaves-others", tools(TakesAll), "studiogate_testing_unknown"),
    ("takes-own", tools(TakesNothing), "taken: [] of the tools [1]"),
    ("by-index", tools(Counting), "taken: [0] of the tools [2]"),
    ("plan-fits", tools(Undeclared), "executors for add"),
    ("choice-none", tools(Eager), "in the plan: add"),
    ("refuses-wrong", tools(Crashing), "TypeError"),
    ("runs", tools(Unforgiving), "JSONDecodeError"),
    ("cancelled", tools(Deaf), "cancelled at its await 1 of 1, it went on to its end"),
    ("never-blocks", tools(Sleeping), "time.sleep"),
    ("read-only", tools(Meddling), "'seen': True"),
    ("keeps-quiet", tools(Gossiping), "asked:"),
    ("leaves-others", files(TakesEvery), "studiogate-testing:"),
    ("takes-own", files(Miscounting), "size 99"),
    ("files-inside", files(Outside), "outside of `workdir`"),
    ("keeps-apart", files(Outside), "one path in two exchanges"),
    ("offered-only", files(Inventive), "text:more"),
    ("refuses-wrong", files(Shrugging), "taken or left"),
    ("cancelled", files(DeafTexts), "it went on"),
    ("never-blocks", files(SleepingTexts), "time.sleep"),
    ("keeps-quiet", files(GossipingTexts), "a reference in the log"),
    ("params", params(Changing), "changed in place"),
    ("params", params(Wavering), "it returned"),
    ("params", params(Unprepared), "TypeError"),
]


@pytest.mark.parametrize(
    ("rule", "contract", "seen"), BROKEN, ids=[f"{rule}-{contract.__name__}" for rule, contract, _ in BROKEN]
)
def test_a_broken_plugin_is_found_and_its_rule_named(
    rule: str, contract: type[Contract], seen: str, tmp_path: Path
) -> None:
    """The rule that it breaks fails, and says what was seen and what would be right."""
    Outside.folder = tmp_path

    for each, test in rules_of(contract):
        if each.name != rule:
            setattr(contract, test.__name__, None)
    (verdict,) = broken(contract).values()

    assert (verdict.outcome, verdict.rule.name) == ("failed", rule)
    assert seen in verdict.saw
    assert verdict.right


@pytest.mark.parametrize("contract", [tools(Adding), files(Texts)])
def test_a_sound_plugin_keeps_every_rule(contract: type[Contract]) -> None:
    """Nothing is found where nothing is wrong, and nothing is left untried."""
    assert broken(contract) == {}
