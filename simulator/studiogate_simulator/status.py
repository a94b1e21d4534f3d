"""`google.rpc.Status`: how the RPC says that something failed."""

from typing import Final

from attrs import frozen

from studiogate_simulator.jspb import Json, encode

INVALID_ARGUMENT: Final = 3
NOT_FOUND: Final = 5
PERMISSION_DENIED: Final = 7
UNAUTHENTICATED: Final = 16

_HTTP: Final = {3: 400, 5: 404, 7: 403, 8: 429, 13: 500, 14: 503, 16: 401}
_CODES: Final = {http: code for code, http in _HTTP.items()}


@frozen(kw_only=True)
class Status:
    """One failure, as upstream words it."""

    code: int
    """Canonical code (google.rpc.Code)."""
    message: str
    """What is wrong, in English."""
    details: list[Json] | None = None
    """Typed details, each `[type url, fields...]`."""

    @property
    def http(self) -> int:
        """The HTTP status that goes with the code; 500 for codes that have none here."""
        return _HTTP.get(self.code, 500)

    def fields(self) -> list[Json]:
        """Build the Status message."""
        head: list[Json] = [self.code, self.message]
        return head if self.details is None else [*head, self.details]


class RpcFailure(Exception):  # noqa: N818 - a failure of the call, not a fault of the simulator
    """Ends a call with a Status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.status = Status(code=code, message=message)


def code_of(http: int) -> int:
    """Give the canonical code for an HTTP status; 13 (internal) for those that have none here."""
    return _CODES.get(http, 13)


def streamed(status: Status) -> bytes:
    """Encode as a streaming call does: a StreamBody without messages, its first slot elided."""
    return b"[," + encode(status.fields()) + b"]"


def unary(status: Status) -> bytes:
    """Encode as a unary call does: the bare Status."""
    return encode(status.fields())
