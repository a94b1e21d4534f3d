import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import attrs
import pytest

from studiogate import Declined, InvalidRequest, Unavailable, hookimpl
from studiogate.breaker import BreakerState
from studiogate.chain import Chain
from studiogate.errors import (
    ClientError,
    DeadlineExceeded,
    RateLimited,
    ServiceUnavailable,
    UpstreamFailed,
)
from studiogate.events import Event, TextDelta, Usage
from studiogate.exchange import Exchange
from studiogate.models import Model
from studiogate.params import Params
from studiogate.settings import GatewaySettings
from studiogate.trace import attempts_text, ignored_text, trace_headers

from .backends import (
    STOP,
    Held,
    Script,
    ask,
    backend,
    exchange_of,
    host,
    living,
    read,
    says,
    text_of,
    until,
    with_params,
    yields,
)

PATIENT = GatewaySettings(breaker_failures=2)
HASTY = GatewaySettings(first_event_s=0.01)
UNEASY = GatewaySettings(silence_s=0.01)


def chain_of(plugins: Mapping[str, type], settings: GatewaySettings = PATIENT) -> Chain:
    """Make a chain whose backends all get the same time."""
    return Chain(host(plugins), settings)


async def answered(exchange: Exchange, plugins: Mapping[str, type], settings: GatewaySettings = PATIENT) -> list[Event]:
    """Run a chain to its end."""
    return [event async for event in chain_of(plugins, settings).answer(exchange)]


async def failed[E: ClientError](
    wanted: type[E], exchange: Exchange, plugins: Mapping[str, type], settings: GatewaySettings = PATIENT
) -> tuple[str, E]:
    """Run a chain to the error it ends with; return the text before it and the error."""
    events: list[Event] = []
    try:
        async for event in chain_of(plugins, settings).answer(exchange):
            events.append(event)  # noqa: PERF401 - what came before the error counts
    except wanted as error:
        return text_of(events), error
    raise AssertionError(f"no {wanted.__name__}, but {events}")


async def test_the_first_backend_answers() -> None:
    """A backend that can is the only one asked."""
    second = Held()
    exchange = exchange_of()
    events = await answered(exchange, {"a": backend(says("Hel", "lo")), "b": backend(second)})

    assert text_of(events) == "Hello"
    assert events[-1] == STOP
    assert attempts_text(exchange) == "a=ok"
    assert second.exchanges == []


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Declined("no images"), "declined: no images"),
        (Unavailable("signed out", status=503), "unavailable: signed out"),
    ],
)
async def test_a_backend_that_cant_leaves_it_to_the_next(verdict: Exception, outcome: str) -> None:
    """Declined and unavailable, said before the first event, move the chain on."""
    exchange = exchange_of()
    events = await answered(exchange, {"a": backend(yields(verdict)), "b": backend(says("Hello"))})

    assert text_of(events) == "Hello"
    assert attempts_text(exchange) == f"a={outcome}, b=ok"
    assert exchange.backend == "b"


async def test_a_backend_that_ends_without_a_word_leaves_it_to_the_next() -> None:
    """No event at all is no answer."""
    exchange = exchange_of()
    events = await answered(exchange, {"a": backend(yields()), "b": backend(says("Hello"))})

    assert text_of(events) == "Hello"
    assert attempts_text(exchange) == "a=unavailable: ended without an answer, b=ok"


async def test_a_fault_is_final_and_names_the_plugin(caplog: pytest.LogCaptureFixture) -> None:
    """A backend's bug doesn't hide behind the next one; its words, which may hold a prompt, stay out of everything."""
    second = Held()
    exchange = exchange_of()
    _, error = await failed(
        UpstreamFailed, exchange, {"a": backend(yields(ValueError("secret"))), "b": backend(second)}
    )

    assert error.message == "a failed unexpectedly; the gateway's log says where."
    assert "plugin a raised ValueError" in caplog.text
    assert "secret" not in caplog.text
    assert second.exchanges == []


@pytest.mark.parametrize("before", [(), (TextDelta(text="Hel"),)])
async def test_an_error_for_the_client_is_final_as_it_is(before: tuple[Event, ...]) -> None:
    """A backend may decide the client's error itself, before its first event or after."""
    mine = RateLimited("Come back tomorrow.", retry_after_s=3600)
    exchange = exchange_of()
    _, error = await failed(RateLimited, exchange, {"a": backend(yields(*before, mine)), "b": backend(says("Hello"))})

    assert error is mine
    assert attempts_text(exchange) == "a=failed: Come back tomorrow."


@pytest.mark.parametrize(
    ("late", "kind", "message"),
    [
        (Declined("changed my mind"), UpstreamFailed, "a: changed my mind"),
        (Unavailable("connection lost"), UpstreamFailed, "a: connection lost"),
        (Unavailable("quota", status=429), RateLimited, "a: quota"),
        (RuntimeError("bug"), UpstreamFailed, "a failed unexpectedly; the gateway's log says where."),
        (TimeoutError("its own"), UpstreamFailed, "a failed unexpectedly; the gateway's log says where."),
    ],
)
async def test_after_the_first_event_every_error_is_final(
    late: Exception, kind: type[ClientError], message: str
) -> None:
    """The client has seen part of the answer, so no other backend may start another."""
    second = Held()
    text, error = await failed(
        kind, exchange_of(), {"a": backend(yields(TextDelta(text="Hel"), late)), "b": backend(second)}
    )

    assert text == "Hel"
    assert error.message == message
    assert second.exchanges == []


async def test_a_late_quota_keeps_its_wait() -> None:
    """What a backend knows of the wait reaches the client also when it comes in the middle."""
    quota = Unavailable("quota", status=429, retry_after_s=7)
    _, error = await failed(RateLimited, exchange_of(), {"a": backend(yields(TextDelta(text="Hel"), quota))})

    assert error.retry_after_s == 7


async def test_an_answer_without_a_finish_is_broken() -> None:
    """A stream that just ends may have lost its end; the client is told."""
    text, error = await failed(UpstreamFailed, exchange_of(), {"a": backend(yields(TextDelta(text="Hel")))})

    assert text == "Hel"
    assert error.message == "a: the answer broke off before its end."


async def test_usage_may_follow_the_finish() -> None:
    """An upstream that counts at the very end is heard out."""
    events = await answered(exchange_of(), {"a": backend(yields(TextDelta(text="x"), STOP, Usage(prompt=1)))})

    assert events[-1] == Usage(prompt=1)


async def test_a_backend_that_hangs_after_its_finish_is_closed() -> None:
    """The answer is whole: nobody waits for an end that doesn't come, and it is no error."""
    closed = asyncio.Event()

    async def hangs(_: Exchange) -> AsyncGenerator[Event]:
        try:
            yield STOP
            await asyncio.Event().wait()
        finally:
            closed.set()

    events = await answered(exchange_of(), {"a": backend(hangs)}, UNEASY)

    assert events == [STOP]
    assert closed.is_set()


async def test_nothing_but_usage_follows_the_finish() -> None:
    """What a backend says after its finish is no part of the answer."""
    events = await answered(exchange_of(), {"a": backend(yields(STOP, TextDelta(text="more"), STOP))})

    assert events == [STOP]


async def test_a_silent_backend_is_left_for_the_next() -> None:
    """Without a first event in time the next backend tries, and the silent one is closed."""
    silent = Held(first="")
    exchange = exchange_of()
    events = await answered(exchange, {"a": backend(silent), "b": backend(says("Hello"))}, HASTY)

    assert text_of(events) == "Hello"
    assert attempts_text(exchange) == "a=unavailable: nothing came for 0.01 s, b=ok"
    assert silent.closed.is_set()


async def test_silence_of_the_only_backend_is_a_timeout() -> None:
    """Nobody left to ask: 504."""
    _, error = await failed(DeadlineExceeded, exchange_of(), {"a": backend(Held(first=""))}, HASTY)

    assert error.message == "No backend could answer. a: nothing came for 0.01 s"


async def test_silence_in_the_middle_ends_the_answer() -> None:
    """A backend that falls silent after it began is closed, and the client told."""
    held = Held()
    text, error = await failed(DeadlineExceeded, exchange_of(), {"a": backend(held)}, UNEASY)

    assert text == "first"
    assert error.message == "The answer stopped: nothing came for 0.01 s."
    assert held.closed.is_set()


@pytest.mark.parametrize(
    ("verdicts", "status", "wait"),
    [
        ([Unavailable("quota", status=429, retry_after_s=30)], 429, 30),
        (
            [
                Unavailable("quota", status=429, retry_after_s=30),
                Unavailable("quota", status=429, retry_after_s=10),
                Unavailable("quota", status=429),
            ],
            429,
            10,
        ),
        ([Declined("no"), Unavailable("starting", status=503)], 503, None),
        ([Unavailable("quota", status=429, retry_after_s=9), Unavailable("starting", status=503)], 502, 9),
        ([Unavailable("broke")], 502, None),
        ([Declined("no"), Declined("never")], 502, None),
        ([Declined("no such model", status=422), Declined("inactive")], 422, None),
        ([Declined("no such model", status=422), Unavailable("starting", status=503)], 503, None),
        ([Unavailable("wrong", status=400, retry_after_s=1)], 400, None),
        ([Unavailable("wrong", status=400, retry_after_s=1), Unavailable("broke", retry_after_s=9)], 502, 9),
        ([Unavailable("broke", retry_after_s=float("inf"))], 502, None),
    ],
)
async def test_the_client_is_told_what_all_backends_agree_on(
    verdicts: list[Declined | Unavailable], status: int, wait: float | None
) -> None:
    """One status that all share stands, mixed ones are a 502; each backend is named with its reason."""
    plugins = {name: backend(yields(verdict)) for name, verdict in zip("abc", verdicts, strict=False)}
    _, error = await failed(ClientError, exchange_of(), plugins)

    assert (error.status, error.retry_after_s) == (status, wait)
    assert error.message == "No backend could answer. " + "; ".join(
        f"{name}: {verdict.reason}" for name, verdict in zip("abc", verdicts, strict=False)
    )


async def test_without_a_backend_the_service_is_unavailable() -> None:
    """plugins.toml without a backend serves, and says so to every request."""
    _, error = await failed(ServiceUnavailable, exchange_of(), {})

    assert error.message == "No backend is enabled in plugins.toml."


async def test_a_closed_answer_closes_the_backend() -> None:
    """Who stops reading closes the backend at its current yield."""
    held = Held()
    exchange = exchange_of()
    answer = chain_of({"a": backend(held)}).answer(exchange)
    await anext(answer)
    await answer.aclose()

    assert held.closed.is_set()
    assert attempts_text(exchange) == "a=cancelled"


async def test_a_cancelled_reader_closes_the_backend() -> None:
    """A cancellation arrives at the backend's current await."""
    held = Held()
    reading = asyncio.create_task(answered(exchange_of(), {"a": backend(held)}))
    await held.begun.wait()
    reading.cancel()
    await asyncio.wait([reading])

    assert reading.cancelled()
    assert held.closed.is_set()


class Converts:
    """Take its cancellation for a failure of its own, as careless code does."""

    async def __call__(self, _: Exchange) -> AsyncGenerator[Event]:
        """Be a script."""
        try:
            await asyncio.Event().wait()
        except BaseException:  # noqa: BLE001 - what careless code does
            raise Unavailable("the connection is gone") from None
        yield STOP


@pytest.mark.parametrize("careless", [Converts, lambda: Held(first="")], ids=["converts", "lets through"])
@pytest.mark.parametrize("how", ["cancel", "deadline"])
async def test_a_cancel_and_the_deadline_start_no_other_backend(careless: Callable[[], Script], how: str) -> None:
    """Nobody waits for an answer any more, whatever the backend makes of its cancellation; its breaker stays closed."""
    second = Held()
    times: dict[str, Any] = {"deadline_s": 0.05} if how == "deadline" else {}
    async with living({"a": backend(careless()), "b": backend(second)}, breaker_failures=1, **times) as gateway:
        exchange = gateway.submit(ask())
        await until(lambda: bool(exchange.attempts))
        if how == "cancel":
            exchange.cancel()
        with pytest.raises(ClientError) as ended:
            await read(exchange)

        assert ended.value.status == (504 if how == "deadline" else 499)
        assert second.exchanges == []
        assert attempts_text(exchange) == "a=cancelled"
        assert gateway.chain.breakers["a"].state is BreakerState.CLOSED


def says_params(name: str, seen: list[tuple[str, str, str | None]], script: Script | None = None) -> type:
    """Make a plugin that notes for which backend and model its `apply_params` is called, and marks the parameters."""

    class Marks:
        @hookimpl
        def apply_params(self, params: Params, model: Model | None, backend: str) -> Params:
            seen.append((name, backend, model.id if model else None))
            return attrs.evolve(params, stop=(*params.stop, name))

    if script is None:
        return Marks
    return type("MarksAndAnswers", (Marks, backend(script)), {})


async def test_parameters_go_through_every_plugin_and_the_backend_last() -> None:
    """Plugins that are no backend go first in order, then the tried backend; other backends have no say."""
    seen: list[tuple[str, str, str | None]] = []
    plugins = {
        "own": says_params("own", seen, yields(Declined("no"))),
        "one": says_params("one", seen),
        "next": says_params("next", seen, says("x")),
        "two": says_params("two", seen),
    }
    exchange = exchange_of(model=Model(id="m", display_name="M"))
    await answered(exchange, plugins)

    assert [(name, backend) for name, backend, _ in seen] == [
        ("one", "own"),
        ("two", "own"),
        ("own", "own"),
        ("one", "next"),
        ("two", "next"),
        ("next", "next"),
    ]
    assert {model for _, _, model in seen} == {"m"}
    assert exchange.params.stop == ("one", "two", "next")


async def test_parameters_nobody_takes_are_reported() -> None:
    """Whatever is left of the client's wishes is dropped with a reason."""

    class TakesSeed:
        @hookimpl
        def apply_params(self, params: Params) -> Params:
            return params.take("seed")[1]

    exchange = exchange_of(with_params(other={"seed": 1, "logit_bias": {"1": 2}}))
    await answered(exchange, {"takes": TakesSeed, "a": backend(says("x"))})

    assert exchange.params.other == {}
    assert ignored_text(exchange) == "logit_bias: not supported by a"


async def test_every_attempt_starts_from_the_clients_parameters() -> None:
    """What one backend drops the next one may honour."""

    class Drops(backend(yields(Unavailable("down")))):  # type: ignore[misc]
        @hookimpl
        def apply_params(self, params: Params) -> Params:
            return params.drop("temperature", "not supported").drop("stop", "not supported")

    exchange = exchange_of(with_params(temperature=1.0, stop=("x",)))
    await answered(exchange, {"a": Drops, "b": backend(says("x"))})

    assert (exchange.params.temperature, exchange.params.stop) == (1.0, ("x",))
    assert exchange.params.ignored == {}


async def test_a_value_that_no_backend_could_take_is_refused() -> None:
    """`apply_params` may refuse for good."""

    class Refuses:
        @hookimpl
        def apply_params(self) -> None:
            raise InvalidRequest("Too hot.", param="temperature")

    _, error = await failed(InvalidRequest, exchange_of(), {"cold": Refuses, "a": backend(says("x"))})

    assert error.param == "temperature"


async def test_a_fault_in_parameters_names_the_plugin_that_has_it() -> None:
    """A bug in `apply_params` is its plugin's, not the backend's."""

    class Broken:
        @hookimpl
        def apply_params(self) -> None:
            raise KeyError("x")

    _, error = await failed(UpstreamFailed, exchange_of(), {"broken": Broken, "a": backend(says("x"))})

    assert error.message.startswith("broken failed unexpectedly")


async def test_the_trace_fits_into_headers() -> None:
    """Headers are printable ASCII of bounded length, whatever a backend gave as its reason."""
    exchange = exchange_of()
    reason = "größer\r\nx-evil: 1" + "x" * 5000
    await answered(exchange, {"a": backend(yields(Declined(reason))), "b": backend(says("x"))})
    headers = trace_headers(exchange)

    assert headers["x-request-id"] == exchange.id
    assert headers["x-studiogate-backend"] == "b"
    assert headers["x-studiogate-attempts"].startswith("a=declined: gr??er??x-evil: 1xxx")
    assert len(headers["x-studiogate-attempts"]) == 2000
    assert "x-studiogate-ignored" not in headers


async def test_a_backend_shares_what_the_next_one_may_use() -> None:
    """What an attempt leaves on the exchange is found by its type."""

    async def leaves(exchange: Exchange) -> AsyncGenerator[Event]:
        exchange.share(41)
        raise Unavailable("lost")
        yield

    async def finds(exchange: Exchange) -> AsyncGenerator[Event]:
        yield TextDelta(text=f"{exchange.shared(int)} {exchange.shared(str)}")
        yield STOP

    events = await answered(exchange_of(), {"a": backend(leaves), "b": backend(finds)})

    assert text_of(events) == "41 None"


def test_the_chain_knows_its_backends_in_order() -> None:
    """Only plugins that answer are backends."""
    made = chain_of({"a": backend(says()), "b": says_params("b", []), "c": backend(says())})

    assert [each.plugin for each in made.backends] == ["a", "c"]
