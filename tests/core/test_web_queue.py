"""`GET /v1/queue` and `POST /v1/cancel/{req_id}` over HTTP, and the queue as clients see it."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import openai
import pytest

from studiogate import hookimpl
from studiogate.events import Event, TextDelta
from studiogate.exchange import Exchange
from studiogate.gateway import Gateway

from .backends import CHAT_PATH, HELLO, STOP, Held, Script, Served, asked, backend, says, serving, sse, until

MODEL = "test-model"
KEY = "sk-first-key-1234"
OTHER = "sk-second-key-5678"


@pytest.fixture
def keys_file(tmp_path: Path) -> str:
    """Make a file of two keys."""
    path = tmp_path / "key.txt"
    path.touch(0o600)
    path.write_text(f"{KEY}\n{OTHER}\n")
    return str(path)


def waits(served: Served, count: int) -> bool:
    """Tell whether so many wait."""
    return len(served.gateway.queue.waiting) == count


def first(held: Held, then: Script) -> Script:
    """Play `held` for the first exchange, another script for all others."""
    return lambda exchange: then(exchange) if held.exchanges else held(exchange)


async def soon(condition: Callable[[], bool]) -> None:
    """Wait for a condition that has to hold within a second."""
    async with asyncio.timeout(1):
        await until(condition)


async def queue_of(served: Served, **headers: str) -> dict[str, Any]:
    """Ask for the queue."""
    answer = await served.http.get("/v1/queue", headers=headers)
    body: dict[str, Any] = answer.raise_for_status().json()
    return body


async def cancel(served: Served, req_id: str) -> httpx.Response:
    """Ask for a request's end."""
    return await served.http.post(f"/v1/cancel/{req_id}")


def idle(gateway: Gateway) -> bool:
    """Tell whether nothing runs and nothing waits."""
    return not gateway.queue.running and not gateway.queue.waiting


async def test_an_idle_gateway_has_an_empty_queue() -> None:
    """Every field is there from the start."""
    async with serving({"a": backend(says("x"))}, slots=2, queue_limit=7) as served:
        queue = await queue_of(served)

    assert queue == {
        "queue_length": 0,
        "is_processing_locked": False,
        "items": [],
        "running": [],
        "slots": 2,
        "limit": 7,
    }


async def test_the_queue_shows_who_waits_and_who_runs() -> None:
    """Who waits stands in the order of admission, and each says when it came, how long it waited and what it asked."""
    held, before = Held(), time.time()
    async with serving({"a": backend(held)}, slots=1) as served, asked(served, stream=True):
        await held.begun.wait()
        async with asked(served):
            await until(partial(waits, served, 1))
            async with asked(served, stream=True):
                await until(partial(waits, served, 2))
                queue = await queue_of(served)
                waiting = served.gateway.queue.waiting

    assert (queue["queue_length"], queue["is_processing_locked"]) == (2, True)
    assert [item["req_id"] for item in queue["items"]] == [each.id for each in waiting]
    assert [item["is_streaming"] for item in queue["items"]] == [False, True]
    (running,) = queue["running"]
    assert running == {
        "req_id": held.exchanges[0].id,
        "enqueue_time": held.exchanges[0].enqueued_at,
        "wait_time_seconds": held.exchanges[0].waited_s,
        "is_streaming": True,
        "cancelled": False,
    }
    for item in queue["items"]:
        assert set(item) == set(running)
        assert before <= item["enqueue_time"] <= time.time()
        assert 0 < item["wait_time_seconds"] < time.time() - before + 1
    assert queue["items"][0]["wait_time_seconds"] > queue["items"][1]["wait_time_seconds"]


async def test_a_cancelled_exchange_is_shown_as_such_until_it_has_closed() -> None:
    """A backend that takes its time to stop holds its slot meanwhile."""
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def slow_to_stop(_: Exchange) -> AsyncGenerator[Event]:
        try:
            begun.set()
            await asyncio.Event().wait()
            yield STOP
        finally:
            await stopped.wait()

    async with serving({"a": backend(slow_to_stop)}, slots=1) as served, asked(served) as asking:
        await begun.wait()
        (before,) = (await queue_of(served))["running"]
        assert (await cancel(served, before["req_id"])).status_code == 200
        (after,) = (await queue_of(served))["running"]
        again = await cancel(served, before["req_id"])
        stopped.set()
        answer = await asking

    assert (before["cancelled"], after["cancelled"]) == (False, True)
    assert (again.status_code, answer.status_code) == (200, 499)


@pytest.mark.parametrize(
    ("headers", "whole"),
    [
        ({}, False),
        ({"x-api-key": "sk-wrong-key-0000"}, False),
        ({"authorization": f"Bearer {OTHER}"}, True),
        ({"x-api-key": KEY}, True),
    ],
)
async def test_ids_are_cut_for_who_has_no_key(
    keys_file: str,
    headers: dict[str, str],
    whole: bool,  # noqa: FBT001
) -> None:
    """The queue is open to everybody, but nobody can cancel a stranger's request without a key."""
    held = Held()
    async with serving({"a": backend(held)}, slots=1, keys_file=keys_file) as served, asked(served, KEY):
        await held.begun.wait()
        async with asked(served, KEY):
            await until(partial(waits, served, 1))
            queue = await queue_of(served, **headers)
            ids = [*(each.id for each in served.gateway.queue.running), served.gateway.queue.waiting[0].id]

    shown = [item["req_id"] for item in (*queue["running"], *queue["items"])]
    assert shown == (ids if whole else [each[:4] for each in ids])


async def test_a_hundred_of_one_key_dont_starve_another_keys_one(keys_file: str) -> None:
    """It is answered after the one that ran when it came."""
    order: list[str] = []

    async def notes(exchange: Exchange) -> AsyncGenerator[Event]:
        order.append(exchange.caller.key)
        yield STOP

    held, unlimited = Held(), httpx.Limits(max_connections=None)
    plugins = {"a": backend(first(held, notes))}
    async with (
        serving(plugins, slots=1, queue_limit=100, keys_file=keys_file) as served,
        httpx.AsyncClient(base_url=served.url, limits=unlimited, trust_env=False, timeout=60) as http,
        asyncio.TaskGroup() as group,
    ):

        def ask(key: str) -> "asyncio.Task[httpx.Response]":
            return group.create_task(http.post(CHAT_PATH, json=HELLO, headers={"x-api-key": key}))

        asking = [ask(KEY)]
        await held.begun.wait()
        asking += [ask(KEY) for _ in range(100)]
        await until(partial(waits, served, 100))
        refused = await ask(KEY)
        asking.append(ask(OTHER))
        await until(partial(waits, served, 101))
        held.go.set()

    assert {task.result().status_code for task in asking} == {200}
    assert refused.status_code == 429
    assert order[0] == "sk-s****5678"
    assert order[1:] == ["sk-f****1234"] * 100


async def test_a_full_queue_is_a_429_with_a_wait() -> None:
    """The client is told when to come back."""
    held = Held()
    async with serving({"a": backend(held, MODEL)}, slots=1, queue_limit=1) as served, asked(served):
        await held.begun.wait()
        async with asked(served):
            await until(partial(waits, served, 1))
            answer = await served.chat(stream=True)

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["error"]["type"] == "rate_limit_error"


async def test_requests_are_answered_in_the_order_they_came() -> None:
    """Many of one caller through one slot: first in, first out."""
    order: list[str] = []

    async def notes(exchange: Exchange) -> AsyncGenerator[Event]:
        order.append(exchange.prompt.text)
        yield TextDelta(text=exchange.prompt.text)
        yield STOP

    held = Held()
    async with serving({"a": backend(first(held, notes), MODEL)}, slots=1) as served, asked(served) as running:
        await held.begun.wait()
        waiting: list[asyncio.Task[httpx.Response]] = []
        for number in range(10):
            message = {"role": "user", "content": str(number)}
            waiting.append(asyncio.create_task(served.chat(messages=[message])))
            await until(partial(waits, served, number + 1))
        held.go.set()
        await asyncio.gather(running, *waiting)

    assert order == [str(number) for number in range(10)]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_waiting_request_can_be_cancelled(stream: bool) -> None:  # noqa: FBT001
    """Its client gets a 499, the one that runs knows nothing of it, and its backend never hears of it."""
    held = Held()
    async with serving({"a": backend(held)}, slots=1) as served, asked(served) as running:
        await held.begun.wait()
        async with asked(served, stream=stream) as waiting:
            await until(partial(waits, served, 1))
            (item,) = (await queue_of(served))["items"]
            said = await cancel(served, item["req_id"])
            answer = await waiting
        left = await queue_of(served)
        held.go.set()
        other = await running

    assert said.status_code == 200
    assert said.json() == {"success": True, "req_id": item["req_id"], "message": "The request is cancelled."}
    assert answer.status_code == 499
    assert answer.headers["x-request-id"] == item["req_id"]
    assert answer.json() == {
        "error": {
            "message": "The request was cancelled.",
            "type": "client_closed_request",
            "param": None,
            "code": "cancelled",
        },
        "detail": "The request was cancelled.",
    }
    assert (left["queue_length"], len(left["running"]), other.status_code) == (0, 1, 200)
    assert len(held.exchanges) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("begun", ["", "first"])
async def test_a_running_request_can_be_cancelled(begun: str, stream: bool) -> None:  # noqa: FBT001
    """Before its first event or after: the backend is stopped, the slot is free, the client gets a status if it can.

    A stream that has begun has its status already: it ends with the error, and without `[DONE]`.
    """
    held = Held(first=begun)
    async with serving({"a": backend(held)}, slots=1) as served, asked(served, stream=stream) as asking:
        await held.begun.wait()
        # A stream has its headers when the first chunk is sent.
        if begun and stream:
            await until(held.exchanges[0]._channel.empty)  # pyright: ignore[reportPrivateUsage]
        (item,) = (await queue_of(served))["running"]
        said = await cancel(served, item["req_id"])
        await soon(held.closed.is_set)
        await soon(partial(idle, served.gateway))
        answer = await asking
        held.go.set()
        after = await served.chat()

    assert said.json()["success"] is True
    error = sse(answer.text)[-1] if begun and stream else answer.json()
    assert answer.status_code == (200 if begun and stream else 499)
    assert error["error"]["code"] == "cancelled"
    assert held.exchanges[0].attempts[0].outcome == "cancelled"
    assert after.status_code == 200


async def test_a_cancel_is_an_exception_of_the_official_client() -> None:
    """Its user learns it the way it learns every other error."""
    held = Held()
    async with serving({"a": backend(held)}, slots=1) as served:
        asking = served.openai.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hello"}])
        with pytest.raises(openai.APIStatusError) as refusal:
            await asyncio.gather(asking, _cancelled_once_begun(served, held))

    assert (refusal.value.status_code, refusal.value.code) == (499, "cancelled")


async def _cancelled_once_begun(served: Served, held: Held) -> None:
    await held.begun.wait()
    await cancel(served, held.exchanges[0].id)


async def test_a_cancelled_slot_goes_to_the_next_one() -> None:
    """Who waits is served in its place."""
    held = Held()
    async with (
        serving({"a": backend(first(held, says("next")))}, slots=1) as served,
        asked(served) as cancelled,
    ):
        await held.begun.wait()
        async with asked(served) as waiting:
            await until(partial(waits, served, 1))
            await cancel(served, held.exchanges[0].id)
            answers = await cancelled, await waiting

    assert [answer.status_code for answer in answers] == [499, 200]


async def test_a_request_is_known_by_the_id_in_its_body_too() -> None:
    """A stream's reader sees `chatcmpl-…` in every chunk; the header may have been dropped on the way."""
    held = Held()
    async with serving({"a": backend(held)}) as served:
        stream = await served.openai.chat.completions.create(**HELLO, stream=True)
        chunk = await anext(aiter(stream))
        said = await cancel(served, chunk.id)
        with pytest.raises(openai.APIError, match="cancelled"):
            [chunk async for chunk in stream]

    assert chunk.id.startswith("chatcmpl-")
    assert said.json()["req_id"] == held.exchanges[0].id


async def test_a_request_can_be_cancelled_before_it_waits() -> None:
    """While its attachments or tools are looked at, it stands in no queue yet."""
    looking = asyncio.Event()

    @hookimpl
    async def map_tools(_: object) -> None:
        looking.set()
        await asyncio.Event().wait()

    async with (
        serving({"a": type("Looks", (backend(says("x")),), {"map_tools": map_tools})}) as served,
        asked(served) as asking,
    ):
        await looking.wait()
        ((_, exchange),) = served.gateway._running.items()  # pyright: ignore[reportPrivateUsage]
        queue = await queue_of(served)
        said = await cancel(served, exchange.id)
        answer = await asking

    assert (queue["items"], queue["running"]) == ([], [])
    assert (said.status_code, answer.status_code) == (200, 499)


async def test_an_ended_request_is_unknown() -> None:
    """Answered or cancelled, there is nothing left to cancel."""
    held = Held()
    async with serving({"a": backend(first(held, says("x")))}) as served, asked(served) as asking:
        await held.begun.wait()
        await cancel(served, held.exchanges[0].id)
        await asking
        await soon(partial(idle, served.gateway))
        answered = await served.chat()
        refusals = [
            await cancel(served, each)
            for each in (held.exchanges[0].id, answered.headers["x-request-id"], answered.json()["id"])
        ]

    assert answered.status_code == 200
    for refusal in refusals:
        assert refusal.status_code == 404
        assert refusal.json()["error"] == {
            "message": "No request with this id is waiting or running. It may have ended already.",
            "type": "not_found_error",
            "param": "req_id",
            "code": "not_found",
        }


ODD_IDS = [
    *("req_0", "unknown", "req_", "chatcmpl-", "*", "{req_id}", "';drop+table", "..%5C", "x" * 5000),
    *("%00", "%ff%fe", "%C3%28", "a%20b", "a/b", "a%2Fb", "%2E%2E%2F%2E%2E", quote("é世界🌍"), "%", "%zz", ""),
]


async def test_an_unknown_id_is_a_404_whatever_it_is() -> None:
    """Nothing of it breaks the gateway, and nothing of it comes back."""
    async with serving({"a": backend(says("Hello"))}) as served:
        answers = {req_id: await _posted(served, f"/v1/cancel/{req_id}") for req_id in ODD_IDS}
        after = await served.chat()

    for req_id, answer in answers.items():
        status, body = answer.split()[1], answer.partition(b"\r\n\r\n")[2]
        assert (status, json.loads(body)["error"]["code"]) == (b"404", "not_found"), req_id
        assert len(body) < 400
    assert after.status_code == 200


async def _posted(served: Served, path: str) -> bytes:
    """Post to a path as it stands; a client would mend it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


async def test_cancelling_is_a_post_and_the_queue_is_read() -> None:
    """What only looks can't cancel."""
    async with serving({"a": backend(says("x"))}) as served:
        answers = [await served.http.get("/v1/cancel/req_0"), await served.http.post("/v1/queue")]

    assert [answer.status_code for answer in answers] == [405, 405]


async def test_web_pages_of_other_sites_cant_cancel() -> None:
    """Any page can post to this machine without being asked."""
    held = Held()
    async with serving({"a": backend(held)}) as served, asked(served):
        await held.begun.wait()
        path = f"/v1/cancel/{held.exchanges[0].id}"
        answer = await served.http.post(path, headers={"origin": "https://evil.example"})
        cancelled = held.exchanges[0].cancelled

    assert answer.status_code == 403
    assert not cancelled


async def test_who_knows_an_id_may_cancel_it_without_a_key(keys_file: str) -> None:
    """As ever; it is the ids that aren't told to everybody."""
    held = Held()
    async with serving({"a": backend(held)}, keys_file=keys_file) as served, asked(served, KEY) as asking:
        await held.begun.wait()
        said = await cancel(served, held.exchanges[0].id)
        answer = await asking

    assert (said.status_code, answer.status_code) == (200, 499)


async def test_many_cancelled_at_once_leave_nothing_behind() -> None:
    """Waiting and running, in any order, and then the gateway serves as before."""
    held = Held()
    async with serving({"a": backend(held)}, slots=2) as served, AsyncExitStack() as stack:
        asking = [await stack.enter_async_context(asked(served, stream=bool(number % 2))) for number in range(12)]
        await until(partial(waits, served, 10))
        queue = await queue_of(served)
        ids = [item["req_id"] for item in (*queue["items"], *queue["running"])]
        said = await asyncio.gather(*(cancel(served, each) for each in (*ids[::2], *ids[1::2])))
        await soon(partial(idle, served.gateway))
        answers = await asyncio.gather(*asking)
        held.go.set()
        after = await served.chat()

    assert {each.status_code for each in said} == {200}
    assert all("cancelled" in answer.text for answer in answers)
    assert after.status_code == 200
