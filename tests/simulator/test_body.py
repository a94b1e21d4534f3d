import gzip
import zlib

import pytest
from hypothesis import given, strategies as st

from studiogate_simulator.body import Cutter, Gzip, Identity, offers_gzip


@given(st.lists(st.binary(), min_size=1))
def test_gzip(messages: list[bytes]) -> None:
    """The pieces are one gzip member; each can be read when it is there."""
    coder, inflate = Gzip(), zlib.decompressobj(wbits=31)

    for message in messages[:-1]:
        assert inflate.decompress(coder.push(message)) == message
    assert inflate.decompress(coder.finish(messages[-1])) == messages[-1]
    assert inflate.eof


def test_gzip_is_whole() -> None:
    """A one-shot decoder reads the member too."""
    coder = Gzip()

    assert gzip.decompress(coder.push(b"a") + coder.finish(b"b")) == b"ab"


def test_identity() -> None:
    """Without an encoding nothing changes."""
    assert Identity().push(b"a") + Identity().finish(b"b") == b"ab"


@given(st.lists(st.binary()), st.integers(1, 9))
def test_cutter(pieces: list[bytes], size: int) -> None:
    """All writes but the last have the size, and nothing is lost."""
    cutter = Cutter(size)
    writes = [write for piece in pieces for write in cutter.push(piece)]
    writes += cutter.finish()

    assert b"".join(writes) == b"".join(pieces)
    assert all(len(write) == size for write in writes[:-1])


def test_no_cutting() -> None:
    """Without a size pieces stay whole, and empty ones are left out."""
    cutter = Cutter(None)

    assert cutter.push(b"abc") == [b"abc"]
    assert cutter.push(b"") == []
    assert cutter.finish() == []


@pytest.mark.parametrize(
    ("header", "offered"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, GZIP;q=0.8", True),
        ("identity", False),
        ("", False),
        ("gzip;q=0", False),
    ],
)
def test_offers_gzip(header: str, *, offered: bool) -> None:
    """Gzip is used when it is offered with a weight."""
    assert offers_gzip(header) is offered
