"""The wire format's one error."""

from studiogate.errors import StudiogateError


class WireError(StudiogateError):
    """Bytes of the page's RPC that can't be read: says what was expected where, and quotes none of the content."""
