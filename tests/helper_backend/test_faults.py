"""What goes wrong between the gateway and the service: the status for the client, how often the service is asked."""

import asyncio
import json
import logging
import socket
from typing import Any

import attrs
import pytest

from studiogate_helper_backend import service as service_module
from tests.core.backends import sse, until

from .house import KEY, asking
from .standin import (
    CUT,
    DONE,
    HANG,
    Reply,
    StandIn,
    answer,
    breaks_off,
    chunk,
    completion,
    error,
    hangs,
    raw,
    standing_in,
    streams,
    whole,
)

PROMPT = "a prompt that nobody else may read"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Don't wait long before trying again."""
    monkeypatch.setattr(service_module, "_FIRST_PAUSE_S", 0.001)


@attrs.frozen(kw_only=True)
class Row:
    """What the service does, and what comes of it."""

    replies: tuple[Reply, ...]
    """One after the other, the last one again and again."""
    status: int
    reason: str
    """Part of the message."""
    asked: int = 1
    """How often the service was asked."""
    headers: dict[str, str] = attrs.field(factory=dict[str, str])
    settings: dict[str, Any] = attrs.field(factory=dict[str, Any])


BROKEN = b'data: {"choices": [{"delta": {"content": "Hel'
HALF = answer(200, json.dumps(completion({"content": "Hello"})).encode()[:-20])

TABLE = {
    "bad request": Row(
        replies=(error(400, "n must be 1"),), status=400, reason="refuses the request (HTTP 400): n must be 1"
    ),
    "unprocessable": Row(replies=(answer(422, {"detail": "no"}),), status=400, reason="refuses the request"),
    "wrong key": Row(replies=(error(401, f"Incorrect key {KEY}"),), status=503, reason="refuses the gateway's key"),
    "forbidden": Row(replies=(error(403, KEY),), status=503, reason="refuses the gateway's key"),
    "key wanted": Row(replies=(error(401),), status=503, reason="wants a key", settings={"api_key": None}),
    "key in words": Row(replies=(error(400, f"for {KEY}"),), status=400, reason="for ****"),
    "no credit": Row(replies=(error(402),), status=429, reason="no credit"),
    "no model": Row(replies=(error(404, "no", "model_not_found"),), status=422, reason="doesn't have the model"),
    "no such path": Row(replies=(answer(404, b"<html>"),), status=502, reason="is base_url right?"),
    "too large": Row(replies=(error(413),), status=413, reason="too large for the service"),
    "quota": Row(
        replies=(error(429, "Slow down.", retry_after="30"),),
        status=429,
        reason="quota is used up",
        headers={"retry-after": "30"},
    ),
    "moved": Row(
        replies=(answer(307, b"", location="http://127.0.0.1:1/v1/chat/completions"),),
        status=502,
        reason="redirects elsewhere",
    ),
    "failed": Row(replies=(error(500, "Oops."),), status=502, reason="the service failed (HTTP 500): Oops."),
    "bad gateway": Row(replies=(answer(502, b"<html>"),), status=502, reason="behind its front", asked=3),
    "overloaded": Row(replies=(error(503),), status=502, reason="overloaded", asked=3),
    "gateway timeout": Row(replies=(error(504),), status=504, reason="took too long", asked=3),
    "no retries": Row(replies=(error(503),), status=502, reason="overloaded", settings={"retries": 0}),
    "long pause wanted": Row(
        replies=(error(503, retry_after="60"),), status=502, reason="overloaded", headers={"retry-after": "60"}
    ),
    "short pause wanted": Row(replies=(error(503, retry_after="0"), whole("Hello")), status=200, reason="", asked=2),
    "back after one": Row(replies=(error(502), whole("Hello")), status=200, reason="", asked=2),
    "back after two": Row(replies=(error(502), error(503), whole("Hello")), status=200, reason="", asked=3),
    "then refused": Row(replies=(error(503), error(400, "No.")), status=400, reason="No.", asked=2),
    "broken off before the answer": Row(replies=(breaks_off,), status=502, reason="broke off before it answered"),
    "broken off in the head": Row(replies=(raw(b"HTTP/1.1 20"),), status=502, reason="broke off before it answered"),
    "no HTTP": Row(replies=(raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),), status=502, reason="broke off before it answered"),
    "half a body": Row(
        replies=(raw(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"),), status=502, reason="the answer broke off"
    ),
    "half a completion": Row(replies=(HALF,), status=502, reason="makes no sense: "),
    "HTML": Row(replies=(answer(200, b"<html>", kind="text/html"),), status=502, reason="makes no sense: 6 bytes"),
    "no body": Row(replies=(answer(200, b""),), status=502, reason="makes no sense: 0 bytes"),
    "no choices": Row(replies=(answer(200, {"choices": []}),), status=502, reason="there is no choice in it"),
    "no object": Row(replies=(answer(200, b"[]"),), status=502, reason="JSON that is no object"),
    "error as an answer": Row(
        replies=(answer(200, {"error": {"message": "Busy.", "code": 429}}),),
        status=429,
        reason="quota is used up (HTTP 429): Busy.",
    ),
    "too long": Row(
        replies=(whole("x" * 2000),), status=502, reason="more than 1000 bytes", settings={"answer_bytes": 1000}
    ),
    "stream of nothing": Row(replies=(streams(),), status=502, reason="the stream ended before the answer did"),
    "stream of comments": Row(replies=(streams(b": hi\n\n"),), status=502, reason="ended before the answer did"),
    "stream that is only done": Row(replies=(streams(DONE),), status=502, reason="there is no choice in it"),
    "stream cut at once": Row(replies=(streams(CUT),), status=502, reason="the answer broke off"),
    "stream cut in the first chunk": Row(replies=(streams(BROKEN, CUT),), status=502, reason="the answer broke off"),
    "half a chunk": Row(replies=(streams(BROKEN),), status=502, reason="bytes that are no JSON"),
    "garbage in a stream": Row(replies=(streams(b"data: garbage\n\n"),), status=502, reason="7 bytes that are no JSON"),
    "stream of an error": Row(
        replies=(streams(b'data: {"error": {"message": "Busy."}}\n\n'),), status=502, reason="the service failed: Busy."
    ),
    "event too long": Row(
        replies=(streams(b"data: " + b"x" * 2000),),
        status=502,
        reason="more than 1000 bytes",
        settings={"answer_bytes": 1000},
    ),
    "silent": Row(replies=(hangs,), status=504, reason="nothing came for 1 s"),
    "silent stream": Row(replies=(streams(HANG),), status=504, reason="nothing came for 1 s"),
    "words that never come": Row(
        replies=(raw(b"HTTP/1.1 429 No\r\ncontent-length: 50\r\n\r\n{"),),
        status=429,
        reason="quota is used up (HTTP 429)",
    ),
    "words that quote the request": Row(
        replies=(error(400, f"bad: {PROMPT}"),), status=400, reason="(its words quote the request)"
    ),
}


def timeouts() -> dict[str, Any]:
    """Return the `[gateway]` table of an impatient operator."""
    return {"timeouts": {"helper_backend": {"first_event_s": 1.0}}}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("name", TABLE)
async def test_every_failure_has_its_status(name: str, stream: bool, caplog: pytest.LogCaptureFixture) -> None:  # noqa: FBT001
    """Before the first event; the service is asked as often as is safe, and nobody learns key or prompt."""
    row = TABLE[name]
    silent = row.status == 504 and row.asked == 1
    caplog.set_level(logging.DEBUG)
    async with asking(gateway=timeouts() if silent else None, **row.settings) as house:
        house.service.reply(*row.replies)
        failed = await house.chat(stream=stream, messages=[{"role": "user", "content": PROMPT}])
        asked = len(house.service.asked)
        health = await house.health()
        house.service.reply(whole("fine"))
        following = await house.chat()

    assert failed.status_code == row.status
    assert asked == row.asked
    assert following.status_code == 200
    if row.status != 200:
        body = failed.json()
        assert row.reason in body["error"]["message"]
        assert body["detail"] == body["error"]["message"]
        assert {name: failed.headers.get(name) for name in row.headers} == row.headers
    told = "\n".join([failed.text, str(failed.headers), json.dumps(health), caplog.text])
    assert KEY not in told
    assert PROMPT not in told


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ((), "the stream ended before the answer did"),
        ((CUT,), "the answer broke off"),
        ((BROKEN,), "bytes that are no JSON"),
        ((b"data: garbage\n\n",), "7 bytes that are no JSON"),
        ((b'data: {"error": {"message": "Busy."}}\n\n',), "the service failed: Busy."),
        ((HANG,), "nothing came for 1 s"),
    ],
)
async def test_in_the_middle_an_error_ends_the_answer(ending: tuple[bytes | None, ...], reason: str) -> None:
    """The client has seen a part: it gets the error in its stream, no `[DONE]`, and nothing is asked again."""
    patience = {"timeouts": {"helper_backend": {"silence_s": 1.0}}}
    async with asking(gateway=patience) as house:
        house.service.reply(streams(chunk({"content": "Hel"}), *ending))
        answered = await house.chat(stream=True)

    chunks = sse(answered.text)
    assert answered.status_code == 200
    assert chunks[1]["choices"][0]["delta"]["content"] == "Hel"
    assert reason in chunks[-1]["error"]["message"]
    assert len(house.service.asked) == 1


async def test_a_service_that_isnt_there_is_tried_again() -> None:
    """Nothing has been sent, so nothing is sent twice; it may be starting."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with asking(StandIn(url=f"http://127.0.0.1:{taken.getsockname()[1]}/v1")) as house:
            failed = await house.chat()
            health = await house.health()

    assert failed.status_code == 503
    assert failed.json()["error"]["message"] == "No backend could answer. helper_backend: the service can't be reached"
    assert health["ready"] is True
    assert health["details"]["last_failure"]["what"] == "the service can't be reached"


async def test_a_service_that_starts_meanwhile_answers(caplog: pytest.LogCaptureFixture) -> None:
    """The second try finds it."""
    caplog.set_level(logging.INFO, "studiogate_helper_backend")
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        port = kept.getsockname()[1]
        async with asking(StandIn(url=f"http://127.0.0.1:{port}/v1"), retries=10) as house:
            chat = asyncio.create_task(house.chat())
            await until(lambda: "trying again" in caplog.text)
            async with standing_in(sock=kept):
                answered = await chat

    assert answered.status_code == 200


async def test_a_host_that_doesnt_exist_is_named_by_nobody() -> None:
    """The address is the operator's."""
    async with asking(StandIn(url="http://no-such-host.invalid/v1"), retries=0) as house:
        failed = await house.chat()

    assert failed.status_code == 503
    assert "the service's host name can't be resolved" in failed.text
    assert "invalid/" not in failed.text


async def test_a_connection_that_doesnt_come_about_in_time_is_a_timeout() -> None:
    """A machine that doesn't answer at all costs `connect_s` a try; the queue of this one is full."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()), socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(full.getsockname())
            url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
            async with asking(StandIn(url=url), connect_s=0.1, retries=1) as house:
                failed = await house.chat()

    assert failed.status_code == 504
    assert "no connection to the service came about in time" in failed.text


async def test_a_large_body_that_is_refused_while_it_is_sent() -> None:
    """The service needn't read it all: its refusal is what the client gets."""
    async with asking() as house:
        house.service.unread = True
        house.service.reply(error(413, "Too much."))
        failed = await house.chat(messages=[{"role": "user", "content": "x" * 3_000_000}])

    assert failed.status_code == 413
    assert "Too much." in failed.text


async def test_failures_of_the_asker_are_no_failures_of_the_service() -> None:
    """/health tells the last one of its own, in our words, since anybody may read them."""
    async with asking() as house:
        before = (await house.health())["details"]["last_failure"]
        house.service.reply(error(400, "yours"), error(500, "mine"), error(413, "yours"))
        for _ in range(3):
            await house.chat()
        after = (await house.health())["details"]["last_failure"]

    assert before is None
    assert after["what"] == "the service failed (HTTP 500)"
    assert after["at"] > 1_700_000_000
