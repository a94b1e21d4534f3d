"""Backends that break one rule each: the contract tests find every one of them, and name the rule."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import attrs
import pytest

from studiogate import Declined, Unavailable, hookimpl
from studiogate.events import Event, Finish, FinishReason, TextDelta, ToolCall, Usage
from studiogate.exchange import Exchange
from studiogate.health import Health
from studiogate.params import Params
from studiogate.testing import STOP, BackendContract
from studiogate.testing.checking import Verdict, check
from studiogate.testing.rules import rules_of

from .sound import SERVICES, Broken, Sound, altered, contract_of

log = logging.getLogger(__name__)


class Misnamed(Sound):
    """Asks for an argument that the hook doesn't have."""

    @hookimpl
    async def fetch_response(self, exchange: Exchange, browser: object) -> AsyncGenerator[Event]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Answer."""
        yield STOP


@attrs.frozen(kw_only=True)
class NeedsAddress:
    """Has a setting without a default."""

    address: str


class Demanding(Sound):
    """Stops the start where it isn't set up."""

    settings = NeedsAddress  # pyright: ignore[reportAssignmentType, reportIncompatibleVariableOverride]


@attrs.frozen(kw_only=True)
class TakesAnything:
    """Has a setting of any type."""

    address: Any = "nowhere"


class Credulous(Sound):
    """Takes whatever stands in plugins.toml."""

    settings = TakesAnything  # pyright: ignore[reportAssignmentType, reportIncompatibleVariableOverride]


class Confused(Sound):
    """Fails when it is asked how it fares."""

    connection: Any = None

    @hookimpl
    def health(self) -> Health:
        """Tell of a connection that isn't there yet."""
        return Health(ready=self.connection.open, status="connected")


class Untidy(Sound):
    """Begins a task with each answer and never ends it."""

    tasks: "set[asyncio.Task[None]]" = set()  # noqa: RUF012 - one of its mistakes

    @hookimpl
    async def fetch_response(self, exchange: Exchange) -> AsyncGenerator[Event]:
        """Answer."""
        self.tasks.add(asyncio.create_task(asyncio.sleep(3600)))
        yield TextDelta(text="said")
        yield STOP


class Greedy(Sound):
    """Drops a parameter and tells nobody."""

    @hookimpl
    def apply_params(self, params: Params) -> Params:
        """Forget the seed."""
        return attrs.evolve(params, seed=None)


class Remembering(Sound):
    """Keeps the exchange on the plugin."""

    exchange: Exchange

    @hookimpl
    async def fetch_response(self, exchange: Exchange) -> AsyncGenerator[Event]:
        """Answer."""
        self.exchange = exchange
        for place in range(2):
            await asyncio.sleep(0)
            yield TextDelta(text=self.exchange.prompt.text.split()[place])
        yield STOP


async def silent(_: Sound, __: Exchange) -> AsyncGenerator[Event]:
    """Say nothing at all."""
    for event in ():
        yield event


async def endless(_: Sound, __: Exchange) -> AsyncGenerator[Event]:
    """Forget the finish."""
    yield TextDelta(text="said")


async def twice(_: Sound, __: Exchange) -> AsyncGenerator[Event]:
    """Finish twice."""
    yield TextDelta(text="said")
    yield STOP
    yield STOP


async def raw(_: Sound, __: Exchange) -> AsyncGenerator[Any]:
    """Yield text instead of an event."""
    yield "said"
    yield STOP


async def hollow(_: Sound, __: Exchange) -> AsyncGenerator[Event]:
    """Yield an empty delta."""
    yield TextDelta(text="")
    yield STOP


async def ragged(_: Sound, __: Exchange) -> AsyncGenerator[Event]:
    """Yield a call whose arguments are no JSON."""
    yield ToolCall(id="1", name="look", arguments="{")
    yield Finish(reason=FinishReason.TOOL_CALLS)


async def late(_: Sound, __: Exchange) -> AsyncGenerator[Event]:
    """Go on after the finish."""
    yield STOP
    yield Usage(prompt=1)
    yield TextDelta(text="one more thing")


async def uncalled(_: Sound, __: Exchange) -> AsyncGenerator[Event]:
    """Finish for calls that it didn't make."""
    yield TextDelta(text="said")
    yield Finish(reason=FinishReason.TOOL_CALLS)


async def talking_first(_: Sound, exchange: Exchange) -> AsyncGenerator[Event]:
    """Say something before it declines."""
    yield TextDelta(text="let me see")
    if exchange.model is None or exchange.model.id != "sound-1":
        raise Declined("not mine", status=422)
    yield STOP


async def speechless(_: Sound, exchange: Exchange) -> AsyncGenerator[Event]:
    """Decline without a reason."""
    if exchange.model is None or exchange.model.id != "sound-1":
        raise Declined("", status=422)
    yield TextDelta(text="said")
    yield STOP


async def unprepared(backend: Sound, exchange: Exchange) -> AsyncGenerator[Event]:
    """Let its service's exception through."""
    async for word in SERVICES[backend.options.address].answer(exchange.prompt.text):
        yield TextDelta(text=word)
    yield STOP


async def glossing(backend: Sound, exchange: Exchange) -> AsyncGenerator[Event]:
    """Finish an answer that broke off."""
    begun = False
    try:
        async for word in SERVICES[backend.options.address].answer(exchange.prompt.text):
            begun = True
            yield TextDelta(text=word)
    except Broken:
        if not begun:
            raise Unavailable("no service") from None
    yield STOP


async def deaf(_: Sound, __: Exchange) -> AsyncGenerator[Event]:
    """Take a cancellation for a timeout, and go on."""
    for word in ("a", "b", "c"):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        yield TextDelta(text=word)
    yield STOP


async def clinging(_: Sound, __: Exchange) -> AsyncGenerator[Event]:
    """Say goodbye when it is closed."""
    try:
        yield TextDelta(text="said")
        yield STOP
    finally:
        yield TextDelta(text="goodbye")


async def stubborn(backend: Sound, exchange: Exchange) -> AsyncGenerator[Event]:
    """Ask again whatever ended the last try."""
    service = SERVICES[backend.options.address]
    while True:
        try:
            async for word in service.answer(exchange.prompt.text):
                yield TextDelta(text=word)
        except (Broken, asyncio.CancelledError):
            continue
        yield STOP
        return


async def leaking(backend: Sound, exchange: Exchange) -> AsyncGenerator[Event]:
    """Read its service in a task that nobody ends."""
    words: asyncio.Queue[str | None] = asyncio.Queue()

    async def reading() -> None:
        async for word in SERVICES[backend.options.address].answer(exchange.prompt.text):
            words.put_nowait(word)
        words.put_nowait(None)

    LEFT.append(asyncio.create_task(reading()))
    while (word := await words.get()) is not None:
        yield TextDelta(text=word)
    yield STOP


LEFT: "list[asyncio.Task[None]]" = []


async def sleeping(_: Sound, __: Exchange) -> AsyncGenerator[Event]:
    """Wait without asyncio."""
    time.sleep(0.001)  # noqa: ASYNC251 - its mistake
    yield TextDelta(text="said")
    yield STOP


async def locked(_: Sound, __: Exchange) -> AsyncGenerator[Event]:
    """Wait for something that nothing tells of, for long."""
    threading.Event().wait(1)
    yield TextDelta(text="said")
    yield STOP


async def counting(_: Sound, __: Exchange) -> AsyncGenerator[Event]:
    """Work for long without a break."""
    ends = time.thread_time() + 0.25
    while time.thread_time() < ends:
        pass
    yield TextDelta(text="said")
    yield STOP


async def meddling(_: Sound, exchange: Exchange) -> AsyncGenerator[Event]:
    """Change the request in place."""
    nested: Any = exchange.request.extra.get("studiogate_testing", {"list": []})
    nested["list"].append(3)
    yield TextDelta(text="said")
    yield STOP


async def replacing(_: Sound, exchange: Exchange) -> AsyncGenerator[Event]:
    """Put another prompt in the place of the client's."""
    exchange.prompt = attrs.evolve(exchange.prompt, text="something else")
    yield TextDelta(text="said")
    yield STOP


async def gossiping(_: Sound, exchange: Exchange) -> AsyncGenerator[Event]:
    """Log the prompt."""
    log.info("asked: %s", exchange.prompt.text)
    yield TextDelta(text="said")
    yield STOP


async def quoting(_: Sound, exchange: Exchange) -> AsyncGenerator[Event]:
    """Name the prompt in a reason."""
    if exchange.prompt.text:
        raise Unavailable(f"can't answer {exchange.prompt.text}")
    yield STOP


def verdicts(kind: type, *rules: str, **changes: object) -> dict[str, Verdict]:
    """Try rules on a backend; all when none is named."""
    contract = contract_of(kind, **changes)
    if rules:
        for rule, test in rules_of(contract):
            if rule.name not in rules:
                setattr(contract, test.__name__, None)
    return {verdict.rule.name: verdict for verdict in check(contract)}


BROKEN = [
    ("loads", Misnamed, "browser"),
    ("settings-default", Demanding, "address"),
    ("settings-checked", Credulous, "address = 01:02:00, a time of day, is taken"),
    ("tells", Confused, "health raised AttributeError"),
    ("closes", Untidy, "a task of sleep"),
    ("answers", altered(silent), "ended without an event"),
    ("one-finish", altered(endless), "0 Finish among 1 events"),
    ("one-finish", altered(twice), "2 Finish among 3 events"),
    ("known-events", altered(raw), "'said' was yielded"),
    ("known-events", altered(hollow), "TextDelta(text='') was yielded"),
    ("known-events", altered(ragged), "arguments='{'"),
    ("event-order", altered(late), "TextDelta after the Finish"),
    ("event-order", altered(uncalled), "without a ToolCall"),
    ("declines", altered(talking_first), "TextDelta was yielded"),
    ("declines", altered(speechless), "the reason ''"),
    ("fails-before", altered(unprepared), "Broken"),
    ("fails-after", altered(glossing), "a Finish after 'Hello'"),
    ("fails-after", altered(unprepared), "Broken"),
    ("cancelled", altered(deaf), "cancelled at its await 1 of 3, it went on"),
    ("cancelled", altered(clinging), "closed at its event 1 of"),
    ("deadline", altered(stubborn), "it still ran after 0.5 s"),
    ("deadline", altered(leaking), "the upstream still has the answer under way"),
    ("never-blocks", altered(sleeping), "time.sleep, which waits without asyncio (in sleeping, line"),
    ("never-blocks", altered(locked), "the loop stood still (in wait, line"),
    ("never-blocks", altered(counting), "s of processor time between two awaits"),
    ("keeps-apart", Remembering, "beside another request"),
    ("read-only", altered(meddling), "exchange.request was"),
    ("read-only", altered(replacing), "exchange.prompt was"),
    ("keeps-quiet", altered(gossiping), "tests.testing.test_broken_backends: asked:"),
    ("keeps-quiet", altered(quoting), "can't answer"),
    ("params", Greedy, "it dropped seed without a word"),
]


@pytest.mark.parametrize(("rule", "kind", "seen"), BROKEN, ids=[f"{rule}-{kind.__name__}" for rule, kind, _ in BROKEN])
def test_a_broken_backend_is_found_and_its_rule_named(rule: str, kind: type, seen: str) -> None:
    """The rule that it breaks fails, and says what was seen and what would be right."""
    verdict = verdicts(kind, rule, patience_s=10.0 if rule == "never-blocks" else 0.5, blocked_s=0.2)[rule]

    assert (verdict.outcome, verdict.rule.name) == ("failed", rule)
    assert seen in verdict.saw
    assert verdict.right


def test_every_rule_has_a_backend_that_breaks_it() -> None:
    """So none of them can be one that finds nothing."""
    assert {rule.name for rule, _ in rules_of(contract_of(Sound))} == {rule for rule, _, _ in BROKEN}


def test_a_sound_backend_keeps_every_rule() -> None:
    """Nothing is found where nothing is wrong, and nothing is left untried."""
    assert {verdict.outcome for verdict in verdicts(Sound, patience_s=10.0).values()} == {"ok"}


class Bare:
    """The least backend there is."""

    @hookimpl
    async def fetch_response(self, exchange: Exchange) -> AsyncGenerator[Event]:
        """Say the same to everybody."""
        yield TextDelta(text="said")
        yield STOP


def test_what_cannot_be_tried_is_said() -> None:
    """A contract that plays no upstream leaves rules untried, each with what is missing; it doesn't pass them."""

    class BareContract(BackendContract):
        plugin = Bare

    untried = {each.rule.name: each.saw for each in check(BareContract) if each.outcome == "not tried"}

    assert untried == {
        "declines": "no request is known that it declines: override `foreign_request` in the contract class",
        "fails-before": "nothing makes the upstream fail-before: override `upstream` in the contract class",
        "fails-after": "nothing makes the upstream fail-after: override `upstream` in the contract class",
        "deadline": "nothing makes the upstream hang: override `upstream` in the contract class",
        "keeps-apart": "the upstream says the same to every prompt: have it answer with words of the prompt",
    }
