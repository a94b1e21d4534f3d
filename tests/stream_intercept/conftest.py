"""A running proxy between an HTTP/2 client, which stands for the page, and an upstream that the test plays by hand."""

import ssl
import warnings
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import attrs
import httpx
import pytest

with warnings.catch_warnings():
    # mitmproxy 12.2 builds its grammars, at import, with names that pyparsing has since deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    import mitmproxy.addons  # noqa: F401  # pyright: ignore[reportUnusedImport]

from studiogate_stream_intercept.destinations import PAGE_HOST, RPC_HOST, ProxySettings, Reroute
from studiogate_stream_intercept.mitm import CA_FILE
from studiogate_stream_intercept.proxy import InterceptingProxy
from studiogate_stream_intercept.turns import Turn

from .upstream import HOST, Upstream, serving

PATH = "/$rpc/google.internal.alkali.applications.makersuite.v1.MakerSuiteService/GenerateContent"
RPC_URL = f"https://{RPC_HOST}{PATH}"
PAGE_URL = f"https://{PAGE_HOST}/"


@attrs.frozen(kw_only=True)
class Stage:
    """Everything a test needs: the proxy, the page's client, the upstream."""

    proxy: InterceptingProxy
    page: httpx.AsyncClient
    upstream: Upstream
    ca_dir: Path

    def expect(self, prompt: bytes) -> AbstractAsyncContextManager[Turn]:
        """Expect a body that contains the prompt, and send it on unchanged."""
        return self.proxy.expect(lambda body: prompt in body, lambda body: body)

    def client(self, *, http2: bool = True) -> httpx.AsyncClient:
        """Return a client of its own connection through the proxy, which trusts the proxy's CA only."""
        return client_of(self.proxy.port, self.ca_dir, http2=http2)


def client_of(port: int, ca_dir: Path, *, http2: bool = True) -> httpx.AsyncClient:
    """Return a client that goes through the proxy on `port`."""
    trust = ssl.create_default_context(cafile=ca_dir / CA_FILE)
    return httpx.AsyncClient(http2=http2, proxy=f"http://{HOST}:{port}", verify=trust, trust_env=False, timeout=20)


def rerouted(upstream: Upstream, ca_dir: Path) -> ProxySettings:
    """Return settings that send everything to the upstream."""
    return ProxySettings(ca_dir=ca_dir, reroute=Reroute(host=HOST, port=upstream.port, ca_file=upstream.ca_file))


@asynccontextmanager
async def running(settings: ProxySettings) -> AsyncGenerator[InterceptingProxy]:
    """Run a proxy for the length of the block."""
    proxy = InterceptingProxy(settings)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()


@pytest.fixture(scope="session")
def ca_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of one CA for all tests: making a key takes longer than most of them."""
    return tmp_path_factory.mktemp("installation") / "ca"


@pytest.fixture
async def upstream(tmp_path: Path) -> AsyncGenerator[Upstream]:
    """Serve HTTP/2."""
    async with serving(tmp_path) as upstream:
        yield upstream


@pytest.fixture
async def stage(upstream: Upstream, ca_dir: Path) -> AsyncGenerator[Stage]:
    """Set the whole path up: page, proxy, upstream, HTTP/2 throughout."""
    async with running(rerouted(upstream, ca_dir)) as proxy, client_of(proxy.port, ca_dir) as page:
        yield Stage(proxy=proxy, page=page, upstream=upstream, ca_dir=ca_dir)
