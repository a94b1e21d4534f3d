"""Undo a response's content encoding piece by piece.

AI Studio compresses an answer as one stream and flushes it after each message, so each piece of the network decodes to
whatever was flushed by then. One decoder serves one response. A stream cut off in the middle is no error here: what
arrived was handed over, and whether the answer was whole is seen by its frames.
"""

import importlib
import zlib
from collections.abc import Callable
from types import ModuleType
from typing import Protocol

from studiogate_studio.wire.errors import WireError

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_HEADERLESS = -zlib.MAX_WBITS


class _Codec(Protocol):
    def feed(self, data: bytes, /) -> bytes: ...


class ContentDecoder:
    """Decode a body by the value of its `content-encoding` header.

    Knows `gzip`, `deflate`, `br`, `zstd`, `identity`, the empty string, and several of them with commas between. `br`
    and `zstd` need the packages `brotli` and `zstandard`, which mitmproxy brings. An encoding that is unknown or whose
    package is missing raises `WireError`.
    """

    def __init__(self, name: str) -> None:
        names = [part.strip().lower() for part in name.split(",")]
        self._codecs = [_make(part) for part in reversed(names) if part not in {"", "identity"}]

    def feed(self, data: bytes) -> bytes:
        """Return what `data` adds to the decoded body, perhaps nothing; raise `WireError` where it is corrupt."""
        for codec in self._codecs:
            data = codec.feed(data)
        return data


class _Zlib:
    """gzip of any number of members, zlib, and the headerless deflate that some servers send by that name."""

    def __init__(self, *, deflate: bool = False) -> None:
        self._sniff = deflate
        self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB)

    def feed(self, data: bytes, /) -> bytes:
        pieces: list[bytes] = []
        try:
            # Members may be padded with zeros.
            while data := data.lstrip(b"\0") if self._inflater.eof else data:
                pieces.append(self._inflate(data))
                data = self._inflater.unused_data
        except zlib.error as error:
            raise WireError(f"The compressed body is corrupt: {error}.") from error
        return b"".join(pieces)

    def _inflate(self, data: bytes) -> bytes:
        # zlib's first byte names method 8 in its low half; no headerless stream of a real encoder starts that way.
        if self._sniff:
            self._sniff = False
            self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB if data[0] & 0x0F == 8 else _HEADERLESS)  # noqa: PLR2004
        elif self._inflater.eof:
            self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
        return self._inflater.decompress(data)


class _Foreign:
    """A decoder of an optional package, with its own kind of error."""

    def __init__(self, step: Callable[[bytes], bytes], error: type[Exception]) -> None:
        self._step = step
        self._error = error

    def feed(self, data: bytes, /) -> bytes:
        try:
            return self._step(data)
        except self._error as error:
            raise WireError(f"The compressed body is corrupt: {error}.") from error


def _module(name: str, encoding: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise WireError(f"Decoding {encoding!r} needs the package {name!r}, which is not installed.") from error


def _brotli() -> _Codec:
    module = _module("brotli", "br")
    return _Foreign(module.Decompressor().process, module.error)


def _zstd() -> _Codec:
    module = _module("zstandard", "zstd")
    return _Foreign(module.ZstdDecompressor().decompressobj(read_across_frames=True).decompress, module.ZstdError)


def _make(name: str) -> _Codec:
    match name:
        case "gzip" | "x-gzip":
            return _Zlib()
        case "deflate":
            return _Zlib(deflate=True)
        case "br":
            return _brotli()
        case "zstd":
            return _zstd()
        case _:
            raise WireError(f"Unknown content encoding {name!r}; known are gzip, deflate, br, zstd and identity.")
