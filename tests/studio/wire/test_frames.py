from itertools import chain, pairwise

import pytest
from hypothesis import given, strategies as st

from studiogate_studio.wire import FrameScanner, WireError

from .streams import compact

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=4), max_leaves=12
)
FRAMES = st.lists(st.lists(JSON, max_size=4), max_size=5)
GUARDS = st.sampled_from([b"", b")]}'", b")]}'\n", b" \n"])
CUTS = st.lists(st.integers(min_value=0, max_value=400), max_size=12)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes at the given places, wherever these fall."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def scan(pieces: list[bytes]) -> tuple[list[bytes], bytes | None, bool]:
    """Feed the pieces to a scanner, return all it says."""
    scanner = FrameScanner()
    frames = [found for piece in pieces for found in scanner.feed(piece)]
    return frames, scanner.close(), scanner.complete


@given(frames=FRAMES, guard=GUARDS, places=CUTS)
def test_any_split_gives_the_same_frames(frames: list[list[object]], guard: bytes, places: list[int]) -> None:
    """However a body is cut, each frame comes out as it was written."""
    found, rest, complete = scan(cut(guard + compact([frames]), places))

    assert found == [compact(frame) for frame in frames]
    assert rest is None
    assert complete


@given(frames=FRAMES, details=st.lists(JSON, max_size=3), places=CUTS)
def test_a_status_after_the_frames_is_kept(
    frames: list[list[object]], details: list[object], places: list[int]
) -> None:
    """What follows the list of frames is returned in a root of its own."""
    status = [8, "quota", details]

    found, rest, complete = scan(cut(compact([frames, status]), places))

    assert found == [compact(frame) for frame in frames]
    assert rest == compact([None, status])
    assert complete


@pytest.mark.parametrize(
    "body",
    [
        b'[,[8,"a"]]',
        b'[16,"a"]',
        b'[null,[7,"a",[["t",[[1]]]]]]',
        b'{"error":{"code":429}}',
        b")]}'\n[,[8]]",
        b"[ ,[8]]",
    ],
)
def test_a_body_without_frames_is_all_rest(body: bytes) -> None:
    """A bare error is no frame, byte by byte or at once."""
    whole = scan([body])

    assert whole == ([], body.removeprefix(b")]}'\n"), True)
    assert scan([body[place : place + 1] for place in range(len(body))]) == whole


@pytest.mark.parametrize("escaped", [r"\"", r"\\", r"\u4f60", r"]\"[", r"\\\"]]", "你好", r"\ud83d\ude00"])
def test_escapes_and_characters_may_be_cut_in_two(escaped: str) -> None:
    """Every cut inside a string leaves the frame whole."""
    source = f'[["{escaped}"]]'.encode()
    body = b"[[" + source + b"," + source + b"]]"

    for place in range(len(body)):
        assert scan([body[:place], body[place:]]) == ([source, source], None, True)


def test_a_frame_is_handed_over_at_its_closing_bracket() -> None:
    """Nothing waits for the bytes after a frame."""
    scanner = FrameScanner()

    assert list(scanner.feed(b"[[[1")) == []
    assert list(scanner.feed(b"]")) == [b"[1]"]
    assert list(scanner.feed(b",[2],[3")) == [b"[2]"]


def test_frames_nested_deeper_than_the_pattern_are_walked() -> None:
    """Depth has no limit; it only costs speed."""
    deep = b"[" * 200 + b'"]"' + b"]" * 200

    assert scan([b"[[" + deep + b",[1]]]"])[0] == [deep, b"[1]"]


def test_elided_nulls_and_white_space_are_no_obstacle() -> None:
    """Frames come raw, with what was left out left out."""
    assert scan([b" [\n [ [,1,,] ,\n[] ] ] \n"]) == ([b"[,1,,]", b"[]"], None, True)


def test_what_is_no_array_among_the_frames_is_passed_over() -> None:
    """Strings, numbers and objects in the list are no frames."""
    assert scan([b'[["a]b",{"c":[1]},null,7,[2]]]'])[0] == [b"[2]"]


def test_an_object_inside_a_frame_is_part_of_it() -> None:
    """Braces nest as brackets do."""
    assert scan([b'[[[{"a":["]"]}],[1]]]'])[0] == [b'[{"a":["]"]}]', b"[1]"]


def test_a_body_cut_off_says_so() -> None:
    """Frames that came are kept; the unfinished one is not, and the body isn't complete."""
    assert scan([b"[[[1],[2"]) == ([b"[1]"], None, False)
    assert scan([b"[[[1]]"]) == ([b"[1]"], None, False)
    assert scan([b""]) == ([], None, False)
    assert scan([b")]}"[:2]]) == ([], None, False)


def test_bytes_after_the_root_are_ignored() -> None:
    """What comes when all is said changes nothing."""
    scanner = FrameScanner()

    assert list(scanner.feed(b"[[[1]]][[[2]]]")) == [b"[1]"]
    assert list(scanner.feed(b"[[[3]]]")) == []
    assert scanner.close() is None


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_frame_over_the_limit_is_refused(size: int) -> None:
    """Memory is bounded however the frame arrives."""
    scanner = FrameScanner(limit=100)
    body = b'[[["' + b"A" * 200 + b'"]]]'
    pieces = [body[place : place + size] for place in range(0, len(body), size)]

    with pytest.raises(WireError, match="100"):
        list(chain.from_iterable(map(scanner.feed, pieces)))


def test_an_endless_rest_is_refused() -> None:
    """What isn't frames is bounded as well."""
    scanner = FrameScanner(limit=100)

    with pytest.raises(WireError):
        list(scanner.feed(b"<html>" + b" " * 200))


def test_single_bytes_cost_no_more_than_a_pass() -> None:
    """A large frame fed byte by byte takes time in proportion; a quadratic scanner would run into pytest's timeout."""
    body = b'[[["' + b"A" * 300_000 + b'"]]]'
    scanner = FrameScanner()

    found = [frame for byte in body for frame in scanner.feed(bytes([byte]))]

    assert found == [body[2:-2]]


@given(st.binary(max_size=200), CUTS)
def test_garbage_raises_nothing(data: bytes, places: list[int]) -> None:
    """Bytes that are no answer give no frames or odd ones, never an exception."""
    scan(cut(data, places))


@given(st.text(alphabet='[]{},"\\ a1', max_size=60), CUTS)
def test_broken_structure_splits_alike(source: str, places: list[int]) -> None:
    """Even where brackets don't match, a cut changes nothing."""
    data = source.encode()

    assert scan(cut(data, places)) == scan([data])
