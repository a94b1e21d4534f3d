"""An answer that the first backend loses is read by the next one, in the page where it is generated."""

import json
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from .house import Gateway, Simulator, deltas, running_gateway, texts, wait_until, write_config

STREAM, PAGE = "stream_intercept", "dom_scrape"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, shared_simulator: Simulator) -> Generator[Gateway]:
    """Run a gateway with both backends that use the page; the first gets only seconds for its first event."""
    shared_simulator.reset()
    tables = {"studio": {"tabs": 1}, "gateway.timeouts.stream_intercept": {"first_event_s": 5.0}}
    folder = tmp_path_factory.mktemp("both")
    with running_gateway(write_config(folder, shared_simulator, tables, backends=[STREAM, PAGE])) as gateway:
        yield gateway


@pytest.fixture
def gateway(both: Gateway) -> Generator[Gateway]:
    """Return the gateway; whatever the test did, the next request is answered by the first backend again."""
    wait_until(lambda: both.tabs_ready() == 1, "the tab")
    yield both
    answer = both.ask("afterwards")
    assert (answer.status_code, answer.headers["x-studiogate-backend"]) == (200, STREAM)


def unreadable(*parts: list[Any]) -> str:
    """Return a body that the page can read and the first backend can't: its first number is beyond any."""
    frames = [json.dumps([[[[[part], "model"]]], None, ["huge"]]) for part in parts]
    frames.append(json.dumps([[[[[[None, ""]], "model"], 1]]]))
    return f"[[{','.join(frames)}]]".replace('"huge"', "1e999", 1)


def attempts(response: httpx.Response) -> list[str]:
    """Return how each backend fared: its name and the first word of what became of it."""
    tried = response.headers["x-studiogate-attempts"].split(", ")
    return [each.partition(":")[0] for each in tried if each.startswith((STREAM, PAGE))]


@pytest.mark.parametrize("stream", [False, True])
def test_a_stream_that_can_not_be_read(gateway: Gateway, simulator: Simulator, *, stream: bool) -> None:
    """The page can: thoughts, text and finish come from there, and the prompt was sent once."""
    thought = [None, "Thinking.", *[None] * 10, 1]
    simulator.play(when="read me", raw=unreadable(thought, [None, "It *can* "], [None, "be read."]))

    if stream:
        with gateway.streaming("read me") as answer:
            text = "".join(texts(answer))
    else:
        answer = gateway.ask("read me")
        text = answer.json()["choices"][0]["message"]["content"]
        assert answer.json()["choices"][0]["message"]["reasoning_content"] == "Thinking."

    assert text == "It *can* be read."
    assert attempts(answer) == [f"{STREAM}=unavailable", f"{PAGE}={'running' if stream else 'ok'}"]
    assert [turn["prompt"] for turn in simulator.log()] == ["read me"]


def test_an_answer_that_begins_late(gateway: Gateway, simulator: Simulator) -> None:
    """The first backend's patience ends before the first frame; what comes then is read in the page."""
    simulator.play(when="slow", text=["", "Slow ", "and sure."], chunk_delay_ms=6000)

    answer = gateway.ask("slow", seed=7, temperature=0.3)

    (turn,) = simulator.log()
    assert answer.json()["choices"][0]["message"]["content"] == "Slow and sure."
    assert attempts(answer) == [f"{STREAM}=unavailable", f"{PAGE}=ok"]
    assert (turn["config"]["temperature"], turn["config"]["seed"]) == (0.3, 7)
    assert "x-studiogate-ignored" not in answer.headers


def test_a_refusal_is_told_by_who_saw_it(gateway: Gateway, simulator: Simulator) -> None:
    """The page has no answer to read then; nobody sends the prompt again."""
    simulator.play(when="too much", http_status=429, status=[8, "Resource has been exhausted"])

    answer = gateway.ask("too much")

    assert answer.status_code == 429
    assert attempts(answer) == [f"{STREAM}=unavailable", f"{PAGE}=declined"]
    assert len(simulator.log()) == 1


def test_a_stream_cut_before_its_first_frame(gateway: Gateway, simulator: Simulator) -> None:
    """The page has lost it too, and says so."""
    simulator.play(when="cut", text=["one"], cut_after_frames=0)

    answer = gateway.ask("cut")

    assert answer.status_code == 502
    assert attempts(answer) == [f"{STREAM}=unavailable", f"{PAGE}=unavailable"]
    assert len(simulator.log()) == 1


def test_leaving_after_the_handover_aborts_upstream(gateway: Gateway, simulator: Simulator) -> None:
    """The end of the exchange ends what the first backend has begun."""
    simulator.play(when="leave", text=["", "one ", "two ", "three"], chunk_delay_ms=6000, hang_after_frames=2)

    with gateway.streaming("leave") as response:
        chunks = deltas(response)
        while not next(chunks)["choices"][0]["delta"].get("content"):
            pass

    assert response.headers["x-studiogate-backend"] == PAGE
    wait_until(lambda: simulator.turn("leave")["aborted_at"], "the abort upstream")
