"""The `[stream_intercept]` table of plugins.toml."""

import attrs

from studiogate.environment import Variable, read_int
from studiogate.strict import positive, within
from studiogate_stream_intercept.destinations import PASSTHROUGH


def _off_for_zero(text: str) -> bool | None:
    """Read the older guide's port as a switch: 0 is off, any other says nothing of it."""
    return False if read_int(text) == 0 else None


@attrs.frozen(kw_only=True)
class StreamInterceptSettings:
    """Configure the proxy that reads the page's stream."""

    enabled: bool = attrs.field(default=True, metadata={"env": (Variable("STREAM_PORT", _off_for_zero),)})
    """Whether the plugin counts as listed."""
    port: int = attrs.field(default=0, validator=within(0, 65535), metadata={"env": ("STREAM_PORT",)})
    """Port of the proxy on 127.0.0.1; 0 takes any free one. Only this gateway's browser uses it."""
    passthrough: tuple[str, ...] = PASSTHROUGH
    """Patterns of hosts that the page may reach besides AI Studio's own; their traffic stays encrypted and unread. All
    other hosts are refused."""
    buffer_bytes: int = attrs.field(default=64 * 1024 * 1024, validator=positive)
    """Bytes of one answer that may wait for a slow client; more breaks the answer off."""
    tail_s: float = attrs.field(default=2.0, validator=within(0.1, 4))
    """Seconds a complete answer's stream gets to end, since the last token counts come after the finish reason; from
    0.1 to 4, as the gateway gives a backend 5 s after its finish and drops what comes later."""
