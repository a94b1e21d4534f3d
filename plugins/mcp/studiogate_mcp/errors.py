"""What can go wrong with a server."""


class NotReached(Exception):  # noqa: N818 - a finding
    """A server can't be used; the message says why, as the end of a sentence, without its address."""

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        """The HTTP status with which it refused to be spoken to; None where it said none."""


class SessionLost(Exception):  # noqa: N818 - a finding
    """A session is over."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__("The connection to the tool's server was lost.")
        self.sent = sent
        """Whether the server may have got what was asked."""
