"""The helper service's stream, without a page: what is old, what is new, and how often is asked."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from studiogate.errors import ConfigurationError
from studiogate_helper_backend import HelperBackendSettings
from studiogate_helper_backend.answer import DONE as ENDED
from studiogate_helper_backend.errors import ServiceError
from studiogate_helper_backend.listening import Listener, reaching, stream_url
from studiogate_helper_backend.sse import TooLong

from .house import soon
from .standin import CUT, HANG, Asked, StandIn, answer, breaks_off, error, hangs, raw, standing_in, streams

COOKIE = "sapisid-very-secret"
COMMENT = b": keep-alive\n\n"


@asynccontextmanager
async def listening(*replies: Any, **settings: Any) -> AsyncGenerator[tuple[Listener, StandIn]]:
    """Listen to a stand-in that answers so."""
    async with standing_in() as service:
        service.reply(*replies)
        table: dict[str, Any] = {"endpoint": f"{service.url}/stream", "settle_s": 0.05, **settings}
        options = HelperBackendSettings(**table)
        async with reaching(options, {}) as endpoint, endpoint.listening(COOKIE) as listener:
            yield listener, service


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("http://helper:3121", "http://helper:3121/getStreamResponse"),
        ("http://helper:3121/", "http://helper:3121/getStreamResponse"),
        ("https://helper/api/getStreamResponse?a=b", "https://helper/api/getStreamResponse?a=b"),
        ("https://helper/other/#x", "https://helper/other/"),
    ],
)
def test_the_guides_path_is_where_none_is_named(endpoint: str, expected: str) -> None:
    """The guide's example is a host and a port; other documents name the whole."""
    assert str(stream_url(endpoint)) == expected


async def test_the_account_is_known_by_its_cookie_alone() -> None:
    """Nothing else of the profile goes to the service, and nothing is compressed."""
    async with listening(streams(HANG)) as (listener, service):
        await listener.quiet()

        assert service.last.path == "/v1/stream"
        assert service.last.headers["cookie"] == f"SAPISID={COOKIE}"
        assert service.last.headers["accept-encoding"] == "identity"
        assert COOKIE not in repr(listener)


@pytest.mark.parametrize("reply", [hangs, streams(HANG), streams(COMMENT, COMMENT, HANG)])
async def test_a_silent_service_is_asked_once(reply: Any) -> None:
    """With or without an answer's head, or with comments: this request will tell the answer."""
    async with listening(reply) as (listener, service):
        await listener.quiet()
        with pytest.raises(TimeoutError):
            await listener.data(0.05)

        assert len(service.asked) == 1
    await soon(service.last.gone)


async def test_the_answer_comes_on_the_request_that_was_open() -> None:
    """Whatever came while nobody read."""
    begun = asyncio.Event()

    async def later(asked: Asked) -> None:
        await asked.head(200, content_type="text/event-stream")
        await begun.wait()
        await asked.send(b'data: {"new": 1}\n\ndata: [DONE]\n\n')
        asked.writer.close()

    async with listening(later) as (listener, service):
        await listener.quiet()
        begun.set()

        assert [await listener.data(5) for _ in range(3)] == [b'{"new": 1}', ENDED, None]
        assert len(service.asked) == 1


async def test_old_answers_are_let_pass() -> None:
    """Each to its end; a broken one too."""
    old = b"data: old\n\n"
    replies = streams(old, b"data: [DONE]\n\n"), streams(old), streams(old, CUT), streams(HANG)
    async with listening(*replies, settle_s=1.0) as (listener, service):
        await listener.quiet()
        with pytest.raises(TimeoutError):
            await listener.data(0.05)

        assert (len(service.asked), listener.told) == (4, False)


async def test_an_old_answer_that_goes_on_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It could be taken for the new one."""
    monkeypatch.setattr("studiogate_helper_backend.listening.OLD_S", 0.1)
    async with listening(streams(b"data: old\n\n", HANG), settle_s=1.0) as (listener, _):
        with pytest.raises(ServiceError, match="goes on telling of another answer"):
            await listener.quiet()


@pytest.mark.parametrize("nothing", [streams(), streams(COMMENT), streams(b"data: [DONE]\n\n")])
async def test_a_service_that_does_not_wait_is_asked_again(nothing: Any) -> None:
    """Until it has something to tell."""
    new = streams(b"data: new\n\n", b"data: [DONE]\n\n")
    async with listening(nothing, nothing, nothing, new) as (listener, service):
        await listener.quiet()
        asked = len(service.asked)

        assert await listener.data(5) == b"new"
        assert (asked, len(service.asked)) == (1, 4)


REFUSALS = [
    (error(401), 503, "refuses the account's cookie (HTTP 401)"),
    (error(403), 503, "refuses the account's cookie (HTTP 403)"),
    (error(404), 502, "is endpoint right? (HTTP 404)"),
    (error(429), 429, "too many requests (HTTP 429)"),
    (error(500), 502, "failed (HTTP 500)"),
    (answer(307, b"", location="http://elsewhere/"), 502, "refuses (HTTP 307)"),
    (answer(200, b"<html></html>", kind="text/html"), 502, "text/html instead of a stream"),
    (answer(200, {"hello": 1}), 502, "application/json instead of a stream"),
    (breaks_off, 502, "broke off before it answered"),
    (raw(b"not HTTP at all\r\n\r\n"), 502, "broke off before it answered"),
]


@pytest.mark.parametrize(("reply", "status", "words"), REFUSALS)
async def test_a_refusal_is_found_out_beforehand(reply: Any, status: int, words: str) -> None:
    """Nothing is submitted then; what the service says of it may quote the cookie and isn't passed on."""
    async with listening(reply, settle_s=5.0) as (listener, service):
        with pytest.raises(ServiceError) as refused:
            await listener.quiet()

    assert (refused.value.status, words in refused.value.reason) == (status, True)
    assert "Nope" not in refused.value.reason
    # aiohttp sends a GET once more by itself where the connection broke, which does no harm.
    assert len(service.asked) == (2 if reply is breaks_off else 1)


async def test_a_service_that_is_not_there_is_told() -> None:
    """Without its address."""
    async with listening(hangs) as (listener, service):
        pass
    options = HelperBackendSettings(endpoint=service.url, settle_s=5.0)
    async with reaching(options, {}) as endpoint, endpoint.listening(COOKIE) as listener:
        with pytest.raises(ServiceError) as refused:
            await listener.quiet()

    assert (refused.value.status, refused.value.reason) == (503, "the service can't be reached")


async def test_an_answer_that_breaks_off_is_told() -> None:
    """In the middle of an event, or between two."""
    async with listening(streams(), streams(b"data: one\n\ndata: tw", CUT)) as (listener, _):
        await listener.quiet()
        assert await listener.data(5) == b"one"
        with pytest.raises(ServiceError, match="answer broke off"):
            await listener.data(5)


async def test_an_event_has_a_limit() -> None:
    """A service can't fill the memory."""
    async with listening(streams(), streams(b"data: " + b"x" * 100), answer_bytes=50) as (listener, _):
        await listener.quiet()
        with pytest.raises(TooLong):
            await listener.data(5)


async def test_a_cookie_that_would_travel_in_the_clear_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """It is as good as the account; on this machine there is nobody to read it."""
    for endpoint in ("http://127.0.0.1:1", "https://helper.example", "http://helper.example"):
        with caplog.at_level(logging.WARNING):
            async with reaching(HelperBackendSettings(endpoint=endpoint), {}):
                pass

    assert [each.getMessage() for each in caplog.records] == [
        "the account's cookie travels to the helper service unencrypted; its endpoint should be https"
    ]


async def test_a_file_that_holds_no_authority_stops_the_start(tmp_path: Any) -> None:
    """As for the other protocol."""
    options = HelperBackendSettings(endpoint="https://helper.example", ca=tmp_path / "none.pem")
    with pytest.raises(ConfigurationError, match=r"\[helper_backend\] ca: the file can't be used"):
        async with reaching(options, {}):
            pass
