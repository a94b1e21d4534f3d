"""The answer, as it passes: read here and by the page at the same time."""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import attrs
import pytest

from studiogate_stream_intercept.destinations import RPC_HOST
from studiogate_stream_intercept.errors import StreamBroken

from .browser import browsing
from .conftest import PAGE_URL, PATH, RPC_URL, Stage, rerouted, running
from .upstream import Exchange, Upstream


async def test_chunks_arrive_one_by_one(stage: Stage) -> None:
    """A chunk is read while the upstream still holds the next one back."""
    async with asyncio.TaskGroup() as page, stage.expect(b"hi") as turn:
        got = page.create_task(stage.page.post(RPC_URL, content=b'["hi"]'))
        await turn.sent()
        sent = await stage.upstream.next()
        sent.begin(200, {"content-type": "application/json+protobuf"})
        answer = await turn.answer()
        sent.send(b"[[one,")
        first = await anext(answer)
        sent.send(b"two]]")
        second = await anext(answer)
        sent.end()
        rest = [chunk async for chunk in answer]

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json+protobuf")
    assert (first, second, rest) == (b"[[one,", b"two]]", [])
    assert got.result().content == b"[[one,two]]"


async def test_arrival_is_the_time_at_the_tap(stage: Stage) -> None:
    """`arrived_at` is when a chunk passed, not when it was read."""
    async with asyncio.TaskGroup() as page, stage.expect(b"hi") as turn:
        page.create_task(stage.page.post(RPC_URL, content=b"hi"))
        (await stage.upstream.next()).answer(200, b"done")
    answer = await turn.answer()
    read_at = time.perf_counter()

    assert answer.arrived_at is None
    assert await answer.read_all() == b"done"
    assert answer.arrived_at is not None
    assert turn.sent_at is not None
    assert turn.sent_at < answer.arrived_at < read_at


async def test_the_patch_goes_upstream(stage: Stage) -> None:
    """Upstream sees the patched body with its right length, and is asked not to compress."""
    async with asyncio.TaskGroup() as page:
        async with stage.proxy.expect(lambda body: b"hi" in body, lambda body: body.replace(b"hi", b"longer")) as turn:
            page.create_task(stage.page.post(RPC_URL, content=b'["hi"]', headers={"accept-encoding": "gzip, br"}))
            await turn.sent()
        sent = await stage.upstream.next()
        sent.answer(200, b"")

    assert sent.body == b'["longer"]'
    assert sent.headers["content-length"] == "10"
    assert sent.headers["accept-encoding"] == "identity"


async def test_an_empty_answer_ends(stage: Stage) -> None:
    """An answer that is headers only never meets the tap, and ends all the same."""
    async with asyncio.TaskGroup() as page, stage.expect(b"hi") as turn:
        page.create_task(stage.page.post(RPC_URL, content=b"hi"))
        sent = await stage.upstream.next()
        sent.begin(204, {})
        sent.end()
        answer = await turn.answer()

        assert (answer.status, await answer.read_all()) == (204, b"")


async def test_an_error_body_is_read_whole(stage: Stage) -> None:
    """The RPC's errors are answers: a status and a body, said to be encoded as the server says."""
    async with asyncio.TaskGroup() as page, stage.expect(b"hi") as turn:
        page.create_task(stage.page.post(RPC_URL, content=b"hi"))
        (await stage.upstream.next()).answer(429, b'[,[8,"quota"]]', {"content-encoding": "x-odd"})
        answer = await turn.answer()

        assert (answer.status, answer.content_encoding) == (429, "x-odd")
        assert await answer.read_all() == b'[,[8,"quota"]]'


async def test_a_cut_upstream_breaks_the_stream(stage: Stage) -> None:
    """What came before the upstream died is read, then the break."""
    async with asyncio.TaskGroup() as page, stage.expect(b"hi") as turn:
        page.create_task(stage.page.post(RPC_URL, content=b"hi"))
        sent = await stage.upstream.next()
        sent.begin(200, {})
        sent.send(b"half")
        answer = await turn.answer()
        first = await anext(answer)
        sent.cut()
        with pytest.raises(StreamBroken):
            await anext(answer)

    assert first == b"half"


async def test_an_upstream_that_dies_before_its_headers(stage: Stage) -> None:
    """The answer that is waited for never comes: the waiting ends."""
    async with asyncio.TaskGroup() as page, stage.expect(b"hi") as turn:
        page.create_task(stage.page.post(RPC_URL, content=b"hi"))
        await turn.sent()
        (await stage.upstream.next()).cut()

        with pytest.raises(StreamBroken):
            await turn.answer()


async def test_a_browser_that_goes_breaks_the_stream(stage: Stage) -> None:
    """When the browser's connection closes, the reader hears of it and upstream is given up."""
    browser = stage.client()
    async with stage.expect(b"hi") as turn:
        response = await asyncio.gather(
            browser.send(browser.build_request("POST", RPC_URL, content=b"hi"), stream=True),
            begin_next(stage),
        )
    answer = await turn.answer()
    await browser.aclose()

    with pytest.raises(StreamBroken):
        await anext(answer)
    await response[1].reset.wait()


async def test_a_reader_too_far_behind_is_cut_off(upstream: Upstream, ca_dir: Path) -> None:
    """An answer that outgrows the buffer is broken off, upstream and in the page; what fitted is still read."""
    settings = attrs.evolve(rerouted(upstream, ca_dir), buffer_limit=1000)
    async with running(settings) as proxy, browsing(proxy.port, ca_dir, RPC_HOST) as browser:
        async with proxy.expect(lambda _: True, lambda body: body) as turn:
            page = browser.post(PATH, b"hi")
            sent = await upstream.next()
            sent.begin(200, {})
        sent.send(b"x" * 600)
        await page.until(b"x" * 600)
        sent.send(b"y" * 600)
        await asyncio.gather(sent.reset.wait(), page.until_ended())
        answer = await turn.answer()

        assert await anext(answer) == b"x" * 600
        with pytest.raises(StreamBroken, match="1000 bytes behind"):
            await anext(answer)


@pytest.mark.parametrize("begun", [False, True])
async def test_an_answer_that_is_let_go_is_the_pages(upstream: Upstream, ca_dir: Path, *, begun: bool) -> None:
    """Whoever stops reading leaves it to the page, however much still comes; it can be aborted all the same."""
    settings = attrs.evolve(rerouted(upstream, ca_dir), buffer_limit=1000)
    async with running(settings) as proxy, browsing(proxy.port, ca_dir, RPC_HOST) as browser:
        async with proxy.expect(lambda _: True, lambda body: body) as turn:
            page = browser.post(PATH, b"hi")
            sent = await upstream.next()
            await turn.sent()
            if begun:
                sent.begin(200, {})
                await turn.answer()
            turn.let_go()
        if not begun:
            sent.begin(200, {})
        sent.send(b"x" * 900)
        sent.send(b"y" * 900)
        await page.until(b"x" * 900 + b"y" * 900)
        await turn.abort()
        await asyncio.gather(sent.reset.wait(), page.until_ended())

        assert page.reset is not None


async def test_a_cancelled_reader_loses_nothing(stage: Stage) -> None:
    """A reader that is cancelled while it waits can be followed by another."""
    async with asyncio.TaskGroup() as page, stage.expect(b"hi") as turn:
        page.create_task(stage.page.post(RPC_URL, content=b"hi"))
        sent = await begin_next(stage)
        answer = await turn.answer()
        reader = asyncio.ensure_future(answer.read_all())
        await asyncio.sleep(0)
        reader.cancel()
        await asyncio.wait([reader])
        sent.send(b"later")
        sent.end()

        assert await answer.read_all() == b"later"


async def test_other_answers_stream_untouched(stage: Stage) -> None:
    """What is no turn passes chunk by chunk too, with its own accept-encoding: a person may use the window."""
    for url in (PAGE_URL, RPC_URL):
        async with asyncio.TaskGroup() as page:
            opening = page.create_task(
                stage.page.send(
                    stage.page.build_request("POST", url, content=b"by hand", headers={"accept-encoding": "br"}),
                    stream=True,
                )
            )
            sent = await begin_next(stage)
            sent.send(b"one")
            response = await opening
            chunks = response.aiter_raw()
            first = await anext(chunks)
            sent.end()

        assert (sent.body, sent.headers["accept-encoding"], first) == (b"by hand", "br", b"one")
        await response.aclose()


async def begin_next(stage: Stage) -> Exchange:
    """Take the next request and send its response's headers."""
    sent = await stage.upstream.next()
    sent.begin(200, {})
    return sent


async def test_other_requests_stream_too(stage: Stage) -> None:
    """A file's upload goes on piece by piece, so none is ever held here whole."""
    upstream = stage.upstream

    async def upload() -> AsyncGenerator[bytes]:
        yield b"first"
        while upstream.received < len(b"first"):
            upstream.grew.clear()
            await upstream.grew.wait()
        yield b"second"

    async with asyncio.timeout(10), asyncio.TaskGroup() as page:
        putting = page.create_task(stage.page.put("https://www.googleapis.com/upload", content=upload()))
        sent = await upstream.next()
        sent.answer(200, b"kept")

    assert (sent.method, sent.host, sent.body) == ("PUT", "www.googleapis.com", b"firstsecond")
    assert putting.result().content == b"kept"
