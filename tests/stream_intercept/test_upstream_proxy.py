"""The intercepting proxy behind another one: the operator's way to the network."""

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from studiogate.config import Config
from studiogate.errors import ConfigurationError
from studiogate.gateway import Gateway
from studiogate.plugins import PluginHost
from studiogate_stream_intercept.destinations import PAGE_HOST, RPC_HOST, ProxySettings
from studiogate_stream_intercept.proxy import InterceptingProxy
from studiogate_studio.proxies import parse_upstream
from tests.connect_proxy import ConnectProxy, connect_proxy

from .browser import browsing
from .conftest import PAGE_URL, PATH, RPC_URL, client_of, rerouted, running
from .upstream import HOST, Upstream


@pytest.fixture
def between() -> Generator[ConnectProxy]:
    """Run the operator's proxy, which asks for a login."""
    with connect_proxy(login="us er:se-cret:@") as proxy:
        yield proxy


def through(proxy: ConnectProxy, settings: ProxySettings, login: str = "us%20er:se-cret%3A%40@") -> ProxySettings:
    """Return settings that lead through the operator's proxy."""
    return attrs.evolve(settings, upstream=parse_upstream(f"http://{login}{HOST}:{proxy.port}"))


@asynccontextmanager
async def standing(settings: ProxySettings) -> AsyncGenerator[tuple[InterceptingProxy, httpx.AsyncClient]]:
    """Run the intercepting proxy with a page's client."""
    async with running(settings) as proxy, client_of(proxy.port, settings.ca_dir) as page:
        yield proxy, page


async def test_a_stand_in_is_reached_through_it(upstream: Upstream, ca_dir: Path, between: ConnectProxy) -> None:
    """Every host of the page goes to the stand-in, and every byte through the operator's proxy."""
    async with standing(through(between, rerouted(upstream, ca_dir))) as (_, page):
        for host in (PAGE_HOST, RPC_HOST, "accounts.google.com"):
            answering = asyncio.create_task(page.get(f"https://{host}/x"))
            sent = await upstream.next()
            sent.answer(200, b"stand-in")

            assert (sent.host, (await answering).content) == (host, b"stand-in")
            assert "proxy-authorization" not in sent.headers

    assert between.targets() == {f"{HOST}:{upstream.port}"}
    assert between.strangers == 0


async def test_the_pages_hosts_are_asked_for_by_name(ca_dir: Path, between: ConnectProxy) -> None:
    """Without a stand-in the operator's proxy is to resolve them; it sees the RPC's host."""
    between.status = 503
    async with standing(through(between, ProxySettings(ca_dir=ca_dir))) as (_, page):
        answer = await page.post(RPC_URL, content=b"{}")

    assert answer.status_code == 502
    assert between.asked == [f"CONNECT {RPC_HOST}:443"]


async def test_a_turn_is_bound_and_read_through_it(upstream: Upstream, ca_dir: Path, between: ConnectProxy) -> None:
    """Prompt and answer are those of the page, as without it."""
    async with standing(through(between, rerouted(upstream, ca_dir))) as (proxy, page):
        async with proxy.expect(lambda body: body == b"hi", lambda body: body + b" patched") as turn:
            answering = asyncio.create_task(page.post(RPC_URL, content=b"hi"))
            sent = await upstream.next()
            sent.answer(200, b"fine")
        assert await (await turn.answer()).read_all() == b"fine"

        assert sent.body == b"hi patched"
        assert (await answering).content == b"fine"


async def test_an_abort_reaches_the_server_through_it(upstream: Upstream, ca_dir: Path, between: ConnectProxy) -> None:
    """One stream is reset on both sides; its neighbours on the same connection go on."""
    settings = through(between, rerouted(upstream, ca_dir))
    async with running(settings) as proxy, browsing(proxy.port, ca_dir, RPC_HOST) as browser:
        async with proxy.expect(lambda body: body == b"a", lambda body: body) as turn:
            aborted = browser.post(PATH, b"a")
            await turn.sent()
        sent = await upstream.next()
        sent.begin(200, {})
        sent.send(b"half")
        answer = await turn.answer()
        other = browser.post("/other", b"")
        neighbour = await upstream.next()
        neighbour.begin(200, {})
        neighbour.send(b"one ")
        await other.until(b"one ")
        await answer.abort()
        await sent.reset.wait()
        await aborted.until_ended()
        neighbour.send(b"two")
        neighbour.end()
        await other.until_ended()

    assert aborted.reset is not None
    assert (bytes(other.body), other.reset) == (b"one two", None)


async def test_passthrough_stays_encrypted_through_it(upstream: Upstream, ca_dir: Path, between: ConnectProxy) -> None:
    """A host that isn't read is tunnelled twice: the client sees the host's own certificate."""
    settings = through(between, ProxySettings(ca_dir=ca_dir, passthrough=("localhost",), ports={upstream.port}))
    theirs = ssl.create_default_context(cafile=upstream.ca_file)
    async with running(settings) as proxy:
        client = httpx.AsyncClient(http2=True, proxy=f"http://{HOST}:{proxy.port}", verify=theirs, trust_env=False)
        async with client, asyncio.TaskGroup() as page:
            answering = page.create_task(client.get(f"https://localhost:{upstream.port}/tunnel"))
            (await upstream.next()).answer(200, b"untouched")

    assert answering.result().content == b"untouched"
    assert between.targets() == {f"localhost:{upstream.port}"}


@pytest.mark.parametrize("url", ["https://example.com/", f"https://{PAGE_HOST}:8443/"])
async def test_foreign_hosts_are_not_asked_for(ca_dir: Path, between: ConnectProxy, url: str) -> None:
    """What the page may not reach is refused here, before the operator's proxy hears of it."""
    async with standing(through(between, ProxySettings(ca_dir=ca_dir))) as (_, page):
        with pytest.raises(httpx.ProxyError, match="403"):
            await page.get(url)

    assert (between.asked, between.strangers) == ([], 0)


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\nhost: accounts.google.com\r\n\r\n", b"\x00raw"])
async def test_a_tunnel_without_tls_stays_here(ca_dir: Path, between: ConnectProxy, first: bytes) -> None:
    """Plain HTTP or raw bytes inside a tunnel don't leave either."""
    async with running(through(between, ProxySettings(ca_dir=ca_dir))) as proxy:
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        writer.write(b"CONNECT accounts.google.com:443 HTTP/1.1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(first)
        writer.write_eof()
        rest = await reader.read()
        writer.close()
        await writer.wait_closed()

    assert b" 200 " not in rest
    assert between.asked == []


def nowhere(_settings: ProxySettings, _host: str, _port: int) -> bool:
    """Forbid every destination."""
    return False


async def test_what_may_not_leave_is_not_asked_for(
    upstream: Upstream, ca_dir: Path, between: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last check holds behind an upstream proxy too: were all others to fail, it would hear nothing."""
    settings = through(between, rerouted(upstream, ca_dir))
    monkeypatch.setattr(ProxySettings, "may_reach", nowhere)
    async with standing(settings) as (_, page):
        answer = await page.get(PAGE_URL)

    assert answer.status_code == 502
    assert (between.asked, between.strangers) == ([], 0)


async def test_a_refused_login_is_told_without_it(
    upstream: Upstream, ca_dir: Path, between: ConnectProxy, caplog: pytest.LogCaptureFixture
) -> None:
    """The page gets an error, the log says whose fault it is once, and nobody says the password."""
    caplog.set_level(logging.DEBUG)
    settings = through(between, rerouted(upstream, ca_dir), "us:wro-ng@")
    async with standing(settings) as (_, page):
        answers = [await page.get(PAGE_URL) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [502, 502]
    assert between.asked == []
    told = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert told == [f"The upstream proxy http://{HOST}:{between.port} refused a tunnel (407 No)."]
    assert "wro-ng" not in caplog.text + repr(settings)


async def test_what_was_wrong_is_forgotten_when_something_gets_through(
    upstream: Upstream, ca_dir: Path, between: ConnectProxy
) -> None:
    """The next trouble is told anew."""
    between.status = 403
    async with standing(through(between, rerouted(upstream, ca_dir))) as (proxy, page):
        await page.get(PAGE_URL)
        before, between.status = proxy.trouble, 200
        answering = asyncio.create_task(page.get(PAGE_URL))
        (await upstream.next()).answer(200, b"fine")
        await answering
        after = proxy.trouble

    assert before == f"The upstream proxy http://{HOST}:{between.port} refused a tunnel (403 No)."
    assert after is None


async def test_an_upstream_proxy_that_is_gone_is_told(
    upstream: Upstream, ca_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Once while it lasts; /health has it as long."""
    with connect_proxy() as proxy:
        settings = through(proxy, rerouted(upstream, ca_dir), "")
    assert settings.upstream
    async with standing(settings) as (intercepting, page):
        for _ in range(2):
            assert (await page.get(PAGE_URL)).status_code == 502
        trouble = intercepting.trouble

    told = [each.getMessage() for each in caplog.records if each.name.startswith("studiogate")]
    assert told == [trouble]
    assert told[0].startswith(f"The upstream proxy {settings.upstream.url} can't be reached (")


def config(upstream_proxy: str, **environ: str) -> Config:
    """Make a configuration of this plugin behind an upstream proxy."""
    tables: dict[str, dict[str, Any]] = {"studio": {"upstream_proxy": upstream_proxy}} if upstream_proxy else {}
    return Config(path=Path("/somewhere/plugins.toml"), plugins=("stream_intercept",), tables=tables, environ=environ)


@pytest.mark.parametrize(
    "made", [config("socks5://127.0.0.1:1080"), config("", UNIFIED_PROXY_CONFIG="socks5://127.0.0.1:1080")]
)
async def test_socks_is_refused_at_the_start(made: Config) -> None:
    """This plugin can't go through one; the message says what can be done."""
    gateway = Gateway(made, PluginHost(made))

    with pytest.raises(
        ConfigurationError, match=r"stream_intercept can't go through a SOCKS proxy\. Name an HTTP proxy"
    ):
        async with gateway.lifespan():
            pass
