import base64
import random
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given, strategies as st

from studiogate import InvalidRequest
from studiogate_attachments.decoding import PIECE, Base64Decoder, decoded
from studiogate_attachments.sources import Data


def whole(text: str, *, base64: bool = True) -> bytes:
    """Decode all of a text."""
    return b"".join(decoded(Data(text.encode(), 0, base64=base64)))


@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(0, 300), max_size=5))
def test_base64_is_decoded_whatever_its_pieces(data: bytes, cuts: list[int]) -> None:
    """The pieces that a text comes in leave no trace."""
    text = base64.b64encode(data)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    decoder = Base64Decoder()
    found = [decoder.feed(text[start:end]) for start, end in pairwise(edges)]

    assert b"".join([*found, decoder.end()]) == data


def test_what_is_longer_than_a_piece_is_whole() -> None:
    """Nothing is lost or doubled where one piece ends and the next begins."""
    data = random.Random(1).randbytes(2 * PIECE + 12345)

    assert whole(base64.b64encode(data).decode()) == data
    assert whole(quote(data), base64=False) == data


@pytest.mark.parametrize(
    "text",
    [
        "+/+/YQ==",
        "-_-_YQ==",
        "+/+/YQ",
        "-_+/YQ=",
        " +/+/\r\n\tYQ= =\n",
        "%2B%2F%2B%2fYQ%3D%3D",
    ],
)
def test_base64_is_taken_in_every_usual_form(text: str) -> None:
    """Both alphabets, with white space, without padding, percent-encoded."""
    assert whole(text) == b"\xfb\xff\xbfa"


@pytest.mark.parametrize(
    "text", ["YWJ*", "Y", "YWJjZ", "YQ==YQ==", "Y=Q=", "YQ===", "YÄJj", "YWJj\0", "Y%W", "====", "<x>"]
)
def test_what_is_no_base64_is_refused(text: str) -> None:
    """Garbage is a client's mistake, and told as one."""
    with pytest.raises(InvalidRequest, match="not base64"):
        whole(text)


def test_plain_data_is_percent_decoded() -> None:
    """A data URL without `;base64` holds its data as URLs do."""
    assert whole("a%20b+%C3%A4ä%zz", base64=False) == "a b+ää%zz".encode()


def test_an_escape_is_never_cut() -> None:
    """An escape on the edge of a piece is decoded like any other."""
    for shift in range(4):
        text = "x" * (PIECE - shift) + "%41%42"

        assert whole(text, base64=False) == b"x" * (PIECE - shift) + b"AB"
