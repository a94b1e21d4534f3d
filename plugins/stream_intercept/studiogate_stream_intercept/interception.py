"""mitmproxy's hooks: what passes is compared with the settings and the turns, and treated as they say.

Four checks keep other traffic out: who doesn't know the login is refused (mitmproxy's own `proxyauth` doesn't compare
in constant time, and names itself), CONNECT to a foreign host is refused, a request outside a decrypted tunnel is
refused, and no connection is opened but to where `ProxySettings.may_connect` agrees (`upstream.py` checks what an
upstream proxy is asked for). Bodies are looked at for the RPC only; every other request and response streams through
unbuffered, a file's upload too.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable

from mitmproxy import connection, http
from mitmproxy.proxy import layer
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.tls import ClientHelloData

from studiogate_stream_intercept.abort import make_abortable
from studiogate_stream_intercept.destinations import ProxySettings, Verdict
from studiogate_stream_intercept.mitm import go_through, plain_headers
from studiogate_stream_intercept.turns import Bound, Refused, Turn, Turns

logger = logging.getLogger(__name__)


class Interception:
    """The addon. Its public methods are mitmproxy's hooks of those names; it must come after mitmproxy's own addons."""

    def __init__(
        self, settings: ProxySettings, turns: Turns, cut: Callable[[http.HTTPFlow], asyncio.Task[None]]
    ) -> None:
        self._settings = settings
        self._turns = turns
        self._cut = cut
        self._authorization = settings.login.authorization.encode() if settings.login else None
        self._bound: dict[str, tuple[http.HTTPFlow, Turn]] = {}

    def http_connect(self, flow: http.HTTPFlow) -> None:
        """Refuse tunnels to foreign hosts and ports, before anything is resolved or opened."""
        host, port = flow.request.host, flow.request.port
        if not self._may_use(flow):
            return
        if port not in self._settings.ports or self._settings.verdict(host) is Verdict.REFUSE:
            logger.debug("Refused a tunnel to %s:%d.", host, port)
            flow.response = _refusal(flow, 403, "This host is not served here.")

    def tls_clienthello(self, data: ClientHelloData) -> None:
        """Leave the bytes of passthrough hosts alone."""
        address = data.context.server.address
        if address is not None and self._settings.verdict(address[0]) is Verdict.TUNNEL:
            data.ignore_connection = True

    def next_layer(self, next_layer: layer.NextLayer) -> None:
        """Give decrypted connections a layer whose streams can be aborted."""
        make_abortable(next_layer)

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Stop a connection that should not leave, whichever way it came to be."""
        address = data.server.address
        if address is None or not self._settings.may_connect(address[0], address[1]):
            data.server.error = "This destination is not served here."

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Refuse plain HTTP, in a tunnel or not; let requests that are not the RPC's through as they come."""
        if not flow.client_conn.tls_established:
            if self._may_use(flow):
                logger.debug("Refused a plain request to %s.", flow.request.host)
                flow.response = _refusal(flow, 403, "Only HTTPS is served here.")
        elif not self._is_rpc(flow):
            # Here and not in `request`, which comes after a streamed body.
            self._reroute(flow)
            flow.request.stream = True

    def request(self, flow: http.HTTPFlow) -> None:
        """Bind or refuse the RPC's requests."""
        if flow.response is None and self._is_rpc(flow):
            self._admit(flow)
            self._reroute(flow)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Start the tee on a turn's answer; let other answers through as they come."""
        response = flow.response
        if response is None:
            return
        bound = self._bound.get(flow.id)
        if bound is None:
            response.stream = True
            return
        turn = bound[1]
        turn.begin(response.status_code, plain_headers(response.headers))
        response.stream = turn.tap

    def response(self, flow: http.HTTPFlow) -> None:
        """End a turn whose answer had no body and so never met the tap."""
        self._end(flow, None)

    def error(self, flow: http.HTTPFlow) -> None:
        """End a turn whose flow failed on either side, ours included."""
        self._end(flow, flow.error.msg if flow.error else "the flow failed")

    def client_disconnected(self, client: connection.Client) -> None:
        """End what is left of a browser connection's turns; normally each flow has reported its own error."""
        for flow, _ in tuple(self._bound.values()):
            if flow.client_conn is client:
                self._end(flow, "the browser closed its connection")

    def _may_use(self, flow: http.HTTPFlow) -> bool:
        """Tell whether this is the login's owner; challenges whoever is not."""
        said = plain_headers(flow.request.headers).get("proxy-authorization", "")
        if self._authorization is None or secrets.compare_digest(said.encode(), self._authorization):
            return True
        flow.response = _refusal(flow, 407, "This proxy is its gateway's own.")
        flow.response.headers["proxy-authenticate"] = 'Basic realm="studiogate"'
        return False

    def _is_rpc(self, flow: http.HTTPFlow) -> bool:
        """Tell a request that carries a prompt; asked before it is sent elsewhere."""
        request = flow.request
        return self._settings.is_rpc(request.method, request.host, request.path)

    def _reroute(self, flow: http.HTTPFlow) -> None:
        """Send a request to the stand-in, if there is one, and through the other interceptor, if there is one."""
        if self._settings.interceptor is not None:
            go_through(flow, self._settings.interceptor.address)
        reroute, request = self._settings.reroute, flow.request
        if reroute is not None:
            # Setting the host rewrites the Host header, by which the stand-in tells its roles apart.
            named = request.host_header
            request.scheme, request.host, request.port = "https", reroute.host, reroute.port
            request.host_header = named

    def _admit(self, flow: http.HTTPFlow) -> None:
        verdict = self._turns.admit(flow.request.get_content(strict=False) or b"", lambda: self._cut(flow))
        match verdict:
            case Bound(turn=turn, body=body):
                self._bound[flow.id] = flow, turn
                flow.request.content = body
                # The tap sees the bytes as they are on the wire; compressed ones would only have to be undone.
                flow.request.headers["accept-encoding"] = "identity"
            case Refused(status=status, reason=reason):
                logger.warning("Refused a prompt of the page (%d): %s.", status, reason)
                flow.response = _refusal(flow, status, reason)
            case None:
                logger.debug("A prompt that is not ours passed untouched.")

    def _end(self, flow: http.HTTPFlow, reason: str | None) -> None:
        bound = self._bound.pop(flow.id, None)
        if bound is not None:
            bound[1].end(reason)


def _refusal(flow: http.HTTPFlow, status: int, reason: str) -> http.Response:
    """Make an answer of our own, readable across origins: to the page it must not look like a network fault."""
    headers = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store"}
    origin = plain_headers(flow.request.headers).get("origin")
    if origin is not None:
        headers |= {"access-control-allow-origin": origin, "access-control-allow-credentials": "true"}
    return http.Response.make(status, f"{reason}\n".encode(), headers)
