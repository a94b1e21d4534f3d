"""Encode a response body as upstream does: one gzip member, flushed after every message, or plain."""

import zlib
from typing import Final, Protocol

from attrs import Factory, define

_GZIP: Final = 31
"""zlib's window size for a gzip wrapper."""


class _Deflate(Protocol):
    """What `zlib.compressobj` makes; zlib gives the type no public name."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self, mode: int, /) -> bytes: ...


def _deflate() -> _Deflate:
    return zlib.compressobj(wbits=_GZIP)


@define
class Gzip:
    """A gzip stream that the other side can read message by message."""

    _deflate: _Deflate = Factory(_deflate)

    def push(self, message: bytes) -> bytes:
        """Encode a message so that it can be decoded in full."""
        return self._deflate.compress(message) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def finish(self, message: bytes) -> bytes:
        """Encode the last message and close the member."""
        return self._deflate.compress(message) + self._deflate.flush(zlib.Z_FINISH)


class Identity:
    """No encoding."""

    def push(self, message: bytes) -> bytes:
        """Give the message as it is."""
        return message

    def finish(self, message: bytes) -> bytes:
        """Give the last message as it is."""
        return message


@define
class Cutter:
    """Cuts a stream of bytes into writes of one size, whatever the messages' borders are."""

    size: int | None
    """Bytes per write; None keeps messages whole."""
    _rest: bytes = b""

    def push(self, encoded: bytes) -> list[bytes]:
        """Give the full writes that are there now."""
        if self.size is None:
            return [encoded] if encoded else []
        self._rest += encoded
        whole = len(self._rest) // self.size * self.size
        ready, self._rest = self._rest[:whole], self._rest[whole:]
        return [ready[at : at + self.size] for at in range(0, whole, self.size)]

    def finish(self) -> list[bytes]:
        """Give what is left."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else []


def offers_gzip(accept_encoding: str) -> bool:
    """Tell whether an Accept-Encoding header offers gzip."""
    for offer in accept_encoding.lower().split(","):
        coding, _, weight = (piece.strip() for piece in offer.partition(";"))
        if coding == "gzip" and weight.replace(" ", "") not in {"q=0", "q=0.0"}:
            return True
    return False
