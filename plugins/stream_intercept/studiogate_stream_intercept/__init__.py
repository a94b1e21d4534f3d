"""Tier 1: answers read from AI Studio's own RPC stream, as mitmproxy sees it pass between the page and its server."""

import logging
import secrets
import socket
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, ClassVar

from studiogate.errors import ConfigurationError, Declined
from studiogate.events import Event
from studiogate.health import Health
from studiogate.hookspecs import hookimpl
from studiogate.models import Model
from studiogate.params import Params
from studiogate_stream_intercept.errors import PortTaken
from studiogate_stream_intercept.settings import StreamInterceptSettings
from studiogate_studio import BrowserLaunch, Studio, StudioSettings
from studiogate_studio.params import fit
from studiogate_studio.proxies import SOCKS, ProxyLogin, UpstreamProxy, interceptor_of
from studiogate_studio.wire import SWITCHES

if TYPE_CHECKING:
    from studiogate.checks import Check
    from studiogate.exchange import Exchange
    from studiogate.gateway import Gateway
    from studiogate_stream_intercept.answering import Answering
    from studiogate_stream_intercept.destinations import Reroute
    from studiogate_stream_intercept.proxy import InterceptingProxy

__all__ = ["StreamIntercept", "StreamInterceptSettings"]

log = logging.getLogger(__name__)

PROXY_HOST = "127.0.0.1"


class StreamIntercept:
    """The backend `stream_intercept`: a proxy, and the page's traffic through it."""

    settings: ClassVar[type[StreamInterceptSettings]] = StreamInterceptSettings
    requires: ClassVar[tuple[str, ...]] = ("studio",)

    def __init__(self, settings: StreamInterceptSettings) -> None:
        self.options = settings
        """This plugin's settings; `settings` is their class."""
        self._proxy: InterceptingProxy | None = None
        self._login: ProxyLogin | None = None
        self._answering: Answering | None = None
        self._studio: Studio | None = None
        self._inactive: str | None = None
        """Why there is no proxy although others can answer; None while there is one, or none yet."""

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, gateway: "Gateway") -> AsyncGenerator[None]:
        """Run the proxy from before the browser starts until after the last exchange."""
        from studiogate_stream_intercept.answering import Answering  # noqa: PLC0415 - mitmproxy takes a second to import
        from studiogate_stream_intercept.destinations import ProxySettings  # noqa: PLC0415
        from studiogate_stream_intercept.proxy import InterceptingProxy  # noqa: PLC0415

        self._studio = gateway.plugin(Studio)
        studio = self._studio.options
        self._login = ProxyLogin(username="studiogate", password=secrets.token_urlsafe())
        proxy = InterceptingProxy(
            ProxySettings(
                ca_dir=gateway.settings.state_dir / "stream_intercept",
                listen_host=PROXY_HOST,
                port=self.options.port,
                login=self._login,
                hosts=frozenset({studio.page_host, studio.rpc_host}),
                rpc_host=studio.rpc_host,
                passthrough=self.options.passthrough,
                buffer_limit=self.options.buffer_bytes,
                reroute=_reroute(studio),
                upstream=_upstream(studio),
                interceptor=interceptor_of(gateway.plugins),
            )
        )
        try:
            await proxy.start()
        except PortTaken as taken:
            if gateway.follows or len(gateway.chain.backends) == 1:
                # A reload that is refused leaves the proxy that runs, and most likely has the port.
                raise
            # The others answer meanwhile.
            log.warning("stream_intercept is inactive: %s", taken)
            self._inactive = str(taken)
            yield
            return
        self._proxy, self._answering = proxy, Answering(proxy=proxy, tail_s=self.options.tail_s)
        try:
            yield
        finally:
            self._proxy = self._answering = None
            await proxy.stop()

    @hookimpl
    def check(self) -> "tuple[Check, ...]":
        """Look whether the proxy's port is free, where it is a fixed one."""
        from studiogate.checks import Check  # noqa: PLC0415 - a command's only

        if not self.options.port:
            return ()
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free = probe.connect_ex((PROXY_HOST, self.options.port)) != 0
        said = f"{self.options.port} is {'free' if free else 'taken, perhaps by a gateway that runs'}."
        return (Check(what="port", ok=free, said=said, advice=None if free else "Stop it, or choose another port."),)

    @hookimpl
    async def configure_browser(self, launch: BrowserLaunch) -> None:
        """Lead the browser through the proxy and have it trust the proxy's certificates, and no others."""
        if self._proxy is not None:
            launch.proxy = f"http://{PROXY_HOST}:{self._proxy.port}"
            launch.proxy_login = self._login
            launch.trusted_spkis.append(self._proxy.spki)

    @hookimpl
    def apply_params(self, params: Params, model: Model | None) -> Params:
        """Fit the parameters to the model; all that it takes are patched into the page's request."""
        return fit(params, model)

    @hookimpl
    async def fetch_response(self, exchange: "Exchange") -> AsyncGenerator[Event]:
        """Submit the prompt in a tab and yield what the page's stream says."""
        from studiogate_studio.tabs import lease_for  # noqa: PLC0415 - brings Playwright

        if self._answering is None or self._studio is None:
            raise Declined(self._inactive or "the proxy is not running")
        if strange := sorted(exchange.plan.switches.keys() - SWITCHES.keys()):
            raise Declined(f"AI Studio has no tool {strange[0]}")
        self._studio.model_of(exchange)
        tab = await lease_for(exchange, self._studio.pool)
        # Looked up once more: the first tab of all brings the list.
        model = self._studio.model_of(exchange)
        async with aclosing(self._answering.answer(exchange, tab, model)) as events:
            async for event in events:
                yield event

    @hookimpl
    def health(self) -> Health:
        """Return whether the proxy listens, and what is wrong with the one behind it."""
        if self._proxy is None:
            return Health(ready=False, status="inactive" if self._inactive else "stopped", advice=self._inactive)
        return Health(ready=True, status="listening", advice=self._proxy.trouble, details={"port": self._proxy.port})


def _reroute(studio: StudioSettings) -> "Reroute | None":
    from studiogate_stream_intercept.destinations import Reroute  # noqa: PLC0415 - see lifespan

    if studio.reroute is None:
        return None
    if studio.reroute_ca is None:
        raise ConfigurationError("[studio] reroute_ca: is required with reroute; nothing unverified is connected to.")
    host, _, port = studio.reroute.rpartition(":")
    return Reroute(host=host.strip("[]"), port=int(port), ca_file=studio.reroute_ca)


def _upstream(studio: StudioSettings) -> UpstreamProxy | None:
    if studio.upstream is not None and studio.upstream.scheme == SOCKS:
        raise ConfigurationError(
            "[studio] upstream_proxy (UNIFIED_PROXY_CONFIG): stream_intercept can't go through a SOCKS proxy. Name an "
            "HTTP proxy, which most SOCKS proxies are too, or take stream_intercept out of plugins."
        )
    return studio.upstream
