"""Errors reach clients that still send, over real connections and with an application played by hand."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from itertools import chain, islice, repeat
from typing import Any

import pytest

from studiogate.web.unread import taking_in_the_unread

from .backends import CHAT_PATH, backend, says, serving

LARGE = b" " * 8_000_000


def chunks(*sizes: int) -> Iterator[dict[str, Any]]:
    """Make the messages of a body that arrives in pieces."""
    left = len(sizes)
    for size in sizes:
        left -= 1
        yield {"type": "http.request", "body": b" " * size, "more_body": left > 0}


async def answered(  # noqa: PLR0913 - a request has as many sides
    messages: Iterator[dict[str, Any]],
    status: int,
    *,
    reads: int = 0,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    most_bytes: int = 10_000,
    most_s: float = 60,
) -> tuple[int, int]:
    """Answer a request after some reads of its body; return the status sent and how many reads there were by then."""
    count = 0
    sent: list[tuple[int, int]] = []

    async def receive() -> Any:
        nonlocal count
        message = next(messages, None)
        if message is None:
            await asyncio.Event().wait()
        count += 1
        return message

    async def send(message: Any) -> None:
        sent.append((message["status"], count))

    async def app(_: Any, receive: Any, send: Any) -> None:
        for _read in range(reads):
            await receive()
        await send({"type": "http.response.start", "status": status, "headers": []})

    wrapped = taking_in_the_unread(app, most_bytes=most_bytes, most_s=most_s)
    scope: Any = {"type": "http", "headers": headers}
    await wrapped(scope, receive, send)
    (answer,) = sent
    return answer


async def test_a_large_body_doesnt_hide_the_refusal() -> None:
    """Without this one answer in ten is lost, and the client sees a broken connection."""
    async with serving({"a": backend(says("Hello"))}, max_body_bytes=1000) as served:
        refusals = [await served.http.post(CHAT_PATH, content=LARGE) for _ in range(10)]
        elsewhere = await served.http.post("/nowhere", content=LARGE)

    assert {refusal.status_code for refusal in refusals} == {413}
    assert elsewhere.status_code == 404


async def test_a_body_in_chunks_doesnt_hide_the_refusal() -> None:
    """The same where nobody says beforehand how long it is."""

    async def pieces() -> AsyncGenerator[bytes]:
        for _ in range(8):
            yield LARGE[:1_000_000]

    async with serving({"a": backend(says("Hello"))}, max_body_bytes=1000) as served:
        assert (await served.http.post(CHAT_PATH, content=pieces())).status_code == 413


async def test_a_client_that_asks_first_is_spared_the_body() -> None:
    """As curl does: it waits for a go-ahead before it sends much; the refusal comes in its place."""
    async with serving({"a": backend(says("Hello"))}, max_body_bytes=1000) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(
            f"POST {CHAT_PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9000\r\n"
            "expect: 100-continue\r\n\r\n".encode()
        )
        answer = await reader.readline()
        writer.close()

    assert answer == b"HTTP/1.1 413 Payload Too Large\r\n"


@pytest.mark.parametrize(
    ("status", "reads", "taken"),
    [
        (401, 0, 3),
        (413, 2, 3),
        (400, 3, 3),
        (200, 0, 0),
    ],
)
async def test_the_rest_is_taken_in_before_an_error(status: int, reads: int, taken: int) -> None:
    """Whatever the application left; an answer that is no error waits for nothing."""
    assert await answered(chunks(10, 10, 10), status, reads=reads) == (status, taken)


async def test_a_client_that_is_gone_sends_no_more() -> None:
    """Its going is the end of its body."""
    gone = chain(islice(chunks(10, 10), 1), [{"type": "http.disconnect"}])

    assert await answered(gone, 401) == (401, 2)


async def test_an_endless_body_is_not_read_to_its_end() -> None:
    """After so many bytes the answer is sent, seen or not."""
    assert await answered(repeat(next(chunks(4_000, 1))), 401, most_bytes=10_000) == (401, 3)


async def test_a_stalled_body_is_not_waited_for() -> None:
    """After so many seconds the answer is sent all the same."""
    assert await answered(islice(chunks(10, 10), 1), 401, most_s=0.01) == (401, 1)
