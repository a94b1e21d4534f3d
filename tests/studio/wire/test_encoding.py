import gzip
import importlib
import sys
import zlib
from types import ModuleType

import pytest
import zstandard
from hypothesis import given, strategies as st

from studiogate_studio.wire import ContentDecoder, WireError

from .test_frames import CUTS, cut

# Imported by name: the package has no types.
BROTLI: ModuleType = importlib.import_module("brotli")
TEXT = b"[[[1]," * 40


def headerless(data: bytes) -> bytes:
    """Compress without zlib's header."""
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


ENCODED: dict[str, bytes] = {
    "": TEXT,
    "identity": TEXT,
    "gzip": gzip.compress(TEXT),
    "X-GZIP": gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:]) + bytes(4),
    "deflate": zlib.compress(TEXT),
    "Deflate": headerless(TEXT),
    "br": BROTLI.compress(TEXT),
    "zstd": zstandard.compress(TEXT[:9]) + zstandard.compress(TEXT[9:]),
    "gzip, br": BROTLI.compress(gzip.compress(TEXT)),
}


@pytest.mark.parametrize("name", ENCODED)
@given(places=CUTS)
def test_any_split_decodes(name: str, places: list[int]) -> None:
    """However a compressed body is cut, it decodes to the same bytes."""
    decoder = ContentDecoder(name)

    assert b"".join(decoder.feed(piece) for piece in cut(ENCODED[name], places)) == TEXT


@given(st.lists(st.binary(max_size=50), max_size=6))
def test_each_flush_comes_out_at_once(messages: list[bytes]) -> None:
    """What the server flushed is decoded without waiting for more."""
    deflater, decoder = zlib.compressobj(wbits=31), ContentDecoder("gzip")

    for message in messages:
        flushed = deflater.compress(message) + deflater.flush(zlib.Z_SYNC_FLUSH)
        assert decoder.feed(flushed) == message


def test_brotli_and_zstandard_flushes_come_out_at_once() -> None:
    """The other encodings stream as well."""
    packer, squeezer = BROTLI.Compressor(), zstandard.ZstdCompressor().compressobj()

    assert ContentDecoder("br").feed(packer.process(TEXT) + packer.flush()) == TEXT
    assert (
        ContentDecoder("zstd").feed(squeezer.compress(TEXT) + squeezer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)) == TEXT
    )


def test_a_body_cut_off_is_no_error() -> None:
    """What arrived is handed over; whether it is whole is for the frames to say."""
    assert TEXT.startswith(ContentDecoder("gzip").feed(ENCODED["gzip"][:-10]))


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_a_corrupt_body_is_an_error(name: str) -> None:
    """Bytes of another kind are refused by the one error."""
    with pytest.raises(WireError, match="corrupt"):
        ContentDecoder(name).feed(b"<html>" * 50)


def test_an_unknown_encoding_is_an_error() -> None:
    """The message names what would be right."""
    with pytest.raises(WireError, match=r"'snappy'.*gzip"):
        ContentDecoder("snappy")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the optional package the error says which one is needed."""
    monkeypatch.setitem(sys.modules, "brotli", None)

    with pytest.raises(WireError, match="brotli"):
        ContentDecoder("br")
