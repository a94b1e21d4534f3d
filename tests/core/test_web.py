"""The gateway over HTTP: the real application under the real server, asked by real clients."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import openai
import pytest

from studiogate import Declined, Unavailable, hookimpl
from studiogate.events import Event, Finish, FinishReason, TextDelta, ToolCall, Usage
from studiogate.exchange import Exchange
from studiogate.health import Health
from studiogate.models import Model
from studiogate.params import Params

from .backends import CHAT_PATH, HELLO, STOP, Held, Unreadable, asked, backend, says, serving, sse, until, yields

MODEL = "test-model"


async def test_the_official_client_gets_an_answer() -> None:
    """The first thing anybody does."""
    async with serving({"a": backend(says("Hel", "lo"), MODEL)}) as served:
        completion = await served.openai.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Hello"}]
        )

    assert completion.choices[0].message.content == "Hello"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model == MODEL


async def test_the_official_client_gets_a_stream() -> None:
    """Chunks arrive as the backend says them, usage at the end."""
    script = yields(TextDelta(text="Hel"), TextDelta(text="lo"), Usage(prompt=1, completion=2), STOP)
    async with serving({"a": backend(script, MODEL)}) as served:
        stream = await served.openai.chat.completions.create(
            **HELLO, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello"
    assert chunks[-1].usage
    assert chunks[-1].usage.total_tokens == 3


async def test_the_official_client_puts_calls_together() -> None:
    """Streamed calls add up to whole ones in the client's own accumulation."""
    script = yields(ToolCall(id="c1", name="f", arguments='{"a": 1}'), Finish(reason=FinishReason.TOOL_CALLS))
    async with (
        serving({"a": backend(script, MODEL)}) as served,
        served.openai.chat.completions.stream(**HELLO) as stream,
    ):
        completion = await stream.get_final_completion()

    (call,) = completion.choices[0].message.tool_calls or []
    assert (call.id, call.function.name, call.function.arguments) == ("c1", "f", '{"a": 1}')


@pytest.mark.parametrize(("counted", "mark"), [((), "estimated"), ((Usage(prompt=1, completion=2),), None)])
async def test_a_header_tells_an_estimated_usage(counted: tuple[Event, ...], mark: str | None) -> None:
    """Who bills by usage has to know which counts are a guess."""
    script = yields(TextDelta(text="Hello"), *counted, STOP)
    async with serving({"a": backend(script, MODEL)}) as served:
        response = await served.chat()

    assert response.headers.get("x-studiogate-usage") == mark
    assert response.json()["usage"]["completion_tokens"] == 2


async def test_each_event_is_sent_when_it_comes() -> None:
    """Nothing between backend and client waits for more."""
    held = Held()
    async with serving({"a": backend(held, MODEL)}) as served:
        stream = await served.openai.chat.completions.create(**HELLO, stream=True)
        chunks = aiter(stream)
        seen = [(await anext(chunks)).choices[0].delta.content for _ in range(2)]
        held.go.set()
        rest = [chunk.choices[0].delta.content async for chunk in chunks]

    assert seen == ["", "first"]
    assert rest == ["last", None]


async def test_headers_tell_where_an_answer_comes_from() -> None:
    """Id, backend, attempts and what was ignored, streamed or not."""
    plugins = {"a": backend(yields(Declined("not mine")), MODEL), "b": backend(says("Hello"))}
    async with serving(plugins) as served:
        answers = [await served.chat(store=True, stream=stream) for stream in (False, True)]

    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["x-request-id"].startswith("req_")
        assert answer.headers["x-studiogate-backend"] == "b"
        assert answer.headers["x-studiogate-attempts"].startswith("a=declined: not mine, b=")
        assert answer.headers["x-studiogate-ignored"] == "store: not supported by b"
    assert answers[0].headers["x-studiogate-attempts"] == "a=declined: not mine, b=ok"
    assert answers[0].headers["content-type"].startswith("application/json")
    assert answers[1].headers["content-type"].startswith("text/event-stream")
    assert answers[1].headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("stream", [False, True])
async def test_an_early_failure_keeps_its_status(stream: bool) -> None:  # noqa: FBT001
    """Before the first event a stream's errors are HTTP errors like any other."""
    quota = Unavailable("quota", status=429, retry_after_s=1.2)
    async with serving({"a": backend(yields(quota), MODEL)}) as served:
        answer = await served.chat(stream=stream)
        with pytest.raises(openai.RateLimitError):
            await served.openai.chat.completions.create(**HELLO, stream=stream)

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["x-studiogate-attempts"] == "a=unavailable: quota"
    assert answer.json() == {
        "error": {
            "message": "No backend could answer. a: quota",
            "type": "rate_limit_error",
            "param": None,
            "code": "rate_limit_exceeded",
        },
        "detail": "No backend could answer. a: quota",
    }


async def test_a_late_failure_travels_in_the_stream() -> None:
    """After the first event the official client raises what the stream says."""
    async with serving({"a": backend(yields(TextDelta(text="Hel"), Unavailable("lost")), MODEL)}) as served:
        stream = await served.openai.chat.completions.create(**HELLO, stream=True)
        with pytest.raises(openai.APIError, match="a: lost"):
            [chunk async for chunk in stream]
        whole = await served.chat()

    assert whole.status_code == 502


async def test_a_late_first_event_doesnt_hold_the_headers_back() -> None:
    """After `commit_s` the stream begins, errors or not, and says so with comments while it is silent."""
    held = Held(first="")
    async with (
        serving({"a": backend(held, MODEL)}, commit_s=0.01, keepalive_s=0.01) as served,
        served.http.stream("POST", CHAT_PATH, json={**HELLO, "stream": True}) as answer,
    ):
        lines = answer.aiter_lines()
        await _line(lines, ": keep-alive")
        await _line(lines, ": keep-alive")
        held.go.set()
        rest = [line async for line in lines]

    assert answer.status_code == 200
    assert answer.headers["x-studiogate-attempts"] == "a=running"
    assert rest[-2] == "data: [DONE]"


async def _line(lines: AsyncIterator[str], wanted: str) -> None:
    async for line in lines:
        if line == wanted:
            return
    raise AssertionError(f"the stream ended without {wanted!r}")


async def test_a_failure_after_the_headers_travels_in_the_stream() -> None:
    """A backend that gives up after `commit_s` can't change the status any more."""
    gone = asyncio.Event()

    async def gives_up(_: Exchange) -> AsyncGenerator[Event]:
        await gone.wait()
        raise Unavailable("signed out", status=503)
        yield

    async with (
        serving({"a": backend(gives_up, MODEL)}, commit_s=0.01) as served,
        served.http.stream("POST", CHAT_PATH, json={**HELLO, "stream": True}) as answer,
    ):
        gone.set()
        body = (await answer.aread()).decode()

    assert answer.status_code == 200
    assert sse(body)[-1]["error"]["code"] == "service_unavailable"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "param"),
    [
        ("GET", "/nowhere", b"", 404, "not_found", None),
        ("GET", CHAT_PATH, b"", 405, "method_not_allowed", None),
        ("DELETE", "/v1/models", b"", 405, "method_not_allowed", None),
        ("POST", CHAT_PATH, b"{", 400, None, None),
        ("POST", CHAT_PATH, b"", 400, None, None),
        ("POST", CHAT_PATH, b'{"messages": 1}', 400, None, "messages"),
        ("POST", CHAT_PATH, b'{"messages": [{"role": "user", "content": "x"}], "model": "y"}', 422, "model_not_found",
         "model"),
        ("POST", CHAT_PATH, b" " * 1001, 413, "too_large", None),
    ],
)  # fmt: skip
async def test_every_refusal_is_openais_body(  # noqa: PLR0913, PLR0917
    method: str, path: str, body: bytes, status: int, code: str | None, param: str | None
) -> None:
    """Whoever refuses, the router, the parser or the gateway, clients read one shape."""
    async with serving({"a": backend(says("x"), MODEL)}, max_body_bytes=1000) as served:
        answer = await served.http.request(method, path, content=body)

    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["code"], error["param"]) == (code, param)
    assert answer.json()["detail"] == error["message"]


async def test_a_wrong_method_is_told_the_right_ones() -> None:
    """The 405 says what the path takes."""
    async with serving({"a": backend(says("x"), MODEL)}) as served:
        answers = [await served.http.request("PATCH", path) for path in (CHAT_PATH, "/v1/models")]

    assert [(answer.status_code, set(answer.headers["allow"].split(", "))) for answer in answers] == [
        (405, {"POST", "OPTIONS"}),
        (405, {"GET", "OPTIONS"}),
    ]


async def test_a_body_of_unknown_length_is_limited_too() -> None:
    """A client that sends its body in chunks, without saying how long it is, is stopped at the limit."""

    async def pieces() -> AsyncGenerator[bytes]:
        for _ in range(2):
            yield b" " * 600

    async with serving({"a": backend(says("x"), MODEL)}, max_body_bytes=1000) as served:
        answer = await served.http.post(CHAT_PATH, content=pieces())

    assert answer.status_code == 413


async def test_a_bug_shows_nothing_of_itself(caplog: pytest.LogCaptureFixture) -> None:
    """A handler's own failure is a bare 500; its place is in the log, its words nowhere."""

    class Broken:
        @hookimpl
        def list_models(self) -> list[Unreadable]:
            return [Unreadable(id="x", display_name="x")]

    async with serving({"broken": Broken}) as served:
        answer = await served.http.get("/v1/models")

    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "se-cret" not in answer.text + caplog.text
    assert "/core/" not in answer.text
    assert "raised TypeError" in caplog.text


async def test_a_fault_of_a_backend_shows_nothing_of_itself() -> None:
    """The client learns whose fault it is and no more."""
    async with serving({"a": backend(yields(ValueError("/somewhere/secret")), MODEL)}) as served:
        answer = await served.chat()

    assert answer.status_code == 502
    assert answer.json()["error"]["message"] == "a failed unexpectedly; the gateway's log says where."


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("first", ["", "first"])
async def test_when_the_client_goes_the_backend_is_stopped(first: str, stream: bool) -> None:  # noqa: FBT001
    """Streamed or not, before the first event or after, the slot is free for the next request."""
    held = Held(first=first)
    async with serving({"a": backend(held, MODEL)}, slots=1) as served:
        async with asked(served, stream=stream):
            await held.begun.wait()
        await held.closed.wait()
        await until(lambda: not served.gateway.queue.running)
        held.go.set()
        after = await served.chat()

    assert after.status_code == 200
    assert held.exchanges[0].cancelled


async def test_when_a_waiting_client_goes_it_leaves_the_queue() -> None:
    """Nobody's turn comes for a client that isn't there."""
    held = Held()
    async with serving({"a": backend(held, MODEL)}, slots=1) as served, asked(served):
        await held.begun.wait()
        async with asked(served, stream=True), asked(served):
            await until(lambda: len(served.gateway.queue.waiting) == 2)
        await until(lambda: not served.gateway.queue.waiting)

    assert len(held.exchanges) == 1


def raw_request(**fields: Any) -> bytes:
    """Make the bytes of a request."""
    body = json.dumps({**HELLO, **fields}).encode()
    return f"POST {CHAT_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


async def test_clients_that_go_at_any_moment_leave_nothing_running() -> None:
    """Cut a connection wherever it stands, and no exchange is left behind."""
    async with serving({"a": backend(says(*"abcdef"), MODEL)}, slots=2, queue_limit=100) as served:
        for turns in range(100):
            _, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(raw_request(stream=True))
            for _ in range(turns):
                await asyncio.sleep(0)
            writer.transport.abort()
        queue = served.gateway.queue
        await until(lambda: not queue.running and not queue.waiting)
        after = await served.chat()

    assert after.status_code == 200


async def test_parameters_reach_the_backend() -> None:
    """What the client asked of the sampling is what the backend is given, and the defaults for the rest."""
    seen: list[Params] = []

    async def looks(exchange: Exchange) -> AsyncGenerator[Event]:
        seen.append(exchange.params)
        yield STOP

    async with serving({"a": backend(looks, MODEL)}) as served:
        await served.openai.chat.completions.create(**HELLO, temperature=0.5, max_completion_tokens=9, stop=["x"])

    assert seen == [Params(temperature=0.5, top_p=0.95, max_tokens=9, stop=("x",))]


async def test_a_stop_ends_streams_with_an_error_and_others_with_a_status() -> None:
    """A gateway that stops tells every client, and waits for none."""
    held = Held()
    async with (
        serving({"a": backend(held, MODEL)}, slots=1) as served,
        served.http.stream("POST", CHAT_PATH, json={**HELLO, "stream": True}) as answer,
        asked(served) as waiting,
    ):
        await until(lambda: len(served.gateway.queue.waiting) == 1)
        await served.gateway.end_exchanges()
        body = (await answer.aread()).decode()
        refused = await waiting

    assert sse(body)[-1]["error"]["message"] == "The gateway is stopping."
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "5"


async def test_a_client_that_reads_nothing_cant_hold_up_the_stop(caplog: pytest.LogCaptureFixture) -> None:
    """A full connection to a client that stopped reading is cut; the server alone would wait for it forever."""
    held = Held(first="x" * 32_000_000)
    async with serving({"a": backend(held, MODEL)}) as served:
        # Its limit lets the reader take hardly anything from the socket.
        _, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1)
        writer.write(raw_request(stream=True))
        await held.begun.wait()
        await until(held.exchanges[0]._channel.empty)  # pyright: ignore[reportPrivateUsage]
    writer.transport.abort()

    assert "cutting connections that did not end" in caplog.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://[bad"},
        {"host": "rebound.example"},
        {"host": "rebound.example:80", "origin": "http://rebound.example"},
    ],
)
async def test_web_pages_of_other_sites_are_refused(headers: dict[str, str]) -> None:
    """A page that is open on this machine can neither spend the quota nor read an answer."""
    async with serving({"a": backend(says("Hello"))}) as served:
        response = await served.http.post(CHAT_PATH, json=HELLO, headers=headers)

    assert (response.status_code, response.json()["error"]["type"]) == (403, "permission_error")


@pytest.mark.parametrize(
    ("headers", "settings"),
    [
        ({"origin": "http://localhost:3000"}, {}),
        ({"host": "localhost"}, {}),
        ({"host": "[::1]:2048"}, {}),
        ({"host": "ai.example", "origin": "https://ai.example"}, {"trusted_hosts": ["ai.example"]}),
        ({"host": "any.example", "origin": "https://other.example"}, {"insecure": True}),
    ],
)
async def test_this_machine_and_trusted_hosts_may_ask(headers: dict[str, str], settings: dict[str, Any]) -> None:
    """Loopback in any spelling, what the operator trusts, and everybody when that is what the operator wants."""
    async with serving({"a": backend(says("Hello"))}, **settings) as served:
        response = await served.http.post(CHAT_PATH, json=HELLO, headers=headers)

    assert response.status_code == 200


async def test_a_plugin_that_cannot_tell_costs_no_request(caplog: pytest.LogCaptureFixture) -> None:
    """A fault in `list_models` or `health` is that plugin's: named in the log, shown in /health, nobody's 500."""
    words = "se-" + "cret"

    class Broken:
        @hookimpl
        def list_models(self) -> list[Model]:
            """Fail."""
            raise OSError(words)

        @hookimpl
        def health(self) -> Health:
            """Fail."""
            raise OSError(words)

    async with serving({"a": backend(says("Hello")), "broken": Broken}) as served:
        answer = await served.http.post(CHAT_PATH, json={"messages": HELLO["messages"]})
        health = await served.http.get("/health")

    assert answer.status_code == 200
    assert health.status_code == 200
    assert health.json()["plugins"]["broken"]["status"] == "failed"
    assert "plugin broken raised OSError" in caplog.text
    assert words not in caplog.text


async def test_nobody_can_forge_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """While no models are listed any name is taken; its line breaks are not."""
    caplog.set_level("INFO")
    async with serving({"a": backend(says("Hello"))}) as served:
        await served.http.post(CHAT_PATH, json={**HELLO, "model": "x\nFAKE 200"})

    assert "\nFAKE" not in caplog.text
    assert "x?FAKE 200" in caplog.text
