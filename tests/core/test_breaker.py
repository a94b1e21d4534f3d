import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from studiogate import ConfigurationError, Declined, InvalidRequest, Unavailable
from studiogate.breaker import Breaker, BreakerState
from studiogate.chain import Chain
from studiogate.config import load_config
from studiogate.errors import DeadlineExceeded, UpstreamFailed
from studiogate.events import Event, TextDelta
from studiogate.exchange import Exchange
from studiogate.settings import GatewaySettings, Timeouts
from studiogate.trace import attempts_text

from .backends import STOP, Held, backend, exchange_of, host, says, serving, until, yields

BROKEN = Unavailable("the stream broke")
TWICE = GatewaySettings(breaker_failures=2, breaker_pause_s=60)


def opened(pause_s: float) -> Breaker:
    """Make a breaker that one failure has opened."""
    breaker = Breaker(failures_allowed=1, pause_s=pause_s)
    breaker.ended(BROKEN)
    return breaker


async def ask(chain: Chain) -> str:
    """Run an exchange to its end, whatever that is, and return its trace."""
    exchange = exchange_of()
    try:
        async for _ in chain.answer(exchange):
            pass
    except (UpstreamFailed, DeadlineExceeded):
        pass
    return attempts_text(exchange)


@pytest.mark.parametrize("error", [BROKEN, Unavailable("silent", status=504), UpstreamFailed("fault")])
async def test_failures_in_a_row_open_it(error: Exception) -> None:
    """What broke, fell silent or is faulty counts."""
    breaker = Breaker(failures_allowed=2, pause_s=60)
    breaker.ended(error)
    before = breaker.state
    breaker.ended(error)

    assert (before, breaker.state, breaker.failures) == (BreakerState.CLOSED, BreakerState.OPEN, 2)
    assert not breaker.admits()
    assert 59 < breaker.again_in_s <= 60


@pytest.mark.parametrize(
    "error",
    [
        Declined("no images"),
        Unavailable("quota", status=429),
        Unavailable("signed out", status=503),
        InvalidRequest("no such thing"),
        asyncio.CancelledError(),
        GeneratorExit(),
    ],
    ids=repr,
)
async def test_what_is_not_its_doing_does_not_count(error: BaseException) -> None:
    """Said at once, or somebody else's doing: no request waits the longer for it."""
    breaker = Breaker(failures_allowed=1, pause_s=60)
    breaker.ended(error)

    assert breaker.state is BreakerState.CLOSED
    assert breaker.admits()


async def test_an_answer_closes_it() -> None:
    """Failures count in a row only."""
    breaker = Breaker(failures_allowed=2, pause_s=60)
    breaker.ended(BROKEN)
    breaker.answered()
    breaker.ended(BROKEN)

    assert (breaker.state, breaker.failures) == (BreakerState.CLOSED, 1)


async def test_after_the_pause_one_request_tries() -> None:
    """The others go on without it until that one is over, whatever comes of it."""
    breaker = opened(pause_s=0.01)
    await until(lambda: breaker.state is BreakerState.HALF_OPEN)
    first, second = breaker.admits(), breaker.admits()
    breaker.ended(Declined("not mine"))
    third = breaker.admits()
    breaker.answered()

    assert (first, second, third) == (True, False, True)
    assert breaker.state is BreakerState.CLOSED


async def test_a_try_that_fails_opens_it_again() -> None:
    """With a whole pause."""
    breaker = opened(pause_s=0.01)
    await until(lambda: breaker.state is BreakerState.HALF_OPEN)
    breaker.admits()
    breaker.ended(BROKEN)

    assert breaker.state is BreakerState.OPEN


async def test_a_backend_that_keeps_failing_goes_behind_the_others() -> None:
    """Requests don't wait for it first, and it isn't even asked where another answers."""
    chain = Chain(host({"a": backend(yields(BROKEN)), "b": backend(says("Hello"))}), TWICE)

    traces = [await ask(chain) for _ in range(3)]

    assert traces == ["a=unavailable: the stream broke, b=ok"] * 2 + ["b=ok"]


async def test_a_backend_behind_the_others_is_asked_when_none_could() -> None:
    """A request is answered as long as one can; an answer brings the backend back to its place."""
    broken = True

    async def mends(_: Exchange) -> AsyncGenerator[Event]:
        if broken:
            raise BROKEN
        yield TextDelta(text="Hello")
        yield STOP

    plugins = {"a": backend(mends), "b": backend(yields(Declined("not mine")))}
    chain = Chain(host(plugins), TWICE)
    for _ in range(2):
        await ask(chain)
    broken = False
    traces = [await ask(chain) for _ in range(2)]

    assert traces == ["b=declined: not mine, a=ok", "a=ok"]


async def test_a_lone_backend_is_always_asked() -> None:
    """There is nobody to leave it to."""
    chain = Chain(host({"a": backend(yields(BROKEN))}), TWICE)

    assert [await ask(chain) for _ in range(4)] == ["a=unavailable: the stream broke"] * 4


async def test_a_backend_has_times_of_its_own() -> None:
    """The slow one is left after its own time, the next one keeps the gateway's."""
    settings = GatewaySettings(timeouts={"a": Timeouts(first_event_s=0.01)})
    chain = Chain(host({"a": backend(Held(first="")), "b": backend(says("Hello"))}), settings)

    assert await ask(chain) == "a=unavailable: nothing came for 0.01 s, b=ok"


async def test_an_answer_has_a_total_time() -> None:
    """Before its first event the next backend tries; after it, the answer ends with an error."""

    async def chatters(_: Exchange) -> AsyncGenerator[Event]:
        while True:
            yield TextDelta(text="x")
            await asyncio.sleep(0.001)

    settings = GatewaySettings(timeouts={"a": Timeouts(total_s=0.05)})
    silent = Chain(host({"a": backend(Held(first="")), "b": backend(says("Hello"))}), settings)
    endless = Chain(host({"a": backend(chatters)}), settings)

    assert await ask(silent) == "a=unavailable: no end came in 0.05 s, b=ok"
    assert await ask(endless) == "a=failed: The answer stopped: no end came in 0.05 s."


def test_times_of_nobody_are_refused() -> None:
    """A misspelt name would otherwise do nothing."""
    settings = GatewaySettings(timeouts={"stream_intercpt": Timeouts()})

    with pytest.raises(ConfigurationError, match=r"timeouts\.stream_intercpt.*Did you mean 'stream_intercept'"):
        Chain(host({"stream_intercept": backend(says("Hello"))}), settings)


def test_times_are_read_from_the_file(tmp_path: Path) -> None:
    """A table of its own per backend."""
    path = tmp_path / "plugins.toml"
    path.write_text("plugins = []\n[gateway.timeouts.dom_scrape]\nfirst_event_s = 20\n")

    assert load_config(path).gateway.timeouts == {"dom_scrape": Timeouts(first_event_s=20)}


async def test_health_shows_how_they_stand() -> None:
    """An operator sees which backend is passed over, and until when."""
    async with serving({"a": backend(yields(BROKEN), "test-model")}, breaker_failures=1) as served:
        await served.chat()
        shown = (await served.http.get("/health")).json()["breakers"]["a"]

    assert (shown["state"], shown["failures"]) == ("open", 1)
    assert 0 < shown["again_in_s"] <= 30
