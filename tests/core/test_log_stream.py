import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from studiogate.log_stream import BUFFERED, READERS, LogStream

from .backends import Served, backend, says, serving, until

LOGS = "/api/logs"
KEY = "sk-for-the-log-1234"
log = logging.getLogger("studiogate.test")


@asynccontextmanager
async def reading(served: Served, **params: str) -> AsyncGenerator[AsyncGenerator[str]]:
    """Read the log; yields its lines once it is being read."""
    async with (
        httpx.AsyncClient(base_url=served.url, trust_env=False, timeout=30) as client,
        client.stream("GET", LOGS, params=params) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = (line async for line in response.aiter_lines() if line)
        assert (await anext(lines)).startswith(":")
        yield lines


async def test_lines_come_as_they_are_written() -> None:
    """One JSON object each, from the level on that was asked for."""
    async with serving({"a": backend(says("Hello"))}) as served, reading(served, level="error") as lines:
        log.warning("not this")
        log.error("but %s", "this")
        line = json.loads((await anext(lines)).removeprefix("data: "))

    assert (line["level"], line["logger"], line["event"]) == ("error", "studiogate.test", "but this")


async def test_what_a_library_s_error_says_is_left_out() -> None:
    """As in the log itself."""
    async with serving({"a": backend(says("Hello"))}) as served, reading(served) as lines:
        log.error("it failed", exc_info=ValueError("my-secret-prompt"))
        line = await anext(lines)

    assert "ValueError" in line
    assert "my-secret-prompt" not in line


async def test_who_leaves_is_no_reader_any_more() -> None:
    """And the log goes on."""
    before = list(logging.getLogger().handlers)
    async with serving({"a": backend(says("Hello"))}) as served:
        async with reading(served):
            assert len(logging.getLogger().handlers) == len(before) + 1
        await until(lambda: logging.getLogger().handlers == before)
        log.warning("nobody listens")


async def test_the_stream_ends_with_the_gateway() -> None:
    """Nobody who watches keeps it from ending."""
    async with serving({"a": backend(says("Hello"))}) as served:
        watching = reading(served)
        lines = await watching.__aenter__()
    assert [line async for line in lines if line.startswith("event")] == []
    await watching.__aexit__(None, None, None)


async def test_who_reads_too_slowly_is_let_go() -> None:
    """Writing goes on without waiting; what was buffered is still read, then the end."""
    stream = LogStream()
    reader = stream.open("warning")
    for number in range(BUFFERED + 2):
        log.warning("%d", number)
    await asyncio.sleep(0)
    assert reader not in logging.getLogger().handlers

    read = [line async for line in aiter_of(reader.line)]
    stream.close(reader)
    assert (len(read), reader.dropped) == (BUFFERED, True)


async def aiter_of(line: Any) -> AsyncGenerator[str]:
    """Yield until None."""
    while (each := await line()) is not None:
        yield each


async def test_a_line_may_come_from_any_thread() -> None:
    """The loop gets it all the same."""
    stream = LogStream()
    reader = stream.open("warning")
    await asyncio.to_thread(log.warning, "from afar")

    assert "from afar" in (await reader.line() or "")
    stream.close(reader)


async def test_a_key_is_needed_where_there_are_keys(tmp_path: Path) -> None:
    """The same as for chats."""
    keys = tmp_path / "keys.txt"
    keys.write_text(f"{KEY}\n")
    keys.chmod(0o600)
    async with serving({"a": backend(says("Hello"))}, keys_file=str(keys)) as served:
        assert (await served.http.get(LOGS)).status_code == 401
        async with served.http.stream("GET", LOGS, headers={"x-api-key": KEY}) as response:
            assert response.status_code == 200


@pytest.mark.parametrize("headers", [{"host": "gateway.example"}, {"origin": "https://gateway.example"}])
async def test_without_keys_only_this_machine_reads(headers: dict[str, str]) -> None:
    """Although the operator lets everybody chat."""
    async with serving({"a": backend(says("Hello"))}, insecure=True, trusted_hosts=["gateway.example"]) as served:
        assert (await served.http.get("/v1/models", headers=headers)).status_code == 200
        refused = await served.http.get(LOGS, headers=headers)

    assert (refused.status_code, refused.json()["error"]["type"]) == (403, "permission_error")


async def test_an_unknown_level_is_refused() -> None:
    """It names those there are."""
    async with serving({"a": backend(says("Hello"))}) as served:
        refused = await served.http.get(LOGS, params={"level": "loud"})

    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "level")


async def test_only_so_many_read_at_once() -> None:
    """One more is told to come again."""
    async with serving({"a": backend(says("Hello"))}) as served, contextlib.AsyncExitStack() as stack:
        for _ in range(READERS):
            await stack.enter_async_context(reading(served))
        assert (await served.http.get(LOGS)).status_code == 429
