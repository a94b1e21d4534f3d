"""The intercepting proxy in front of somebody else's: what it reads goes through that one, and nothing else does."""

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import httpx
import pytest

from studiogate.errors import ConfigurationError
from studiogate_stream_intercept.certificates import TRUSTED_FILE
from studiogate_stream_intercept.destinations import PAGE_HOST, RPC_HOST, ProxySettings
from studiogate_stream_intercept.proxy import InterceptingProxy
from studiogate_studio.proxies import ForeignInterceptor, parse_upstream
from tests.connect_proxy import ConnectProxy, connect_proxy
from tests.helper_service import HelperService

from .conftest import PAGE_URL, RPC_URL, client_of, rerouted, running
from .upstream import HOST, Upstream, serving


@pytest.fixture
def between() -> Generator[ConnectProxy]:
    """Run a proxy that could read along and leaves everything encrypted."""
    with connect_proxy() as proxy:
        yield proxy


def before(port: int, settings: ProxySettings, ca: Path | None = None) -> ProxySettings:
    """Return settings of a proxy that stands before another one."""
    return attrs.evolve(settings, interceptor=ForeignInterceptor(host=HOST, port=port, ca=ca, plugin="helper"))


@asynccontextmanager
async def standing(settings: ProxySettings) -> AsyncGenerator[tuple[InterceptingProxy, httpx.AsyncClient]]:
    """Run the intercepting proxy with a page's client."""
    async with running(settings) as proxy, client_of(proxy.port, settings.ca_dir) as page:
        yield proxy, page


async def test_what_is_read_goes_through_it(upstream: Upstream, ca_dir: Path, between: ConnectProxy) -> None:
    """Every host of the page's, to the stand-in; an interceptor that reads nothing is no trouble."""
    async with standing(before(between.port, rerouted(upstream, ca_dir))) as (_, page):
        for host in (PAGE_HOST, RPC_HOST):
            answering = asyncio.create_task(page.get(f"https://{host}/x"))
            sent = await upstream.next()
            sent.answer(200, b"stand-in")

            assert (sent.host, (await answering).content) == (host, b"stand-in")

    assert between.targets() == {f"{HOST}:{upstream.port}"}


async def test_the_pages_hosts_are_asked_for_by_name(ca_dir: Path, between: ConnectProxy) -> None:
    """Also past the operator's own proxy, which hears of the other hosts only and whose login stays its own."""
    between.status = 503
    with connect_proxy(login="us:se-cret", status=503) as operators:
        upstream = parse_upstream(f"http://us:se-cret@{HOST}:{operators.port}")
        settings = before(between.port, ProxySettings(ca_dir=ca_dir, upstream=upstream))
        async with standing(settings) as (proxy, page):
            answer = await page.post(RPC_URL, content=b"{}")
            with pytest.raises(httpx.HTTPError):
                await page.get("https://fonts.gstatic.com/")
            trouble = proxy.trouble or ""

    assert answer.status_code == 502
    assert between.asked == [f"CONNECT {RPC_HOST}:443"]
    assert operators.asked == ["CONNECT fonts.gstatic.com:443"]
    assert f"The proxy http://{HOST}:{between.port} of helper refused a tunnel (503 No)." in trouble


async def test_passthrough_goes_its_own_way(upstream: Upstream, ca_dir: Path, between: ConnectProxy) -> None:
    """What isn't read here is for nobody else to read."""
    settings = ProxySettings(ca_dir=ca_dir, passthrough=("localhost",), ports={upstream.port})
    theirs = ssl.create_default_context(cafile=upstream.ca_file)
    async with running(before(between.port, settings)) as proxy:
        client = httpx.AsyncClient(http2=True, proxy=f"http://{HOST}:{proxy.port}", verify=theirs, trust_env=False)
        async with client, asyncio.TaskGroup() as page:
            answering = page.create_task(client.get(f"https://localhost:{upstream.port}/tunnel"))
            (await upstream.next()).answer(200, b"untouched")

    assert answering.result().content == b"untouched"
    assert between.asked == []


@asynccontextmanager
async def reading_along(folder: Path) -> AsyncGenerator[tuple[HelperService, Upstream]]:
    """Run an interceptor that decrypts, and a server behind it."""
    async with serving(folder, alpn="http/1.1") as upstream:
        service = HelperService(simulator=upstream.port, simulator_ca=upstream.ca_file, sapisid="x", ca=folder / "ca")
        async with service.serving(folder / "helper"):
            yield service, upstream


async def test_its_authority_is_trusted_where_it_is_named(tmp_path: Path, ca_dir: Path) -> None:
    """Two requests at once each get their own answer; a turn is bound and read as ever."""
    async with reading_along(tmp_path) as (service, upstream):
        settings = before(service.proxy_port, rerouted(upstream, ca_dir), service.ca)
        async with standing(settings) as (proxy, page):
            async with proxy.expect(lambda body: body == b"hi", lambda body: body + b" patched") as turn:
                answering = asyncio.create_task(page.post(RPC_URL, content=b"hi"))
                sent = await upstream.next()
                other = asyncio.create_task(page.get(PAGE_URL))
                (await upstream.next()).answer(200, b"page")
                sent.answer(200, b"fine")
            body = await (await turn.answer()).read_all()
            answers = [(await each).content for each in (answering, other)]

    assert body == b"fine"
    assert sent.body == b"hi patched"
    assert answers == [b"fine", b"page"]
    assert (ca_dir / TRUSTED_FILE).stat().st_mode & 0o077 == 0


async def test_an_authority_that_nobody_named_is_not_trusted(tmp_path: Path, ca_dir: Path) -> None:
    """Nothing of the page's reaches who presents it."""
    async with reading_along(tmp_path) as (service, upstream):
        async with standing(before(service.proxy_port, rerouted(upstream, ca_dir))) as (_, page):
            answer = await page.get(PAGE_URL)

        assert answer.status_code == 502
        assert upstream.arrived.empty()


async def test_an_authority_that_is_none_stops_the_start(tmp_path: Path, ca_dir: Path) -> None:
    """With the reason."""
    path = tmp_path / "ca.pem"
    path.write_text("x")

    with pytest.raises(ConfigurationError, match="can't be used: it holds no certificate"):
        async with running(before(1, ProxySettings(ca_dir=ca_dir), path)):
            pass


async def test_one_that_is_gone_is_told(upstream: Upstream, ca_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With who named it; nothing goes around it."""
    with connect_proxy() as gone:
        settings = before(gone.port, rerouted(upstream, ca_dir))
    async with standing(settings) as (proxy, page):
        assert (await page.get(PAGE_URL)).status_code == 502
        trouble = proxy.trouble or ""

    assert trouble.startswith(f"The proxy http://{HOST}:{gone.port} of helper can't be reached (")
    assert [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING] == [trouble]
    assert upstream.arrived.empty()
