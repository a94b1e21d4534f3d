"""A gateway that has nothing but a helper service: the browser goes through the service's proxy, which reads along."""

import concurrent.futures
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.house import Simulator, deltas, running_simulator, wait_until
from tests.helper_service import Fault, Kept

from .stage import Stage, content, read, standing


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Generator[Simulator]:
    """Run one simulator for this module."""
    with running_simulator(tmp_path_factory.mktemp("simulator")) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Generator[Stage]:
    """Run one gateway with two tabs for this module."""
    folder: Path = tmp_path_factory.mktemp("gateway")
    with standing(folder, simulator, ["helper_backend"], tabs=2) as stage:
        yield stage


@pytest.fixture
def stage(running: Stage) -> Stage:
    """Return everything, idle and with nothing scripted."""
    return running.ready()


def test_an_answer_is_asked_for_once(stage: Stage) -> None:
    """By one connection, with the account's cookie; what the answers are like, the matrix shows."""
    answer = stage.gateway.ask("Hello?")

    assert answer.status_code == 200
    assert len(stage.simulator.log()) == 1
    assert [asked["cookie"] for asked in stage.helper.asked] == [f"SAPISID={stage.helper.sapisid}"]
    wait_until(lambda: stage.helper.listening == 0, "the connection's end")


def test_the_page_is_set_and_counts_tokens(stage: Stage) -> None:
    """What the request says is set in the page; what the page has no control for is reported."""
    body = stage.gateway.ask("Set?", temperature=0.25, max_tokens=77, seed=5, stop=["zzz"])
    (turn,) = stage.simulator.log()

    assert body.status_code == 200
    assert (turn["config"]["temperature"], turn["config"]["max_output_tokens"]) == (0.25, 77)
    assert turn["config"]["stop_sequences"] == ["zzz"]
    assert body.json()["usage"]["completion_tokens"] > 0
    assert "seed" in body.headers["x-studiogate-ignored"]


def test_keep_alive_comments_are_no_answer(stage: Stage) -> None:
    """A model may think for long; the service says that it is still there, and the text is none the longer."""
    stage.simulator.play(text=["slow", "ly"], chunk_delay_ms=700)
    with stage.gateway.streaming("Take your time.") as response:
        text, _ = read(response)

    assert text == "slowly"


@pytest.mark.parametrize("kept", [Kept.QUEUE, Kept.NEWEST])
def test_an_old_answer_is_not_taken_for_the_new_one(stage: Stage, kept: Kept) -> None:
    """What the service has still to tell is let pass before the prompt is submitted."""
    stage.helper.kept = kept
    for number in range(3):
        stage.helper.plant(f"old {number}")
    stage.simulator.play(text=["new"])

    assert stage.gateway.ask("And now?").json()["choices"][0]["message"]["content"] == "new"


@pytest.mark.parametrize("kept", [Kept.NONE, Kept.AT_ONCE])
def test_services_that_keep_nothing_or_do_not_wait_serve_too(stage: Stage, kept: Kept) -> None:
    """One has to be asked before the answer begins, the other is asked again until it has."""
    stage.helper.kept = kept
    stage.simulator.play(text=["whole", " answer"])

    assert stage.gateway.ask("And now?").json()["choices"][0]["message"]["content"] == "whole answer"


def test_a_service_that_goes_on_with_another_answer_is_not_listened_to(stage: Stage) -> None:
    """The prompt is not even submitted: nobody could tell the two apart."""
    stage.helper.plant("endless", over=False)
    response = stage.gateway.ask("And now?")

    assert response.status_code == 502
    assert "the helper service goes on telling of another answer" in response.json()["error"]["message"]
    assert stage.simulator.log() == []


def test_two_answers_at_once_are_kept_apart(stage: Stage) -> None:
    """The second waits for the first one's end before it is submitted."""
    for name in ("left", "right"):
        stage.simulator.play(when=name, text=[f"{name}, "] * 5, chunk_delay_ms=100)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = list(pool.map(stage.gateway.ask, ["go left", "go right"]))

    texts = [answer.json()["choices"][0]["message"]["content"] for answer in answers]
    assert texts == ["left, " * 5, "right, " * 5]
    first, second = sorted(stage.simulator.log(), key=lambda turn: turn["received_at"])
    assert second["received_at"] >= first["finished_at"]


def test_a_cancel_ends_page_and_connection(stage: Stage) -> None:
    """The answer is stopped upstream, and the next request works."""
    stage.simulator.play(when="for ever", text=["on", " and on"], hang_after_frames=1)
    with stage.gateway.streaming("Talk for ever.") as response:
        chunks = deltas(response)
        assert next(chunks)
        stage.gateway.cancel(response.headers["x-request-id"])
        *_, last = chunks
    wait_until(lambda: stage.helper.listening == 0, "the connection's end")
    wait_until(lambda: stage.simulator.turn("for ever")["aborted_at"], "the page's end")
    stage.simulator.play(when="next", text=["fine"])

    assert last["error"]["code"] == "cancelled"
    assert stage.gateway.ask("And the next one?").json()["choices"][0]["message"]["content"] == "fine"


REFUSALS = {
    401: (503, "refuses the account's cookie"),
    403: (503, "refuses the account's cookie"),
    404: (502, "is endpoint right?"),
    500: (502, "the helper service failed (HTTP 500)"),
}


@pytest.mark.parametrize("status", REFUSALS)
def test_a_service_that_refuses_costs_no_prompt(stage: Stage, status: int) -> None:
    """It is asked before anything is submitted, so that the next backend does it all."""
    expected, words = REFUSALS[status]
    stage.helper.fail(Fault.REFUSE, status=status)
    response = stage.gateway.ask("Hello?")

    assert response.status_code == expected
    assert words in response.json()["error"]["message"]
    assert stage.simulator.log() == []


FAULTS = {
    Fault.STALL: "did not tell anything of an answer that the page has whole",
    Fault.SILENT: "did not tell anything of an answer that the page has whole",
    Fault.GARBAGE: "makes no sense",
    Fault.HALF: "makes no sense",
    Fault.EARLY: "did not tell anything",
    Fault.RESET: "broke off",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_before_the_answer_is_named(stage: Stage, fault: Fault) -> None:
    """The prompt was submitted once; the next request works."""
    stage.helper.fail(fault)
    response = stage.gateway.ask("Hello?")
    stage.helper.fail(None)

    assert response.status_code in {502, 504}
    assert FAULTS[fault] in response.json()["error"]["message"]
    assert len(stage.simulator.log()) == 1
    stage.ready()
    assert stage.gateway.ask("Again?").status_code == 200


@pytest.mark.parametrize("fault", [Fault.STALL, Fault.GARBAGE, Fault.HALF, Fault.EARLY, Fault.RESET])
def test_a_fault_within_the_answer_is_final(stage: Stage, fault: Fault) -> None:
    """What came is the client's already; the end of the stream says that it broke off."""
    stage.helper.fail(fault, after=1, held=True)
    stage.simulator.play(text=["one ", "two ", "three"])
    with stage.gateway.streaming("Count.") as response:
        chunks = deltas(response)
        begun = next(text for chunk in chunks if (text := content(chunk)))
        # Not before it is read: what a dropped connection has brought and nobody has read yet is gone with it.
        stage.helper.fault_let.set()
        rest = list(chunks)

    assert begun + "".join(map(content, rest)) == "one "
    last = rest[-1]
    assert "helper_backend" in last["error"]["message"]
    assert len(stage.simulator.log()) == 1


@pytest.mark.parametrize(
    ("scenario", "status", "words"),
    [
        ({"http_status": 429, "status": [8, "Quota."]}, 429, "quota is used up"),
        ({"http_status": 403, "status": [7, "No."]}, 502, "refused the request"),
        ({"text": ["half"], "cut_after_frames": 0}, 502, "broke off"),
    ],
)
def test_what_the_page_knows_of_its_request_is_told(
    stage: Stage, scenario: dict[str, Any], status: int, words: str
) -> None:
    """A service has nothing to tell of an answer that there never was."""
    stage.simulator.play(**scenario)
    response = stage.gateway.ask("Hello?")

    assert (response.status_code, words in response.json()["error"]["message"]) == (status, True)


def test_an_answer_that_was_cut_is_none(stage: Stage) -> None:
    """Whatever came of it before."""
    stage.simulator.play(text=["half", "whole"], cut_after_frames=1)
    with stage.gateway.streaming("Hello?") as response:
        text, last = read(response)

    assert text == "half"
    assert "error" in last


def test_health_and_log_tell_nothing_secret(stage: Stage) -> None:
    """Neither the account's cookie nor a prompt."""
    stage.gateway.ask("Keep this secret: zwetschge.")
    stage.helper.fail(Fault.REFUSE, status=500)
    stage.gateway.ask("Keep this secret: zwetschge.")
    health = stage.gateway.health()["plugins"]["helper_backend"]
    said = stage.gateway.said() + json.dumps(stage.gateway.health())

    assert (health["ready"], health["details"]["protocol"]) == (True, "helper")
    assert health["details"]["last_failure"]["what"] == "the helper service failed (HTTP 500)"
    assert stage.helper.sapisid not in said
    assert "zwetschge" not in said
