"""What goes wrong upstream, in the browser and at the client.

Each ends in the documented error, and the next request is served.
"""

import json
import threading
from collections.abc import Callable, Generator
from itertools import islice
from typing import Any

import openai
import pytest

from .house import Gateway, Simulator, deltas, texts, wait_until

QUOTA = [
    8,
    "You exceeded your current quota.",
    [
        [
            "type.googleapis.com/google.rpc.ErrorInfo",
            ["RATE_LIMIT_EXCEEDED", "googleapis.com", [["quota_limit", "PerDay"]]],
        ],
        ["type.googleapis.com/google.rpc.RetryInfo", [[37]]],
    ],
]


@pytest.fixture(autouse=True)
def serves_afterwards(request: pytest.FixtureRequest, simulator: Simulator) -> Generator[None]:
    """Ask once more after every test here: whatever broke, the next request is answered."""
    gateway: Gateway = request.getfixturevalue("impatient" if "impatient" in request.fixturenames else "gateway")
    yield
    simulator.reset()
    answer = gateway.ask("and afterwards?")
    assert answer.status_code == 200, answer.text
    wait_until(lambda: gateway.tabs_ready() == gateway.health()["queue"]["slots"], "every tab ready again")


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ({"http_status": 429, "status": QUOTA}, (429, "rate_limit_error", "quota")),
        (
            {"http_status": 403, "status": [7, "The caller does not have permission"]},
            (502, "upstream_error", "permission"),
        ),
        ({"http_status": 400, "status": [3, "Bad field."]}, (400, "invalid_request_error", "Bad field.")),
        ({"http_status": 401, "status": [16, "Invalid credentials."]}, (503, "service_unavailable", "signed out")),
        ({"http_status": 500, "status": [13, "Internal."]}, (502, "upstream_error", "internal error")),
        ({"status": [8, "Resource has been exhausted"]}, (429, "rate_limit_error", "quota")),
        ({"text": ["x"], "cut_after_frames": 0}, (502, "upstream_error", "stream")),
        ({"raw": "<html>not what you think</html>"}, (502, "upstream_error", "answer")),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_keeps_its_status(
    gateway: Gateway, simulator: Simulator, scenario: dict[str, Any], expected: tuple[int, str, str], *, stream: bool
) -> None:
    """An upstream that fails before its first frame gives an HTTP error, for streams too."""
    simulator.play(**scenario)

    answer = gateway.ask("refuse me", stream=stream)

    error = answer.json()["error"]
    status, kind, words = expected
    assert (answer.status_code, error["type"]) == (status, kind)
    assert words in error["message"]
    assert answer.json()["detail"] == error["message"]
    assert "stream_intercept=" in answer.headers["x-studiogate-attempts"]
    assert simulator.turn("refuse me")


def test_a_quota_says_when_to_come_back(gateway: Gateway, simulator: Simulator) -> None:
    """The wait that the upstream names becomes Retry-After."""
    simulator.play(http_status=429, status=QUOTA)

    with pytest.raises(openai.RateLimitError) as caught:
        gateway.client.chat.completions.create(
            model="gemini-2.5-flash", messages=[{"role": "user", "content": "quota"}]
        )

    assert caught.value.response.headers["retry-after"] == "37"


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        ({"text": ["so ", "far ", "so good"], "cut_after_frames": 2}, "upstream_error"),
        ({"text": ["so ", "far "], "finish": 0, "status": [13, "Internal."]}, "upstream_error"),
    ],
)
def test_a_broken_stream_ends_with_an_error(
    gateway: Gateway, simulator: Simulator, scenario: dict[str, Any], kind: str
) -> None:
    """After the first piece an error travels in the stream, and the official client raises it."""
    simulator.play(**scenario)
    stream = gateway.client.chat.completions.create(
        model="gemini-2.5-flash", messages=[{"role": "user", "content": "break"}], stream=True
    )
    pieces = (chunk.choices[0].delta.content or "" for chunk in stream)

    received = "".join(islice(filter(None, pieces), 2))
    with pytest.raises(openai.APIError) as caught:
        list(pieces)

    assert received == "so far "
    assert caught.value.type == kind


def test_a_broken_answer_is_an_error_when_not_streamed(gateway: Gateway, simulator: Simulator) -> None:
    """Half an answer is never passed off as a whole one."""
    simulator.play(text=["so ", "far "], cut_after_frames=2)

    answer = gateway.ask("break")

    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "upstream_error")


def test_silence_before_the_answer_is_a_timeout(impatient: Gateway, simulator: Simulator) -> None:
    """An upstream that takes the prompt and says nothing: 504, and the answer is given up upstream too."""
    simulator.play(text=["never"], hang_after_frames=0)

    answer = impatient.ask("hang")

    assert (answer.status_code, answer.json()["error"]["type"]) == (504, "timeout_error")
    wait_until(lambda: simulator.turn("hang")["aborted_at"], "the abort upstream")


def test_silence_in_the_answer_is_a_timeout(impatient: Gateway, simulator: Simulator) -> None:
    """An upstream that stops in the middle: the error comes in the stream."""
    simulator.play(text=["so ", "far "], hang_after_frames=1)

    with impatient.streaming("hang") as response:
        chunks = list(deltas(response))

    assert chunks[-1]["error"]["type"] == "timeout_error"
    wait_until(lambda: simulator.turn("hang")["aborted_at"], "the abort upstream")


def test_a_killed_browser_is_replaced(gateway: Gateway, simulator: Simulator) -> None:
    """Chromium dies in the middle of an answer: an error in the stream, a new browser, the next answer."""
    simulator.play(text=["so ", "far ", "so good"], hang_after_frames=1)

    with gateway.streaming("kill it") as response:
        chunks = deltas(response)
        next(chunk for chunk in chunks if chunk["choices"][0]["delta"].get("content"))
        gateway.browser().kill()
        last = list(chunks)[-1]

    assert last["error"]["type"] == "upstream_error"
    wait_until(lambda: gateway.health()["plugins"]["studio"]["details"]["restarts"] >= 1, "the restart")


def test_a_killed_browser_before_the_answer_is_an_error_too(gateway: Gateway, simulator: Simulator) -> None:
    """Chromium dies before the first piece: an HTTP error that another try may get over."""
    simulator.play(text=["never"], hang_after_frames=0)

    killer = _when(lambda: bool(simulator.log()), gateway.browser().kill)
    answer = gateway.ask("kill it early", stream=True)
    killer.join()

    assert answer.status_code in (502, 503)
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_aborts_the_answer(gateway: Gateway, simulator: Simulator, *, stream: bool) -> None:
    """The client closes its connection: upstream sees the abort, and the slot is free again."""
    simulator.play(text=["one ", "two ", "three"], hang_after_frames=1)

    if stream:
        with gateway.streaming("leaving") as response:
            next(texts(response))
    else:
        gateway.ask_and_leave("leaving", lambda: bool(simulator.log()), "the prompt upstream")

    wait_until(lambda: simulator.turn("leaving")["aborted_at"], "the abort upstream")
    wait_until(lambda: gateway.health()["queue"]["running"] == 0, "the slot")


def test_a_waiting_client_that_goes_is_forgotten(gateway: Gateway, simulator: Simulator) -> None:
    """A client that leaves the queue never has its prompt submitted."""
    simulator.play(when="blocking", text=["one ", "two"], hang_after_frames=1)

    with gateway.streaming("blocking A") as first, gateway.streaming("blocking B") as second:
        # Kept, since a stream whose iterator is gone is closed.
        readers = texts(first), texts(second)
        assert [next(reader) for reader in readers] == ["one ", "one "]
        gateway.ask_and_leave("too late", lambda: gateway.health()["queue"]["waiting"] == 1, "the third to wait")
        wait_until(lambda: gateway.health()["queue"]["waiting"] == 0, "the queue to empty")

    assert not [turn for turn in simulator.log() if "too late" in turn["prompt"]]


def test_errors_and_log_hold_no_secrets(gateway: Gateway, simulator: Simulator) -> None:
    """No secret, no path and nothing of the prompt stands in an error or in the log."""
    simulator.play(http_status=403, status=[7, "The caller does not have permission"])

    answer = gateway.ask("a very secret prompt")

    cookies = [cookie["value"] for cookie in json.loads(simulator.storage_state.read_text())["cookies"]]
    for text in (answer.text, gateway.said()):
        assert "very secret" not in text
        assert not [value for value in cookies if value in text]


def _when(condition: Callable[[], bool], then: Callable[[], None]) -> threading.Thread:
    """Do something in another thread once a condition holds."""

    def act() -> None:
        wait_until(condition, "the moment to act")
        then()

    thread = threading.Thread(target=act)
    thread.start()
    return thread
