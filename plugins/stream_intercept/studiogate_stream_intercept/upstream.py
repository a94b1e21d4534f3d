"""The proxies behind this one: the operator's own, and somebody else's that reads AI Studio's traffic.

Every connection through one of them is a tunnel that is asked for there: by name, so that nothing is resolved here,
also for hosts that are not read, and for a stand-in. mitmproxy only says where to go (its upstream mode, or a flow's
`via`); the login, the check of the destination, and telling what is wrong are done here.
"""

import logging
from collections.abc import Callable

from mitmproxy import http
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from studiogate_stream_intercept.destinations import ProxySettings
from studiogate_studio.proxies import ProxyLogin

logger = logging.getLogger(__name__)

_REFUSED = "refused HTTP CONNECT request: "
"""How mitmproxy puts it; the proxy's address comes before, its answer after."""

type Address = tuple[str, int]


class ThroughOthers:
    """The addon. Its public methods are mitmproxy's hooks of those names."""

    def __init__(self, settings: ProxySettings, drop_server: Callable[[http.HTTPFlow], None]) -> None:
        """Take what is needed.

        :param drop_server: closes a flow's server connection before anything is written to it.
        """
        self._settings = settings
        self._drop_server = drop_server
        self._names: dict[Address, str] = {}
        self._logins: dict[Address, ProxyLogin] = {}
        self._troubles: dict[Address, str] = {}
        if upstream := settings.upstream:
            self._names[upstream.host, upstream.port] = f"The upstream proxy {upstream.url}"
            if upstream.login is not None:
                self._logins[upstream.host, upstream.port] = upstream.login
        if other := settings.interceptor:
            self._names[other.address] = f"The proxy {other.url} of {other.plugin}"

    @property
    def trouble(self) -> str | None:
        """Return why nothing gets through, as far as known; None when something last did."""
        return " ".join(self._troubles.values()) or None

    def http_connect_upstream(self, flow: http.HTTPFlow) -> None:
        """Ask for no destination that the settings don't allow, and log in: the last check before bytes leave."""
        if not self._settings.may_reach(flow.request.host, flow.request.port):
            self._drop_server(flow)
        elif login := self._logins.get(_address(flow.server_conn.address)):
            flow.request.headers["proxy-authorization"] = login.authorization

    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        """Tell that a proxy can't be reached."""
        if (address := _address(data.server.address)) in self._names:
            self._tell(address, f"can't be reached ({data.server.error})")

    def error(self, flow: http.HTTPFlow) -> None:
        """Tell that a proxy refused a tunnel."""
        before, refused, answer = (flow.error.msg if flow.error else "").partition(_REFUSED)
        if refused:
            for address in self._names:
                if f"{address[0]}:{address[1]} " in before.replace("[", "").replace("]", ""):
                    self._tell(address, f"refused a tunnel ({answer})")

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Note that something got through."""
        if flow.server_conn.via is not None:
            self._troubles.pop(_address(flow.server_conn.via[1]), None)

    def _tell(self, address: Address, what: str) -> None:
        """Log a trouble when it begins, not each time it is met."""
        trouble = f"{self._names[address]} {what}."
        if self._troubles.get(address) != trouble:
            logger.warning("%s", trouble)
        self._troubles[address] = trouble


def _address(address: "tuple[str, int] | tuple[str, int, int, int] | None") -> Address:
    return ("", 0) if address is None else (address[0], address[1])
