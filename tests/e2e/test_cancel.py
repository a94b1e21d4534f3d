"""Cancelling through everything: what the client gets, what AI Studio sees, and who has the slot afterwards."""

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from .house import Gateway, Simulator, deltas, texts, wait_until


@contextmanager
def asking(gateway: Gateway, text: str, **fields: Any) -> Generator["Future[httpx.Response]"]:
    """Ask from another thread; the whole answer is its result."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(gateway.ask, text, **fields)


def answering(simulator: Simulator, text: str) -> None:
    """Wait until the one turn of a prompt has sent its first bytes."""

    def begun() -> bool:
        return any(text in turn["prompt"] and turn["first_byte_at"] for turn in simulator.log())

    wait_until(begun, f"the answer to {text!r} to begin")


def idle(gateway: Gateway) -> bool:
    """Tell whether nothing runs and nothing waits."""
    queue = gateway.queue()
    return not queue["running"] and not queue["items"]


def assert_stopped(gateway: Gateway, simulator: Simulator, text: str) -> None:
    """Check that upstream saw the abort, that the slot is free at once, and that the next request is served."""
    wait_until(lambda: idle(gateway), "the slot")
    wait_until(lambda: simulator.turn(text)["aborted_at"], "the abort upstream")
    assert simulator.turn(text)["finished_at"] is None
    assert gateway.ask("afterwards").status_code == 200


def test_cancel_of_a_running_stream(gateway: Gateway, simulator: Simulator) -> None:
    """What came stays, then the stream ends with the error and without `[DONE]`."""
    simulator.play(when="stop me", text=["one ", "two ", "three"], hang_after_frames=2)

    with gateway.streaming("stop me") as response:
        chunks = deltas(response)
        seen = [next(chunks)["choices"][0]["delta"].get("content") for _ in range(3)]
        (running,) = gateway.queue()["running"]
        said = gateway.cancel(running["req_id"])
        rest = list(chunks)

    assert running["req_id"] == response.headers["x-request-id"]
    assert running["is_streaming"] is True
    assert said.status_code == 200
    assert said.json() == {"success": True, "req_id": running["req_id"], "message": "The request is cancelled."}
    assert seen == ["", "one ", "two "]
    assert [chunk["error"]["type"] for chunk in rest] == ["client_closed_request"]
    assert_stopped(gateway, simulator, "stop me")


@pytest.mark.parametrize(("frames", "stream"), [(1, False), (0, False), (0, True)])
def test_cancel_of_a_running_request(gateway: Gateway, simulator: Simulator, frames: int, *, stream: bool) -> None:
    """Not streamed, or streamed with nothing sent yet: the client gets the status and the error's body."""
    simulator.play(when="stop me", text=["one ", "two"], hang_after_frames=frames)

    with asking(gateway, "stop me", stream=stream) as answer:
        wait_until(lambda: any("stop me" in turn["prompt"] for turn in simulator.log()), "the prompt upstream")
        if frames:
            answering(simulator, "stop me")
        (running,) = gateway.queue()["running"]
        said = gateway.cancel(running["req_id"])
        refused = answer.result()

    assert running["is_streaming"] is stream
    assert said.status_code == 200
    assert refused.status_code == 499
    assert refused.headers["x-request-id"] == running["req_id"]
    assert refused.json()["error"] == {
        "message": "The request was cancelled.",
        "type": "client_closed_request",
        "param": None,
        "code": "cancelled",
    }
    assert_stopped(gateway, simulator, "stop me")


@pytest.mark.parametrize("number", range(5))
def test_cancel_while_the_prompt_is_still_typed(gateway: Gateway, simulator: Simulator, number: int) -> None:
    """Cancelled as soon as it has its slot: its prompt is not submitted, or stopped upstream, and the tab is whole."""
    simulator.play(when="in a hurry", text=["one ", "two"], hang_after_frames=1)

    with asking(gateway, f"in a hurry {number}. {'word ' * 50 * number}") as answer:
        (running,) = wait_until(lambda: gateway.queue()["running"], "its slot")
        gateway.cancel(running["req_id"])
        refused = answer.result()

    assert refused.status_code == 499
    wait_until(lambda: idle(gateway), "the slot")
    wait_until(lambda: gateway.tabs_ready() == 2, "both tabs ready")
    assert gateway.ask("afterwards").status_code == 200

    def all_over() -> bool:
        return all(turn["finished_at" if turn["prompt"] == "afterwards" else "aborted_at"] for turn in simulator.log())

    wait_until(all_over, "the abort upstream, if it got that far")


@pytest.mark.parametrize("stream", [False, True])
def test_cancel_of_a_waiting_request(gateway: Gateway, simulator: Simulator, *, stream: bool) -> None:
    """Its prompt is never submitted, and those that run go on."""
    simulator.play(when="blocking", text=["one ", "two"], hang_after_frames=1)

    with (
        gateway.streaming("blocking A") as first,
        gateway.streaming("blocking B") as second,
        asking(gateway, "never sent", stream=stream) as answer,
    ):
        # Kept, since a stream whose iterator is gone is closed.
        readers = texts(first), texts(second)
        assert [next(reader) for reader in readers] == ["one ", "one "]
        wait_until(lambda: gateway.queue()["queue_length"] == 1, "the third to wait")
        (waiting,) = gateway.queue()["items"]
        said = gateway.cancel(waiting["req_id"])
        refused = answer.result()
        left = gateway.queue()

    assert (said.status_code, refused.status_code) == (200, 499)
    assert (left["queue_length"], len(left["running"]), left["is_processing_locked"]) == (0, 2, True)
    assert not [turn for turn in simulator.log() if "never sent" in turn["prompt"]]


def test_a_cancelled_slot_goes_to_who_waits(gateway: Gateway, simulator: Simulator) -> None:
    """The one that waited is answered by the tab that the cancelled one leaves."""
    simulator.play(when="blocking", text=["one ", "two"], hang_after_frames=1)

    with (
        gateway.streaming("blocking A") as first,
        gateway.streaming("blocking B") as second,
        asking(gateway, "its turn has come") as answer,
    ):
        readers = texts(first), texts(second)
        assert [next(reader) for reader in readers] == ["one ", "one "]
        wait_until(lambda: gateway.queue()["queue_length"] == 1, "the third to wait")
        gateway.cancel(first.headers["x-request-id"])
        served = answer.result()
        running = gateway.queue()["running"]

    assert served.status_code == 200
    assert [item["req_id"] for item in running] == [second.headers["x-request-id"]]
    wait_until(lambda: simulator.turn("blocking A")["aborted_at"], "the abort upstream")


def test_health_shows_a_browser_at_work(gateway: Gateway) -> None:
    """The flags that the studio sets are true through the real browser and its tabs."""
    health = gateway.health()

    assert health["message"] is None
    flags = ("playwright_ready", "browser_connected", "page_ready", "worker_running")
    assert [health[flag] for flag in flags] == [True] * 4
