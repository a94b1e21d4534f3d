"""The helper service's proxy behind our own: both tiers in one gateway, and what one leaves to the other."""

import concurrent.futures
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.house import Simulator, running_simulator, wait_until
from tests.helper_service import Fault, Kept

from .stage import Stage, standing

UNREADABLE = 'no array[[[[[[[[null,"Understood."]],"model"],1]]]]]'
"""An answer that stream_intercept makes nothing of, and the service does."""


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Generator[Simulator]:
    """Run one simulator for this module."""
    with running_simulator(tmp_path_factory.mktemp("simulator")) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def running_helper_first(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Generator[Stage]:
    """Run a gateway that asks the service first."""
    folder: Path = tmp_path_factory.mktemp("first")
    with standing(folder, simulator, ["helper_backend", "stream_intercept"], tabs=2) as stage:
        yield stage


@pytest.fixture
def helper_first(running_helper_first: Stage) -> Stage:
    """Return everything, idle and with nothing scripted."""
    return running_helper_first.ready()


@pytest.fixture(scope="module")
def running_helper_second(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Generator[Stage]:
    """Run a gateway that asks the service where our own reading fails."""
    folder: Path = tmp_path_factory.mktemp("second")
    tables = {"helper_backend": {"replays": True}}
    with standing(folder, simulator, ["stream_intercept", "helper_backend"], tables=tables) as stage:
        yield stage


@pytest.fixture
def helper_second(running_helper_second: Stage) -> Stage:
    """Return everything, idle and with nothing scripted, the service telling its newest answer."""
    stage = running_helper_second.ready()
    stage.helper.kept = Kept.NEWEST
    return stage


def test_the_service_answers_what_our_proxy_lets_pass(helper_first: Stage) -> None:
    """Its certificates are our proxy's to trust: the browser meets ours only."""
    helper_first.simulator.play(thoughts=["Hm. "], text=["through ", "both"])
    response = helper_first.gateway.ask("Hello?")
    message = response.json()["choices"][0]["message"]

    assert (message["content"], message["reasoning_content"]) == ("through both", "Hm. ")
    assert helper_first.attempts(response) == "helper_backend=ok"
    assert len(helper_first.simulator.log()) == 1


def test_a_service_that_refuses_leaves_it_to_us(helper_first: Stage) -> None:
    """The traffic passes its proxy all the same, and the prompt is submitted once."""
    helper_first.helper.fail(Fault.REFUSE, status=500)
    helper_first.simulator.play(text=["our own"])
    response = helper_first.gateway.ask("Hello?")

    assert response.json()["choices"][0]["message"]["content"] == "our own"
    assert helper_first.attempts(response).endswith("stream_intercept=ok")
    assert (len(helper_first.simulator.log()), len(helper_first.helper.told)) == (1, 1)


def test_answers_of_both_at_once_are_kept_apart(helper_first: Stage) -> None:
    """The service can't tell which tab an answer is for, so it is asked when the other tab has finished."""
    for name in ("first", "second"):
        helper_first.simulator.play(when=name, text=[f"{name}, "] * 6, chunk_delay_ms=150)
    helper_first.helper.fail(Fault.REFUSE, status=500)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(helper_first.gateway.ask, "the first")
        wait_until(lambda: helper_first.helper.told, "the first answer's beginning")
        helper_first.helper.fail(None)
        second = pool.submit(helper_first.gateway.ask, "the second")

    assert first.result().json()["choices"][0]["message"]["content"] == "first, " * 6
    assert helper_first.attempts(first.result()).endswith("stream_intercept=ok")
    assert second.result().json()["choices"][0]["message"]["content"] == "second, " * 6
    assert helper_first.attempts(second.result()) == "helper_backend=ok"


def test_an_answer_that_we_cannot_read_is_told_by_the_service(helper_second: Stage) -> None:
    """The prompt is not submitted again; an older answer is not taken for it."""
    helper_second.helper.plant("an older one")
    helper_second.simulator.play(raw=UNREADABLE)
    response = helper_second.gateway.ask("Hello?")

    assert response.json()["choices"][0]["message"]["content"] == "Understood."
    assert helper_second.attempts(response).endswith("helper_backend=ok")
    assert len(helper_second.simulator.log()) == 1


def test_an_answer_that_nobody_saw_is_not_asked_for(helper_second: Stage) -> None:
    """What the service has may be an older one."""
    helper_second.helper.plant("an older one")
    helper_second.simulator.play(http_status=500, status=[13, "Internal."])
    response = helper_second.gateway.ask("Hello?")

    assert response.status_code == 502
    assert (
        "helper_backend: the prompt has been submitted already, and nobody saw" in response.json()["error"]["message"]
    )
    assert (len(helper_second.simulator.log()), helper_second.helper.asked) == (1, [])
