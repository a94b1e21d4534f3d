import asyncio

import pytest

from studiogate_stream_intercept.errors import StreamBroken
from studiogate_stream_intercept.stream import AnswerStream


async def nothing() -> None:
    """Stand for the abort."""


def stream(limit: int = 10) -> AnswerStream:
    """Return an empty stream."""
    return AnswerStream(status=200, headers={}, limit=limit, abort=nothing)


async def test_what_came_before_a_break_is_read_first() -> None:
    """A break waits its turn behind the chunks."""
    answer = stream()
    answer.feed(b"half", 1.0)
    answer.end("gone")

    assert (await anext(answer), answer.arrived_at) == (b"half", 1.0)
    with pytest.raises(StreamBroken, match="gone") as caught:
        await anext(answer)
    assert caught.value.reason == "gone"


async def test_the_first_end_counts() -> None:
    """A connection that dies after the answer's end breaks nothing, and no chunk comes after an end."""
    answer = stream()
    answer.end(None)
    answer.end("too late")

    assert answer.feed(b"late", 1.0)
    assert await answer.read_all() == b""


async def test_the_limit_counts_unread_bytes() -> None:
    """What was read makes room."""
    answer = stream(limit=10)

    assert answer.feed(b"x" * 10, 1.0)
    assert not answer.feed(b"y", 1.0)
    await anext(answer)
    assert answer.feed(b"y" * 10, 1.0)


async def test_read_all_is_bounded() -> None:
    """An endless error body is aborted, not collected."""
    aborted = asyncio.Event()

    async def abort() -> None:
        aborted.set()
        answer.end("aborted", discard=True)

    answer = AnswerStream(status=500, headers={}, limit=10, abort=abort)
    answer.feed(b"x" * 8, 1.0)
    reading = asyncio.create_task(answer.read_all())
    await asyncio.sleep(0)
    answer.feed(b"x" * 8, 1.0)

    with pytest.raises(StreamBroken):
        await reading
    assert aborted.is_set()


def test_the_encoding_is_the_servers() -> None:
    """Without a header the bytes are as they are."""
    assert stream().content_encoding == "identity"
    packed = AnswerStream(status=200, headers={"content-encoding": "gzip"}, limit=1, abort=nothing)
    assert packed.content_encoding == "gzip"
