"""The contract with mitmproxy's private layers: one stream is aborted, its neighbours are not."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import h2.errors
import httpx
import pytest
from mitmproxy.proxy.layers.http import HttpLayer, HttpStream
from mitmproxy.proxy.layers.http._events import ErrorCode

from studiogate_stream_intercept.destinations import RPC_HOST
from studiogate_stream_intercept.errors import StreamBroken
from studiogate_stream_intercept.stream import AnswerStream

from .browser import Browser, PageStream, browsing
from .conftest import PATH, RPC_URL, Stage, client_of, rerouted, running
from .upstream import Exchange, Upstream, serving


@pytest.fixture
async def browser(stage: Stage) -> AsyncGenerator[Browser]:
    """Open one connection to the RPC's host, as all tabs share it."""
    async with browsing(stage.proxy.port, stage.ca_dir, RPC_HOST) as browser:
        yield browser


def test_what_is_private_is_still_there() -> None:
    """The attributes that the subclass reaches for exist under these names."""
    assert callable(HttpLayer.event_to_child)
    assert {"streams", "connections", "mode"} <= HttpLayer.__annotations__.keys()
    assert {"flow", "stream_id"} <= HttpStream.__annotations__.keys()
    assert ErrorCode.CANCEL.http_status_code() is None


async def test_one_stream_of_three_is_aborted(stage: Stage, browser: Browser) -> None:
    """Upstream and page see CANCEL on that stream; the streams before and after it on the same connections go on."""
    turns: list[AnswerStream] = []
    sent: list[Exchange] = []
    pages: list[PageStream] = []
    for prompt in (b"first", b"second", b"third"):
        async with stage.expect(prompt) as turn:
            pages.append(browser.post(PATH, prompt))
            await turn.sent()
        sent.append(await stage.upstream.next())
        sent[-1].begin(200, {})
        sent[-1].send(b"begun ")
        turns.append(await turn.answer())
    for page in pages:
        await page.until(b"begun ")

    await turns[1].abort()
    await sent[1].reset.wait()
    await pages[1].until_ended()
    for neighbour in (0, 2):
        sent[neighbour].send(b"and ended")
        sent[neighbour].end()
        await pages[neighbour].until_ended()

    assert pages[1].reset == h2.errors.ErrorCodes.CANCEL
    assert [page.reset for page in (pages[0], pages[2])] == [None, None]
    assert [bytes(page.body) for page in (pages[0], pages[2])] == [b"begun and ended"] * 2
    assert [await turns[neighbour].read_all() for neighbour in (0, 2)] == [b"begun and ended"] * 2
    assert stage.upstream.hellos == 1
    assert not browser.closed.is_set()


async def test_the_reader_of_an_aborted_answer(stage: Stage, browser: Browser) -> None:
    """An abort drops what was unread and ends the reading, for a reader who waits too; twice is as good as once."""
    async with stage.expect(b"hi") as turn:
        browser.post(PATH, b"hi")
        sent = await stage.upstream.next()
        sent.begin(200, {})
    answer = await turn.answer()
    waiting = asyncio.create_task(answer.read_all())
    await asyncio.sleep(0)

    await asyncio.gather(answer.abort(), answer.abort(), turn.abort())

    with pytest.raises(StreamBroken, match="aborted"):
        await waiting
    with pytest.raises(StreamBroken, match="aborted"):
        await anext(answer)


async def test_abort_before_the_headers(stage: Stage, browser: Browser) -> None:
    """A turn that upstream is still silent about is given up there and in the page."""
    async with stage.expect(b"hi") as turn:
        page = browser.post(PATH, b"hi")
        await turn.sent()
    sent = await stage.upstream.next()

    await turn.abort()

    await sent.reset.wait()
    await page.until_ended()
    with pytest.raises(StreamBroken, match="aborted"):
        await turn.answer()


async def test_abort_before_the_page_submitted(stage: Stage, browser: Browser) -> None:
    """What the page sends after that is refused, and nothing goes upstream."""
    async with stage.expect(b"hi") as turn:
        await turn.abort()
        page = browser.post(PATH, b"hi")
        await page.until_ended()
        with pytest.raises(StreamBroken, match="before the page submitted"):
            await turn.sent()

    assert stage.upstream.arrived.empty()


async def test_abort_after_the_end_is_nothing(stage: Stage, browser: Browser) -> None:
    """The answer that has come can still be read, and the page has it."""
    async with stage.expect(b"hi") as turn:
        page = browser.post(PATH, b"hi")
        (await stage.upstream.next()).answer(200, b"whole")
    answer = await turn.answer()
    await page.until_ended()

    await answer.abort()

    assert await answer.read_all() == b"whole"
    assert page.reset is None


async def test_stop_in_the_page_breaks_that_stream_only(stage: Stage, browser: Browser) -> None:
    """A person's Stop resets the stream: the reader hears of it, upstream is given up, the connection stays."""
    async with stage.expect(b"hi") as turn:
        page = browser.post(PATH, b"hi")
        sent = await stage.upstream.next()
        sent.begin(200, {})
    answer = await turn.answer()

    browser.stop(page)

    with pytest.raises(StreamBroken):
        await anext(answer)
    await sent.reset.wait()
    assert not browser.closed.is_set()


async def test_a_cancelled_abort_still_cuts(stage: Stage, browser: Browser) -> None:
    """A caller that is cancelled at the abort leaves no stream behind."""
    async with stage.expect(b"hi") as turn:
        browser.post(PATH, b"hi")
        sent = await stage.upstream.next()
        sent.begin(200, {})
    answer = await turn.answer()
    aborting = asyncio.create_task(answer.abort())
    await asyncio.sleep(0)
    aborting.cancel()

    await sent.reset.wait()


@pytest.fixture
async def upstream_h1(tmp_path: Path) -> AsyncGenerator[Upstream]:
    """Serve HTTP/1.1."""
    async with serving(tmp_path, alpn="http/1.1") as upstream:
        yield upstream


async def test_abort_towards_an_http1_upstream(upstream_h1: Upstream, ca_dir: Path) -> None:
    """Upstream's connection, which is this flow's alone, is closed; the page's neighbour goes on."""
    async with (
        running(rerouted(upstream_h1, ca_dir)) as proxy,
        browsing(proxy.port, ca_dir, RPC_HOST) as browser,
    ):
        neighbour = browser.post("/other", b"")
        other = await upstream_h1.next()
        async with proxy.expect(lambda body: body == b"hi", lambda body: body) as turn:
            page = browser.post(PATH, b"hi")
            sent = await upstream_h1.next()
            sent.begin(200, {})
        answer = await turn.answer()

        await answer.abort()

        await sent.reset.wait()
        await page.until_ended()
        other.answer(200, b"fine")
        await neighbour.until_ended()
        assert (page.reset, bytes(neighbour.body)) == (h2.errors.ErrorCodes.CANCEL, b"fine")


async def test_abort_towards_an_http1_browser(upstream_h1: Upstream, ca_dir: Path) -> None:
    """The browser's connection is closed, for a message can't be cut short otherwise."""
    async with (
        running(rerouted(upstream_h1, ca_dir)) as proxy,
        client_of(proxy.port, ca_dir, http2=False) as page,
        asyncio.TaskGroup() as tasks,
    ):
        async with proxy.expect(lambda body: body == b"hi", lambda body: body) as turn:
            posted = tasks.create_task(outcome(page))
            sent = await upstream_h1.next()
            sent.begin(200, {})
        answer = await turn.answer()

        await answer.abort()

        await sent.reset.wait()
        assert await posted == "RemoteProtocolError"


async def outcome(page: httpx.AsyncClient) -> str:
    """Post the prompt and name the error it ends in."""
    try:
        await page.post(RPC_URL, content=b"hi")
    except httpx.HTTPError as error:
        return type(error).__name__
    return "none"
