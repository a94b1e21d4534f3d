"""The proxy's life, and the walls around it."""

import asyncio
import socket
import ssl
import stat
from pathlib import Path

import attrs
import httpx
import pytest

from studiogate.errors import ConfigurationError
from studiogate_stream_intercept import mitm
from studiogate_stream_intercept.destinations import PAGE_HOST, RPC_HOST, ProxySettings
from studiogate_stream_intercept.errors import StreamBroken
from studiogate_stream_intercept.mitm import CA_FILE
from studiogate_stream_intercept.proxy import InterceptingProxy
from studiogate_stream_intercept.turns import Turn
from studiogate_studio.proxies import ProxyLogin

from .browser import browsing
from .conftest import PAGE_URL, PATH, RPC_URL, Stage, client_of, rerouted, running
from .upstream import HOST, Upstream


@pytest.mark.parametrize("url", ["https://example.com/", "https://evilgoogle.com/", f"https://{PAGE_HOST}:8443/"])
async def test_foreign_hosts_and_ports_are_refused(stage: Stage, url: str) -> None:
    """CONNECT to what is not on the list is a 403, and nothing is opened."""
    with pytest.raises(httpx.ProxyError, match="403"):
        await stage.page.get(url)

    assert stage.upstream.hellos == 0


@pytest.mark.parametrize("host", ["example.com", PAGE_HOST])
async def test_plain_http_is_refused(stage: Stage, host: str) -> None:
    """Without TLS nothing passes, not to the page's own host either."""
    response = await stage.page.get(f"http://{host}/")

    assert response.status_code == 403
    assert stage.upstream.hellos == 0


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\nhost: accounts.google.com\r\n\r\n", b"\x00raw"])
async def test_a_tunnel_without_tls_is_refused(stage: Stage, first: bytes) -> None:
    """Plain HTTP or raw bytes inside a tunnel reach nobody, whatever host it was opened to."""
    reader, writer = await asyncio.open_connection(HOST, stage.proxy.port)
    writer.write(b"CONNECT accounts.google.com:443 HTTP/1.1\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    writer.write(first)
    writer.write_eof()
    rest = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert b" 200 " not in rest
    assert stage.upstream.hellos == 0


async def test_reroute_keeps_the_host(stage: Stage) -> None:
    """Every host goes to the stand-in, passthrough ones too, and it is told which was meant."""
    for host in (PAGE_HOST, "accounts.google.com", "www.gstatic.com"):
        answering = asyncio.create_task(stage.page.get(f"https://{host}/x?y=1"))
        sent = await stage.upstream.next()
        sent.answer(200, b"stand-in")

        assert (sent.host, sent.path, (await answering).content) == (host, "/x?y=1", b"stand-in")


async def test_the_stand_in_is_verified(upstream: Upstream, ca_dir: Path) -> None:
    """A server that does not have the expected certificate gets no request."""
    settings = rerouted(upstream, ca_dir)
    assert settings.reroute is not None
    foreign = attrs.evolve(settings, reroute=attrs.evolve(settings.reroute, ca_file=ca_dir / "mitmproxy-ca.pem"))
    async with running(foreign) as proxy, client_of(proxy.port, ca_dir) as page:
        response = await page.get(PAGE_URL)

    assert response.status_code == 502
    assert upstream.arrived.empty()


async def test_passthrough_is_not_decrypted(upstream: Upstream, ca_dir: Path) -> None:
    """The client of a passthrough host sees that host's own certificate, not ours."""
    settings = ProxySettings(ca_dir=ca_dir, passthrough=("localhost",), ports={upstream.port})
    theirs = ssl.create_default_context(cafile=upstream.ca_file)
    async with running(settings) as proxy:
        url = f"https://localhost:{upstream.port}/tunnel"
        through = httpx.AsyncClient(http2=True, proxy=f"http://{HOST}:{proxy.port}", verify=theirs, trust_env=False)
        async with through, asyncio.TaskGroup() as page:
            answering = page.create_task(through.get(url))
            (await upstream.next()).answer(200, b"untouched")

    assert answering.result().content == b"untouched"


async def test_a_taken_port_is_said_so(ca_dir: Path) -> None:
    """The start fails with the port's number, and a later one works."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        proxy = InterceptingProxy(ProxySettings(ca_dir=ca_dir, port=port))

        with pytest.raises(ConfigurationError, match=f"port {port}"):
            await proxy.start()

    await proxy.start()
    assert proxy.port == port
    await proxy.stop()


async def test_one_proxy_per_process(stage: Stage, ca_dir: Path) -> None:
    """Mitmproxy would mix two up without a word."""
    with pytest.raises(ConfigurationError, match="only one"):
        await InterceptingProxy(ProxySettings(ca_dir=ca_dir)).start()


async def test_start_after_stop(upstream: Upstream, ca_dir: Path) -> None:
    """The same proxy can be started again, with the same CA; stopping twice is fine."""
    proxy = InterceptingProxy(rerouted(upstream, ca_dir))
    fingerprints: set[str] = set()
    for _ in range(2):
        await proxy.start()
        fingerprints.add(proxy.spki)
        async with client_of(proxy.port, ca_dir) as page, asyncio.TaskGroup() as tasks:
            async with proxy.expect(lambda body: body == b"hi", lambda body: body) as turn:
                tasks.create_task(page.post(RPC_URL, content=b"hi"))
                (await upstream.next()).answer(200, b"fine")
            assert await (await turn.answer()).read_all() == b"fine"
        await proxy.stop()
        await proxy.stop()

    assert len(fingerprints) == 1
    with pytest.raises(RuntimeError):
        _ = proxy.port


async def test_stop_breaks_what_is_open(stage: Stage) -> None:
    """A stream, an answer without headers and a prompt still unsent all end; nobody is left waiting."""
    port = stage.proxy.port
    turns: list[Turn] = []
    async with browsing(port, stage.ca_dir, RPC_HOST) as browser:
        for prompt in (b"streaming", b"silent"):
            async with stage.expect(prompt) as turn:
                browser.post(PATH, prompt)
                await turn.sent()
            turns.append(turn)
        sent = await stage.upstream.next()
        sent.begin(200, {})
        sent.send(b"half")
        answer = await turns[0].answer()
        async with stage.expect(b"unsent") as unsent:
            waiting = [asyncio.create_task(step) for step in (answer.read_all(), turns[1].answer(), unsent.sent())]
            await stage.proxy.stop()
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        await browser.closed.wait()

    assert [str(outcome) for outcome in outcomes] == ["the proxy stopped"] * 3
    assert all(isinstance(outcome, StreamBroken) for outcome in outcomes)
    await sent.reset.wait()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, port)


async def test_the_loop_stays_as_it_was(ca_dir: Path) -> None:
    """Neither the task factory nor the exception handler of the gateway's loop is replaced."""
    loop = asyncio.get_running_loop()
    before = (loop.get_task_factory(), loop.get_exception_handler())
    async with running(ProxySettings(ca_dir=ca_dir)):
        assert (loop.get_task_factory(), loop.get_exception_handler()) == before


async def test_keys_stay_private_while_it_runs(stage: Stage) -> None:
    """Mitmproxy adds nothing to the folder that others can read."""
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in stage.ca_dir.iterdir()}

    assert set(modes.values()) == {0o600}


async def test_a_connection_that_does_not_close(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The stop goes on without it, and says so."""
    monkeypatch.setattr(mitm, "_STOP_S", 0.0)
    async with browsing(stage.proxy.port, stage.ca_dir, RPC_HOST):
        await stage.proxy.stop()

    assert "did not close" in caplog.text


LOGIN = ProxyLogin(username="us", password="secret")


@pytest.mark.parametrize("auth", [None, ("us", "wrong"), ("them", "secret"), ("us", "")])
async def test_who_does_not_know_the_login_gets_nothing(
    upstream: Upstream, ca_dir: Path, auth: tuple[str, str] | None
) -> None:
    """A stranger on this machine is challenged, at a tunnel and at a plain request, and nothing is opened."""
    async with running(attrs.evolve(rerouted(upstream, ca_dir), login=LOGIN)) as proxy:
        through = httpx.Proxy(f"http://{HOST}:{proxy.port}", auth=auth)
        async with httpx.AsyncClient(proxy=through, trust_env=False) as stranger:
            with pytest.raises(httpx.ProxyError, match="407"):
                await stranger.get(PAGE_URL)
            plain = await stranger.get(f"http://{PAGE_HOST}/")

    assert plain.status_code == 407
    assert plain.headers["proxy-authenticate"].startswith("Basic ")
    assert upstream.hellos == 0


async def test_who_knows_the_login_is_served(upstream: Upstream, ca_dir: Path) -> None:
    """The login opens the tunnel, and upstream never sees it; plain requests are still refused."""
    trust = ssl.create_default_context(cafile=ca_dir / CA_FILE)
    async with running(attrs.evolve(rerouted(upstream, ca_dir), login=LOGIN)) as proxy:
        through = httpx.Proxy(f"http://{HOST}:{proxy.port}", auth=("us", "secret"))
        async with httpx.AsyncClient(http2=True, proxy=through, verify=trust, trust_env=False) as page:
            answering = asyncio.create_task(page.get(PAGE_URL))
            sent = await upstream.next()
            sent.answer(200, b"fine")
            assert (await answering).content == b"fine"
            plain = await page.get(f"http://{PAGE_HOST}/")

    assert "proxy-authorization" not in sent.headers
    assert plain.status_code == 403
    assert "secret" not in repr(LOGIN)
