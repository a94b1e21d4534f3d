"""Abort one streaming flow and nothing else.

Theory of operation. mitmproxy has no such thing: `flow.kill()` is looked at only between hooks, so a streaming flow
never notices, and cancelling a transport takes every HTTP/2 neighbour on it along. But its layers know exactly what
to do when one stream fails, so an event carries that failure in. `AbortStream` is a `MessageInjected`, which the outer
layers (CONNECT, TLS) route to the HTTP layer of the flow's connection; the subclass below turns it into two failures
of that stream: the request's, which resets it upstream, and the response's, which resets it in the browser.

What the two sides see depends on their HTTP version, each on its own:
- HTTP/2: RST_STREAM (CANCEL) for this stream; the connection and its other streams go on.
- HTTP/1.1: the connection is closed, since a message can't be cut short otherwise. It carried this flow only.

A flow that still waits for its upstream connection or its hooks is cut as soon as those are done.

This leans on private parts of mitmproxy 12.2; `tests/stream_intercept/test_abort.py` pins them, and the dependency is
held to 12.2.
"""

from mitmproxy import http
from mitmproxy.proxy import events, layer
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode, HttpStream
from mitmproxy.proxy.layers.http._events import ErrorCode, RequestProtocolError, ResponseProtocolError

_MESSAGE = "aborted by the gateway"


class AbortStream(events.MessageInjected[None]):
    """Tell the HTTP layer of a flow's connection to fail that flow's stream."""

    def __init__(self, flow: http.HTTPFlow) -> None:
        super().__init__(flow, None)


class AbortableHttpLayer(HttpLayer):
    """The HTTP layer inside a decrypted connection, with one more event."""

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, AbortStream):
            yield from self._abort(event)
        else:
            yield from super()._handle_event(event)

    def _abort(self, event: AbortStream) -> layer.CommandGenerator[None]:
        stream = next((stream for stream in self.streams.values() if _flow_of(stream) is event.flow), None)
        if stream is None:
            return
        number = stream.stream_id
        yield from self.event_to_child(stream, RequestProtocolError(number, _MESSAGE, ErrorCode.CANCEL))
        browser = self.connections[self.context.client]
        yield from self.event_to_child(browser, ResponseProtocolError(number, _MESSAGE, ErrorCode.CANCEL))


def make_abortable(next_layer: layer.NextLayer) -> None:
    """Swap the class of a freshly chosen HTTP layer; for the `next_layer` hook, after mitmproxy's own addon.

    Only the layer inside a tunnel: the outer one, which reads CONNECT, has to route the event like any other.
    """
    chosen = next_layer.layer
    if type(chosen) is HttpLayer and chosen.mode is HTTPMode.transparent:
        chosen.__class__ = AbortableHttpLayer


def _flow_of(stream: HttpStream) -> http.HTTPFlow | None:
    """Return a stream's flow; one whose request headers are still being read has none."""
    return getattr(stream, "flow", None)
