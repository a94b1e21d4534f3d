import itertools

import pytest
from hypothesis import given, strategies as st

from studiogate_helper_backend.sse import EventScanner, TooLong

ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
DATA = st.binary(max_size=20).map(lambda data: data.replace(b"\n", b".").replace(b"\r", b"."))


def scanned(*pieces: bytes, limit: int = 1000) -> list[bytes]:
    """Feed pieces and end the stream."""
    scanner = EventScanner(limit=limit)
    return [data for piece in pieces for data in scanner.feed(piece)] + list(scanner.close())


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"", []),
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data:a\r\n\r\ndata:  b\r\r", [b"a", b" b"]),
        (b": keep-alive\n\n: again\n\ndata: a\n\n", [b"a"]),
        (b"event: message\nid: 1\nretry: 5\ndata: a\n\n", [b"a"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data: a\n: in between\ndata: b\n\n", [b"a\nb"]),
        (b"data\n\ndata:\n\n", [b"", b""]),
        (b"database: a\n\n\n\n", []),
        (b"data: [DONE]", [b"[DONE]"]),
        (b"data: a\n", [b"a"]),
    ],
)
def test_the_data_of_each_event_is_found(stream: bytes, expected: list[bytes]) -> None:
    """Whatever ends the lines, and whatever stands beside the data; the stream's end ends the last event."""
    assert scanned(stream) == expected


@given(
    events=st.lists(st.lists(DATA, min_size=1, max_size=3), max_size=5),
    ends=st.lists(ENDS, min_size=1, max_size=7),
    comments=st.booleans(),
    cuts=st.lists(st.integers(0, 400), max_size=30),
)
def test_no_split_of_the_bytes_changes_anything(
    events: list[list[bytes]],
    ends: list[bytes],
    comments: bool,  # noqa: FBT001 - what hypothesis draws
    cuts: list[int],
) -> None:
    """The network cuts where it likes, also between the two halves of a line's end."""
    # One kind of end for a line and what follows it: CR and then LF would be one end, not two.
    written = b""
    for number, lines in enumerate(events):
        end = ends[number % len(ends)]
        parts = [*([b": comment"] if comments else []), *(b"data: " + line for line in lines)]
        written += end.join(parts) + end + end + (b":" + end)
    edges = sorted({0, len(written), *(cut for cut in cuts if cut < len(written))})
    pieces = [written[start:end] for start, end in itertools.pairwise(edges)]

    assert scanned(*pieces) == [b"\n".join(lines) for lines in events]
    assert scanned(*(bytes([byte]) for byte in written)) == [b"\n".join(lines) for lines in events]


@pytest.mark.parametrize(
    "pieces",
    [
        (b"data: 12345678901234567890\n\n",),
        (b"data: 1234567890", b"1234567890"),
        (b"data: 12345678\n", b"data: 12345678\n"),
    ],
)
def test_an_event_has_a_limit(pieces: tuple[bytes, ...]) -> None:
    """In one line or many, whole or not: a service can't fill the memory."""
    with pytest.raises(TooLong):
        scanned(*pieces, limit=20)


def test_comments_count_for_no_limit() -> None:
    """A service that keeps alive for hours is no danger."""
    assert scanned(*[b": keep-alive\n"] * 100, b"data: a\n\n", limit=20) == [b"a"]


def test_a_long_line_in_many_pieces_takes_no_longer_per_byte() -> None:
    """A generated image comes as one line of megabytes; joining it at each piece would outlast the test's timeout."""
    piece = b"x" * 1000
    scanner = EventScanner()
    found = [*scanner.feed(b"data: "), *(data for _ in range(20_000) for data in scanner.feed(piece))]
    found += scanner.feed(b"\n\n")

    assert [len(data) for data in found] == [20_000_000]
