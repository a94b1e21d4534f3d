"""The contract of a backend, as tests."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from typing import Any, ClassVar

import attrs

from studiogate.chat import ChatRequest
from studiogate.config import Table
from studiogate.errors import ClientError, DeadlineExceeded, Declined, ModelNotFound, Unavailable
from studiogate.events import Finish
from studiogate.exchange import Exchange
from studiogate.gateway import Gateway
from studiogate.params import Params
from studiogate.testing.blocking import watching
from studiogate.testing.contract import MARK, Contract
from studiogate.testing.judging import faults_of, misplaced
from studiogate.testing.listening import listening
from studiogate.testing.parameters import check_params
from studiogate.testing.recorder import Call, Recorder
from studiogate.testing.rules import NotTried, RuleBroken, rule
from studiogate.testing.scripted import says, scripted
from studiogate.testing.stage import ask, text_of
from studiogate.testing.steps import spread

NEXT = "next_backend"
"""The name of the backend that stands after the plugin."""
UNKNOWN_MODEL = "studiogate-testing-no-such-model"
_AFTER = {NEXT: scripted(says("the next backend says"))}


class Does(StrEnum):
    """What the upstream does in a rule: see `BackendContract.upstream`."""

    ANSWER = "answer"
    """It answers as it should, best with words of the prompt, so that two answers can be told apart."""
    FAIL_BEFORE = "fail-before"
    """It fails before it has said anything."""
    FAIL_AFTER = "fail-after"
    """It says something of its answer and then fails."""
    HANG = "hang"
    """It says something of its answer or nothing, and then neither goes on nor ends."""


class BackendContract(Contract):
    """Hold a backend to the contract of `fetch_response`.

        class TestContract(BackendContract):
            plugin = MyBackend

    tries all that can be tried while the upstream does what it does. The others need an upstream that is played, by
    `upstream`; `request`, `foreign_request` and `held` say more where it is needed.
    """

    cancellations: ClassVar[int] = 50
    """Of the awaits and events of an answer, how many are tried as the place where it is cancelled, spread evenly."""
    deadline_s: ClassVar[float] = 0.5
    """The deadline, seconds, of an exchange whose upstream hangs; doubled until the backend is reached in time."""

    @asynccontextmanager
    async def upstream(self, does: Does) -> AsyncGenerator[Table]:
        """Play the upstream while a rule is tried; yield settings of the plugin that lead it there.

        :raises NotTried: it can't be made to do that. Without an override it can only answer.
        """
        if does is not Does.ANSWER:
            raise NotTried(f"nothing makes the upstream {does}: override `upstream` in the contract class")
        yield {}

    def request(self, text: str) -> ChatRequest:
        """Return a request that the plugin answers, of a user who says `text`."""
        return ask(text)

    def foreign_request(self) -> ChatRequest | None:
        """Return a request that isn't for the plugin; None for one of a model that nobody has."""
        return None

    def held(self) -> int | None:
        """Return how many answers the upstream has under way, as it sees it; None where nobody can tell."""
        return None

    @property
    def unplayed(self) -> bool:
        """Whether nothing is said of the upstream: neither settings nor how it is played."""
        return not self.settings and type(self).upstream is BackendContract.upstream

    @asynccontextmanager
    async def life(self, does: Does = Does.ANSWER, **gateway: Any) -> AsyncGenerator["Life"]:
        """Run a gateway around the plugin, another backend after it, and record the plugin's calls."""
        recorder = Recorder()
        async with (
            self.upstream(does) as settings,
            self.living(settings, recorder.recording(self.plugin), after=_AFTER, **gateway) as running,
        ):
            yield Life(contract=self, gateway=running, recorder=recorder)

    async def use(self) -> None:
        """Answer once."""
        async with self.life() as life:
            await life.answer()

    @rule("It answers.")
    async def test_answers(self) -> None:
        """Ask something simple."""
        async with self.life() as life:
            await life.answer()

    @rule("An answer ends with exactly one Finish.")
    async def test_one_finish(self) -> None:
        """Count them in an answer."""
        async with self.life() as life:
            call = await life.answer()
        ends = sum(isinstance(event, Finish) for event in call.events)
        if ends != 1:
            raise RuleBroken(f"{ends} Finish among {len(call.events)} events", "one, after all but Usage")

    @rule("Events are of the types of studiogate.events, and well made.")
    async def test_known_events(self) -> None:
        """Look at each event of an answer."""
        async with self.life() as life:
            call = await life.answer(whole=False)
        for saw, right in faults_of(call.events):
            raise RuleBroken(saw, right)

    @rule("Events come in a legal order: nothing but Usage after Finish, calls before a finish for tool_calls.")
    async def test_event_order(self) -> None:
        """Look at the events of an answer as a whole."""
        async with self.life() as life:
            call = await life.answer(whole=False)
        for saw, right in misplaced(call.events):
            raise RuleBroken(saw, right)

    @rule(
        "A request that isn't for it is declined before the first event, with a reason, and the next backend answers."
    )
    async def test_declines(self) -> None:
        """Ask what isn't for it: `foreign_request`, else an unknown model, else anything while it isn't set up."""
        foreign = self.foreign_request()
        exchange: Exchange | None = None
        async with self.life() as life:
            # Without a foreign request the gateway itself may refuse a model that nobody has.
            with suppress(*() if foreign else (ModelNotFound,)):
                exchange = await life.ask(foreign or attrs.evolve(self.request("Hello"), model=UNKNOWN_MODEL))
            call = None if exchange is None else life.call_of(exchange)
        if exchange is None or (foreign is None and not _gave_way(call)):
            exchange, call = await self._asked_bare()
            if not _gave_way(call):
                raise NotTried("no request is known that it declines: override `foreign_request` in the contract class")
        _check_passed_on(exchange, call, Declined)

    async def _asked_bare(self) -> tuple[Exchange, Call | None]:
        """Ask it while it isn't set up."""
        recorder = Recorder()
        async with self.living(None, recorder.recording(self.plugin), after=_AFTER, bare=True) as gateway:
            life = Life(contract=self, gateway=gateway, recorder=recorder)
            exchange = await life.ask(self.request("Hello"))
            return exchange, life.call_of(exchange)

    @rule("An upstream that fails before the first event makes it raise Unavailable, and the next backend answers.")
    async def test_fails_before(self) -> None:
        """Have the upstream fail at once."""
        async with self.life(Does.FAIL_BEFORE) as life:
            exchange = await life.ask(self.request("Hello"))
            call = life.call_of(exchange)
        _check_passed_on(exchange, call, Unavailable)

    @rule("An upstream that fails after the first event ends the answer with an error, never with a Finish.")
    async def test_fails_after(self) -> None:
        """Have the upstream fail within its answer."""
        async with self.life(Does.FAIL_AFTER) as life:
            exchange = await life.ask(self.request("Hello"))
            call = life.call_of(exchange)
        if call is None or (not call.events and isinstance(call.error, Declined | Unavailable)):
            return  # it says nothing before it has everything: the next backend could still answer
        if any(isinstance(event, Finish) for event in call.events):
            raise RuleBroken(
                f"a Finish after {text_of(call.events)!r}, as if the answer were whole", "Unavailable or UpstreamFailed"
            )
        if call.error is not None and not isinstance(call.error, ClientError | Unavailable):
            raise RuleBroken(_raised(call.error), "Unavailable or another error of studiogate.errors")

    @rule("Cancelled at any await, or closed at any event, it ends at once and says nothing more.")
    async def test_cancelled(self) -> None:
        """Cancel an answer at each of its awaits in turn, close it at each of its events, then have it answer again."""
        async with self.life() as life:
            whole = await life.answer()
            for place in spread(whole.steps.awaits, self.cancellations):
                call = await life.ended(cancel_at=place)
                _check_ended(call, f"cancelled at its await {place} of {whole.steps.awaits}")
            for place in spread(len(whole.events), self.cancellations):
                call = await life.ended(close_after=place)
                _check_ended(call, f"closed at its event {place} of {len(whole.events)}")
            await life.answer()

    @rule("It obeys the deadline: where the upstream hangs it ends with the exchange and lets go of the upstream.")
    async def test_deadline(self) -> None:
        """Have the upstream hang."""
        deadline_s = self.deadline_s
        while True:
            async with self.life(Does.HANG, deadline_s=deadline_s) as life:
                exchange = await life.ask(self.request("Hello"))
                call = life.call_of(exchange)
                if call is not None:
                    await life.let_go()
                    break
            if (deadline_s := deadline_s * 2) > self.patience_s:
                raise NotTried(f"the backend is not reached within {deadline_s / 2:g} s")
        if not isinstance(exchange.error, DeadlineExceeded):
            raise RuleBroken(
                f"the exchange ended {'whole' if exchange.error is None else f'with {_raised(exchange.error)}'}, "
                f"{_after(call)}",
                "it waits for the upstream until it is cancelled, and lets CancelledError pass",
            )

    @rule("It never blocks the event loop.")
    async def test_never_blocks(self) -> None:
        """Watch the loop's thread during an answer."""
        async with self.life() as life:
            await life.answer()  # imports what it needs
            with watching(self.blocked_s) as watch:
                call = await life.answer()
        if call.steps.longest_cpu_s > self.blocked_s:
            raise RuleBroken(
                f"{call.steps.longest_cpu_s:.1f} s of processor time between two awaits",
                "asyncio.to_thread for long work",
            )
        watch.check()

    @rule("Two requests at once get the answers that each would get alone.")
    async def test_keeps_apart(self) -> None:
        """Answer two prompts one after the other, then both at once."""
        texts = ("Say apple.", "Say banana.")
        async with self.life(slots=2) as life:
            alone = [text_of((await life.answer(text)).events) for text in texts]
            life.recorder.take_turns = True
            together = await asyncio.gather(*(life.answer(text) for text in texts))
        if alone[0] == alone[1]:
            raise NotTried("the upstream says the same to every prompt: have it answer with words of the prompt")
        for text, expected, call in zip(texts, alone, together, strict=True):
            if (found := text_of(call.events)) != expected:
                raise RuleBroken(
                    f"{text!r} was answered {found!r} beside another request, and {expected!r} alone",
                    "what belongs to one exchange is in local variables, never on the plugin",
                )

    @rule("The request and all else of the exchange that isn't its own is left as it was.")
    async def test_read_only(self) -> None:
        """Look at an exchange before and after."""
        nested = {"studiogate_testing": {"list": [1, 2], "object": {"key": "value"}}}
        request = attrs.evolve(
            self.request("Hello"), extra=nested, params=Params(other={"user": "u", "metadata": {"a": "b"}})
        )
        async with self.life() as life:
            before = life.when_called(_shown)
            life.answered(await life.ask(request))
        for shown, exchange in before:
            for part, was in shown.items():
                if (now := _shown(exchange)[part]) != was:
                    raise RuleBroken(f"exchange.{part} was {was} and is {now}", "copies are changed (attrs.evolve)")

    @rule("Nothing of what a request says is in a log or in a reason.")
    async def test_keeps_quiet(self) -> None:
        """Look for a prompt in everything that is said beside the answer."""
        async with self.life() as life:
            with listening() as records:
                exchange = await life.ask(self.request(f"Say {MARK}."))
            life.answered(exchange)
        told = [*records, *(attempt.outcome for attempt in exchange.attempts), str(exchange.error)]
        told += [f"health: {health}" for health in life.gateway.health().values()]
        for line in told:
            if MARK in line:
                raise RuleBroken(f"the prompt in: {line}", "no words of a request, whatever happens")

    @rule("What it makes of parameters depends on them alone, changes none in place, gives a reason for what it drops.")
    async def test_params(self) -> None:
        """Fit parameters of many kinds."""
        check_params(self.host(), self.listed_as)


@attrs.frozen(kw_only=True)
class Life:
    """A gateway around a backend while a rule is tried."""

    contract: BackendContract
    gateway: Gateway
    recorder: Recorder

    async def ask(self, request: ChatRequest) -> Exchange:
        """Have a request answered to its end, whatever that is.

        :raises RuleBroken: it doesn't end.
        """
        exchange = self.gateway.submit(request)
        over = asyncio.Event()
        exchange.when_over(over.set)
        reading = asyncio.create_task(_read(exchange))
        try:
            async with asyncio.timeout(self.contract.patience_s):
                await over.wait()
        except TimeoutError:
            call = self.call_of(exchange)
            if call is None:
                exchange.cancel()
            else:
                call.leave()
            await over.wait()
            raise RuleBroken(
                f"it still ran after {self.contract.patience_s:g} s{'' if call is None else f', {_after(call)}'}",
                "the generator ends when it is cancelled or closed",
            ) from None
        finally:
            await reading
        return exchange

    async def answer(self, text: str = "Hello", *, whole: bool = True) -> Call:
        """Have the backend answer, and return the call.

        :raises RuleBroken: it doesn't answer.
        """
        call = self.answered(await self.ask(self.contract.request(text)))
        # The gateway closes what goes on after its finish or yields no event, which the rules about events look at.
        finished = any(isinstance(event, Finish) for event in call.events)
        dropped = isinstance(call.error, GeneratorExit) and (finished or not whole)
        if call.error is not None and not dropped:
            raise RuleBroken(_raised(call.error), "it answers while its upstream does")
        if whole and not call.events:
            raise RuleBroken("it ended without an event", "it answers while its upstream does")
        return call

    def answered(self, exchange: Exchange) -> Call:
        """Return the call of an exchange that was asked of the backend.

        :raises NotTried: it couldn't answer, since nobody has said how.
        """
        call = self.call_of(exchange)
        if call is None:
            raise RuleBroken(f"it was never asked: {exchange.error}", "it is asked")
        if isinstance(call.error, Declined | Unavailable) and not call.events and self.contract.unplayed:
            raise NotTried(
                f"it doesn't answer as it is ({_raised(call.error)}): set `settings`, or override `upstream`"
            )
        return call

    async def ended(self, **where: int) -> Call:
        """Have an answer ended somewhere on its way, and return the call."""
        self.recorder.cancel_at, self.recorder.close_after = where.get("cancel_at"), where.get("close_after")
        try:
            exchange = await self.ask(self.contract.request("Hello"))
        finally:
            self.recorder.cancel_at = self.recorder.close_after = None
        call = self.call_of(exchange)
        if call is None:
            raise RuleBroken(f"it was not asked again: {exchange.error}", "what ends early leaves nothing behind")
        return call

    def call_of(self, exchange: Exchange) -> Call | None:
        """Return the backend's last call for an exchange; None if it was never asked."""
        return next((call for call in reversed(self.recorder.calls) if call.exchange is exchange), None)

    def when_called[T](self, look: Callable[[Exchange], T]) -> list[tuple[T, Exchange]]:
        """Have each exchange looked at when the backend is called; what was seen comes into the list."""
        seen: list[tuple[T, Exchange]] = []
        self.recorder.on_call = lambda exchange: seen.append((look(exchange), exchange))
        return seen

    async def let_go(self) -> None:
        """Wait until the upstream has no answer under way.

        :raises RuleBroken: it still has one.
        """
        if self.contract.held() is None:
            return
        try:
            async with asyncio.timeout(self.contract.patience_s):
                while self.contract.held():  # noqa: ASYNC110 - the upstream tells nobody
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise RuleBroken(
                "the upstream still has the answer under way", "the upstream is stopped in `finally`"
            ) from None


async def _read(exchange: Exchange) -> None:
    """Read an exchange, so that nothing waits for its reader."""
    try:
        while await exchange.next_event() is not None:
            pass
    except ClientError:
        return


def _gave_way(call: Call | None) -> bool:
    """Tell whether a backend let the next one try."""
    return call is not None and isinstance(call.error, Declined | Unavailable)


def _check_passed_on(exchange: Exchange, call: Call | None, verdict: type[Declined | Unavailable]) -> None:
    """Check that a backend gave its turn to the next one, by the right exception."""
    right = f"{verdict.__name__}(reason) is raised before the first event"
    if call is None:
        raise RuleBroken(f"it was never asked: {exchange.error}", right)
    if call.events:
        raise RuleBroken(f"{type(call.events[0]).__name__} was yielded", right)
    if not isinstance(call.error, Declined | Unavailable):
        raise RuleBroken("it ended without an event" if call.error is None else _raised(call.error), right)
    if verdict is Declined and isinstance(call.error, Unavailable) and call.error.status not in _REFUSALS:
        raise RuleBroken(_raised(call.error), f"{right}: it could answer others")
    if not call.error.reason.strip() or "\n" in call.error.reason:
        raise RuleBroken(f"the reason {call.error.reason!r}", "a reason of one line")
    if exchange.attempts[-1].backend != NEXT or exchange.attempts[-1].outcome != "ok":
        raise RuleBroken(f"the exchange ended with: {exchange.error}", "the next backend answers")


_REFUSALS = (400, 413, 422)
"""Statuses of an upstream that finds the request wrong: another may take it."""


def _check_ended(call: Call, how: str) -> None:
    """Check that a backend ended when it was cancelled or closed."""
    if not call.steps.struck and not call.closed:
        return  # it waited less often than before
    if call.error is None:
        went_on = f"it went on to {call.events[-1]!r}" if call.events else "it ended as if nothing had happened"
        raise RuleBroken(f"{how}, {went_on}", "CancelledError passes")
    if not isinstance(call.error, asyncio.CancelledError | GeneratorExit | Declined | Unavailable):
        raise RuleBroken(f"{how}, it raised {_raised(call.error)}", "CancelledError and GeneratorExit pass")


def _shown(exchange: Exchange) -> dict[str, str]:
    parts = ("id", "request", "prompt", "deadline", "caller", "model", "model_name", "plan", "attachments", "files")
    return {part: repr(getattr(exchange, part)) for part in parts}


def _raised(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _after(call: Call) -> str:
    said = f"after {len(call.events)} events" if call.events else "before its first event"
    return f"{said} and {call.steps.awaits} awaits"
