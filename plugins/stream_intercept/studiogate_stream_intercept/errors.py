"""What goes wrong between the page and its RPC, as the proxy sees it.

    TransportError            never raised directly
    ├── RequestMismatch       the page sent something else than was typed; nothing went upstream
    └── StreamBroken          the answer ended before its end: connection lost, aborted, or the proxy stopped

    studiogate.errors.ConfigurationError
    └── PortTaken             another program listens on the proxy's port

A CA folder that can't be used is a `ConfigurationError` too.
No message here holds a prompt, a header or an answer.
"""

from studiogate.errors import ConfigurationError, StudiogateError


class TransportError(StudiogateError):
    """Base of what the proxy raises; never raised directly."""


class RequestMismatch(TransportError):  # noqa: N818 - a verdict, as the gateway's own are
    """Raised by `Turn.sent`: the page submitted something that the expectation does not recognise."""


class StreamBroken(TransportError):  # noqa: N818 - what happened, as httpx's StreamClosed
    """Raised where an answer was waited for: it will not come, or not to its end."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PortTaken(ConfigurationError):  # noqa: N818 - what is the case
    """Raised at the start: the port that the operator named is another program's."""
