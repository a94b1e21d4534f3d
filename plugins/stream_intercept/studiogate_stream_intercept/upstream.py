"""The operator's own proxy between this one and the network (mitmproxy's upstream mode).

Every connection is a tunnel that is asked for there: by name, so that nothing is resolved here, also for hosts that are
not read, and for a stand-in. mitmproxy only says where to go; the login, the check of the destination, and telling what
is wrong are done here.
"""

import logging
from collections.abc import Callable

from mitmproxy import http
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from studiogate_stream_intercept.destinations import ProxySettings
from studiogate_studio.proxies import UpstreamProxy

logger = logging.getLogger(__name__)

_REFUSED = "refused HTTP CONNECT request: "
"""How mitmproxy puts it; what follows is the proxy's answer."""


class ThroughUpstream:
    """The addon. Its public methods are mitmproxy's hooks of those names."""

    def __init__(
        self, settings: ProxySettings, upstream: UpstreamProxy, drop_server: Callable[[http.HTTPFlow], None]
    ) -> None:
        """Take what is needed.

        :param drop_server: closes a flow's server connection before anything is written to it.
        """
        self._settings = settings
        self._upstream = upstream
        self._drop_server = drop_server
        self.trouble: str | None = None
        """Why nothing gets through, as far as known; None when something last did."""

    def http_connect_upstream(self, flow: http.HTTPFlow) -> None:
        """Ask for no destination that the settings don't allow, and log in: the last check before bytes leave."""
        if not self._settings.may_reach(flow.request.host, flow.request.port):
            self._drop_server(flow)
        elif self._upstream.login is not None:
            flow.request.headers["proxy-authorization"] = self._upstream.login.authorization

    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        """Tell that the upstream proxy can't be reached."""
        if data.server.address == (self._upstream.host, self._upstream.port):
            self._tell(f"can't be reached ({data.server.error})")

    def error(self, flow: http.HTTPFlow) -> None:
        """Tell that the upstream proxy refused a tunnel."""
        _, refused, answer = (flow.error.msg if flow.error else "").partition(_REFUSED)
        if refused:
            self._tell(f"refused a tunnel ({answer})")

    def responseheaders(self, _: http.HTTPFlow) -> None:
        """Note that something got through."""
        self.trouble = None

    def _tell(self, what: str) -> None:
        """Log a trouble when it begins, not each time it is met."""
        trouble = f"The upstream proxy {self._upstream.url} {what}."
        if trouble != self.trouble:
            logger.warning("%s", trouble)
        self.trouble = trouble
