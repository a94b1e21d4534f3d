"""The log's line about a request, of every way in which a request can end, through the real server."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import attrs
import httpx
import pytest

from studiogate.counts import Counts
from studiogate.errors import ClientError, InvalidRequest, RateLimited, Unavailable
from studiogate.events import Event, Finish, FinishReason, TextDelta, ThoughtDelta, ToolCall, Usage
from studiogate.exchange import Exchange, new_id
from studiogate.request_log import RequestLog

from .backends import CHAT_PATH, HELLO, STOP, Held, Served, backend, exchange_of, says, serving, until, yields

QUESTION = "what is se-cret?"
ANSWER = "the se-cret answer"
COUNTED = Usage(prompt=3, completion=9, reasoning=4)
KEY = "sk-first-key-1234"


@attrs.frozen
class Lines:
    """The lines about requests that a test has caused."""

    caplog: pytest.LogCaptureFixture

    @property
    def records(self) -> list[logging.LogRecord]:
        """Return their records."""
        return [record for record in self.caplog.records if getattr(record, "event", "") == "request"]

    @property
    def fields(self) -> list[dict[str, Any]]:
        """Return their fields."""
        return [cast("dict[str, Any]", vars(record)["fields"]) for record in self.records]

    async def one(self) -> dict[str, Any]:
        """Wait for the one line there should be; nothing of what was said may be in it."""
        await until(lambda: bool(self.records))
        (record,), (fields,) = self.records, self.fields
        assert "se-cret" not in record.getMessage() + str(fields)
        assert KEY not in record.getMessage() + str(fields)
        return fields


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """Collect the lines about requests."""
    caplog.set_level(logging.INFO)
    return Lines(caplog)


async def asked(served: Served, **fields: Any) -> dict[str, str]:
    """Ask a question, read all of the answer; return its headers."""
    messages = [{"role": "user", "content": QUESTION}]
    response = await served.chat(messages=messages, **fields)
    return dict(response.headers)


@pytest.mark.parametrize("stream", [False, True])
async def test_the_line_says_how_an_answer_came_about(lines: Lines, *, stream: bool) -> None:
    """Who answered, what was tried, how long it took, how many tokens; streamed and not."""
    chain = {
        "first": backend(yields(Unavailable("is asleep"))),
        "second": backend(yields(ThoughtDelta(text="hm"), TextDelta(text=ANSWER), COUNTED, STOP), "m"),
    }
    async with serving(chain) as served:
        headers = await asked(served, model="m", stream=stream, seed=7)
    line = await lines.one()

    assert line["id"] == headers["x-request-id"]
    assert 0 <= line.pop("queue_wait_s") <= line.pop("first_token_s") <= line.pop("total_s") < 30
    assert line == {
        "id": line["id"],
        "status": 200,
        "client": "127.0.0.1",
        "stream": stream,
        "model": "m",
        "backend": "second",
        "attempts": "first=unavailable: is asleep, second=ok",
        "prompt_tokens": 3,
        "completion_tokens": 9,
        "reasoning_tokens": 4,
        "finish": "stop",
    }
    assert lines.records[0].levelname == "INFO"


async def test_what_was_not_honoured_is_told(lines: Lines) -> None:
    """As in `x-studiogate-ignored`."""
    async with serving({"a": backend(says(ANSWER), "m")}) as served:
        headers = await asked(served, model="m", logit_bias={"1": 1})

    assert (await lines.one())["ignored"] == headers["x-studiogate-ignored"]


async def test_who_answers_under_another_name_is_told(lines: Lines) -> None:
    """An alias stands with its model."""
    async with serving({"a": backend(says(ANSWER), "m")}, models=[{"id": "alias", "target": "m"}]) as served:
        await asked(served, model="alias")
    line = await lines.one()

    assert (line["model"], line["target"]) == ("alias", "m")


async def test_whose_key_it_was_is_told_by_its_mask(lines: Lines, tmp_path: Path) -> None:
    """The key itself is in no line."""
    keys = tmp_path / "key.txt"
    keys.write_text(KEY)
    async with serving({"a": backend(says(ANSWER))}, keys_file=str(keys)) as served:
        await served.http.post(CHAT_PATH, json=HELLO, headers={"authorization": f"Bearer {KEY}"})

    assert (await lines.one())["key"] == "sk-f****1234"


@pytest.mark.parametrize(
    "first", [TextDelta(text=ANSWER), ThoughtDelta(text=ANSWER), ToolCall(id="1", name="f", arguments='"se-cret"')]
)
async def test_the_first_token_is_the_first_of_any_kind(lines: Lines, first: Event) -> None:
    """Text, thought or tool call; the time before it is the backend's, counted from the request's arrival."""
    go = asyncio.Event()

    async def script(_: Exchange) -> AsyncGenerator[Event]:
        yield Usage(prompt=1)
        await go.wait()
        yield first
        yield STOP

    async with serving({"a": backend(script)}) as served:
        asking = asyncio.create_task(asked(served))
        await until(lambda: bool(served.gateway.queue.running))
        waited = asyncio.get_running_loop().time()
        await asyncio.sleep(0.05)
        go.set()
        await asking
        spent = asyncio.get_running_loop().time() - waited
    line = await lines.one()

    assert 0.05 <= line["first_token_s"] <= line["total_s"] <= line["queue_wait_s"] + spent + 5


async def test_without_a_token_there_is_no_first(lines: Lines) -> None:
    """An answer that upstream filtered has none, but what upstream said of it."""
    filtered = Finish(reason=FinishReason.CONTENT_FILTER, message="SAFETY")
    async with serving({"a": backend(yields(filtered))}) as served:
        await asked(served)
    line = await lines.one()

    assert "first_token_s" not in line
    assert (line["finish"], line["finish_message"]) == ("content_filter", "SAFETY")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"content": b"{"}, (400, "invalid_request_error", None)),
        ({"content": b"{}", "headers": {"content-type": "text/plain"}}, (400, "invalid_request_error", None)),
        ({"json": {"messages": QUESTION}}, (400, "invalid_request_error", "messages")),
        ({"json": {**HELLO, "temperature": 3}}, (400, "invalid_request_error", "temperature")),
        ({"json": HELLO, "headers": {"host": "evil.example"}}, (403, "permission_error", None)),
        ({"content": b" " * 2000}, (413, "invalid_request_error", None)),
        ({"json": {**HELLO, "model": "nothing"}}, (422, "invalid_request_error", "model")),
    ],
)
async def test_a_refused_request_has_its_line_too(
    lines: Lines, request_: dict[str, Any], expected: tuple[int, str, str | None]
) -> None:
    """Under the id that its response carries, with the error that the client was told."""
    headers = {"content-type": "application/json", **request_.pop("headers", {})}
    async with serving({"a": backend(says(ANSWER), "test-model")}, max_body_bytes=1000) as served:
        response = await served.http.post(CHAT_PATH, headers=headers, **request_)
    line = await lines.one()

    assert (line["status"], line["error"], line.get("error_param")) == expected
    assert line["status"] == response.status_code
    assert line["id"] == response.headers["x-request-id"]
    assert line["error_message"] == response.json()["error"]["message"]
    assert line.get("error_code") == response.json()["error"]["code"]
    assert "backend" not in line
    assert lines.records[0].levelname == "INFO"


async def test_a_wrong_key_has_its_line(lines: Lines, tmp_path: Path) -> None:
    """Without the key, and without reading the request."""
    keys = tmp_path / "key.txt"
    keys.write_text(KEY)
    async with serving({"a": backend(says(ANSWER))}, keys_file=str(keys)) as served:
        response = await served.http.post(CHAT_PATH, json=HELLO, headers={"x-api-key": "se-cret-key"})
    line = await lines.one()

    assert (line["status"], line["error_code"], response.status_code) == (401, "invalid_api_key", 401)
    assert line["id"] == response.headers["x-request-id"]
    assert "key" not in line
    assert "model" not in line


async def test_a_full_queue_has_its_line(lines: Lines) -> None:
    """It was asked for a model and a stream, and got 429."""
    held = Held()
    async with serving({"a": backend(held, "m")}, slots=1, queue_limit=1) as served:
        others = [asyncio.create_task(served.chat(model="m")) for _ in range(2)]
        await until(lambda: bool(served.gateway.queue.running and served.gateway.queue.waiting))
        response = await served.chat(model="m", stream=True)
        line = await lines.one()
        held.go.set()
        await asyncio.gather(*others)

    assert (line["status"], line["model"], line["stream"]) == (429, "m", True)
    assert line["id"] == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("error", "status", "level"),
    [
        (RateLimited("Come back tomorrow."), 429, "INFO"),
        (InvalidRequest("Upstream doesn't like it.", param="x"), 400, "INFO"),
        (Unavailable("is asleep", status=503), 503, "WARNING"),
        (Unavailable("is broken"), 502, "WARNING"),
        (ValueError("se-cret"), 502, "WARNING"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_that_is_not_the_clients_is_a_warning(
    lines: Lines, error: ClientError, status: int, level: str, *, stream: bool
) -> None:
    """From 500 on it is the operator's; what the client did, or the quota did, is not."""
    async with serving({"a": backend(yields(error))}) as served:
        headers = await asked(served, stream=stream)
    line = await lines.one()

    assert line["status"] == status
    assert line["attempts"].startswith("a=")
    assert line["id"] == headers["x-request-id"]
    assert lines.records[0].levelname == level


async def test_a_stream_that_breaks_off_was_200_and_says_why_it_ended(lines: Lines) -> None:
    """The status is what the client got, the error what it read in the stream."""
    async with serving({"a": backend(yields(TextDelta(text=ANSWER), Unavailable("broke")))}) as served:
        await asked(served, stream=True)
    line = await lines.one()

    assert (line["status"], line["error"], line["error_message"]) == (200, "upstream_error", "a: broke")
    assert "first_token_s" in line
    assert lines.records[0].levelname == "WARNING"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_bug_has_its_line(lines: Lines, *, stream: bool) -> None:
    """What the gateway itself fails at ends the response as it may; the line says that it was an error."""
    broken = TextDelta(text=cast("str", object()))
    async with serving({"a": backend(yields(TextDelta(text=ANSWER), broken, STOP))}) as served:
        with suppress(httpx.RemoteProtocolError):  # the stream is cut
            await asked(served, stream=stream)
        line = await lines.one()

    assert (line["status"], line["error"]) == (200 if stream else 500, "internal_error")
    assert lines.records[0].levelname == "WARNING"


@pytest.mark.parametrize("first", ["", ANSWER])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_is_499(lines: Lines, first: str, *, stream: bool) -> None:
    """Before its first byte or after it; the line waits until everything is put away, and knows what was tried."""
    held = Held(first)
    async with serving({"a": backend(held, "m")}) as served:
        asking = asyncio.create_task(asked(served, stream=stream, model="m"))
        await held.begun.wait()
        asking.cancel()
        line = await lines.one()

    assert (line["status"], line["error"], line["error_code"]) == (499, "client_closed_request", "cancelled")
    assert line["attempts"] == "a=cancelled"
    assert lines.records[0].levelname == "INFO"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_cancelled_request_is_499(lines: Lines, *, stream: bool) -> None:
    """Whoever cancelled it, and whatever its client had read by then."""
    held = Held(ANSWER)
    async with serving({"a": backend(held)}) as served:
        asking = asyncio.create_task(asked(served, stream=stream))
        await held.begun.wait()
        await served.http.post(f"/v1/cancel/{held.exchanges[0].id}")
        await asking
        line = await lines.one()

    assert (line["status"], line["attempts"]) == (499, "a=cancelled")


async def test_a_client_that_leaves_the_queue_is_499(lines: Lines) -> None:
    """Nothing was tried for it, and it waited."""
    held = Held()
    async with serving({"a": backend(held)}, slots=1) as served:
        first = asyncio.create_task(served.chat())
        await held.begun.wait()
        second = asyncio.create_task(asked(served))
        await until(lambda: bool(served.gateway.queue.waiting))
        second.cancel()
        line = await lines.one()
        held.go.set()
        await first

    assert line["status"] == 499
    assert line["queue_wait_s"] >= 0
    assert "attempts" not in line


async def test_a_client_that_leaves_while_it_still_sends_is_499(lines: Lines) -> None:
    """No request came of it."""
    async with serving({"a": backend(says(ANSWER))}) as served:
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(
            f"POST {CHAT_PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            'content-length: 1000\r\n\r\n{"messages": "se-cret'.encode()
        )
        await writer.drain()
        writer.close()
        line = await lines.one()

    assert (line["status"], line["error"]) == (499, "client_closed_request")
    assert "model" not in line


async def test_the_end_of_the_gateway_is_503(lines: Lines) -> None:
    """Who was cut off by the stop is told so, and so is the log."""
    held = Held(first="")
    async with serving({"a": backend(held)}) as served:
        asking = asyncio.create_task(asked(served))
        await held.begun.wait()
        await served.gateway.end_exchanges()
        await asking
        line = await lines.one()

    assert (line["status"], line["error"]) == (503, "service_unavailable")


async def test_the_deadline_is_504(lines: Lines) -> None:
    """With all that was tried till then."""
    async with serving({"a": backend(Held(first=""))}, deadline_s=0.05) as served:
        await asked(served)
    line = await lines.one()

    assert (line["status"], line["error"]) == (504, "timeout_error")
    assert line["total_s"] >= 0.05


async def test_others_words_cant_break_out_of_the_line(lines: Lines) -> None:
    """A model's name is the client's, an upstream's refusal is its own: both become one line, of bounded length."""
    async with serving({"a": backend(yields(Unavailable("went\nINFO request id=fake\x1b[0m" + "x" * 5000)))}) as served:
        await asked(served, model="m\n\x1b[31mred")
    line = await lines.one()
    text = lines.records[0].getMessage()

    assert line["model"] == "m??[31mred"
    assert "\n" not in text
    assert "\x1b" not in text
    assert len(text) < 10_000


async def test_only_chats_have_a_line(lines: Lines) -> None:
    """Who watches over the gateway asks often, and would fill the log."""
    async with serving({"a": backend(says(ANSWER))}) as served:
        for path in ("/health", "/v1/models", "/nowhere", CHAT_PATH):
            await served.http.get(path)

    assert lines.records == []


async def test_every_request_has_an_id_of_its_own(lines: Lines) -> None:
    """Whatever the client calls its request: an id lets its holder cancel."""
    async with serving({"a": backend(says(ANSWER))}) as served:
        for _ in range(3):
            await served.http.post(CHAT_PATH, json=HELLO, headers={"x-request-id": "mine"})
        await until(lambda: len(lines.records) == 3)

    ids = {line["id"] for line in lines.fields}
    assert len(ids) == 3
    assert all(each.startswith("req_") and len(each) == 28 for each in ids)


def test_who_has_a_log_of_their_own_reads_the_same(lines: Lines) -> None:
    """For embedders the record's text holds every field as name=value, quoted where it has to be."""
    entry = RequestLog(id=new_id(), client="::1", model='a "model"', stream=False, status=400)
    entry.error = InvalidRequest("is wrong", param="p")
    entry.finish(Counts(), "other")

    (record,) = lines.records
    assert record.getMessage().startswith(
        f"request id={entry.id} status=400 client=::1 stream=False model='a \"model\"' "
    )
    assert record.getMessage().endswith("error=invalid_request_error error_param=p error_message='is wrong'")
    assert json.loads(json.dumps(vars(record)["fields"])) == vars(record)["fields"]


def test_an_exchange_that_nobody_supervises_is_over(lines: Lines) -> None:
    """Its line is written at once."""
    RequestLog(exchange=exchange_of(), status=200).finish(Counts(), "other")

    assert lines.fields[0]["status"] == 200
