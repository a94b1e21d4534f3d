"""From the text of a request to the bytes it stands for, piece by piece: never is a second whole copy in memory."""

import binascii
from collections.abc import Generator
from urllib.parse import unquote_to_bytes

from studiogate.errors import InvalidRequest
from studiogate_attachments.sources import Data

PIECE = 128 * 1024
"""Bytes decoded at once: all that is in memory twice, and a millisecond in which nothing else runs."""

_STANDARD = bytes.maketrans(b"-_", b"+/")
_WHITE = b" \t\r\n\f\v"
_PAD = b"="
_MOST_PADS = 2


def decoded(data: Data) -> Generator[bytes]:
    """Yield the bytes of data, in pieces.

    :raises InvalidRequest: it isn't what it says it is, at whatever piece that shows.
    """
    if not data.base64:
        yield from _unquoted(data)
        return
    decoder = Base64Decoder()
    for piece in _unquoted(data):
        yield decoder.feed(piece)
    yield decoder.end()


class Base64Decoder:
    """Decode base64 that comes in pieces: white space, the URL alphabet and missing padding are taken, nothing else."""

    def __init__(self) -> None:
        self._rest = b""
        """Up to three characters that wait for their fourth."""
        self._pads = 0

    def feed(self, piece: bytes) -> bytes:
        """Return the bytes that a further piece completes.

        :raises InvalidRequest: this isn't base64.
        """
        text = self._rest + piece.translate(_STANDARD, _WHITE)
        bare = text.rstrip(_PAD)
        if _PAD in bare or (self._pads and len(bare) > len(self._rest)):
            raise _wrong()
        self._pads += len(text) - len(bare)
        whole = len(bare) - len(bare) % 4
        self._rest = bare[whole:]
        return _bytes(bare[:whole])

    def end(self) -> bytes:
        """Return the last bytes.

        :raises InvalidRequest: the base64 breaks off within a byte, or has too much padding.
        """
        if len(self._rest) == 1 or self._pads > _MOST_PADS:
            raise _wrong()
        return _bytes(self._rest + _PAD * (-len(self._rest) % 4))


def _bytes(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        raise _wrong() from None


def _wrong() -> InvalidRequest:
    return InvalidRequest("This is not base64: it takes A-Z, a-z, 0-9, + and / (or - and _), = at the end.")


def _unquoted(data: Data) -> Generator[bytes]:
    """Yield percent-decoded pieces, none of which ends within an escape."""
    start = data.start
    while start < len(data.text):
        piece = bytes(data.text[start : start + PIECE])
        cut = piece.rfind(b"%", len(piece) - 2) if start + PIECE < len(data.text) else -1
        piece = piece if cut < 0 else piece[:cut]
        start += len(piece)
        yield unquote_to_bytes(piece)
