import pytest
from hypothesis import given, strategies as st

from studiogate_studio.wire import WireError
from studiogate_studio.wire.jspb import at, decode, encode, fill_elisions, flag_at, float_at, int_at, list_at, text_at


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("[,1,,2]", [None, 1, None, 2]),
        ("[,]", [None]),
        ("[1,]", [1]),
        ("[1,,]", [1, None]),
        ("[ , [ ,\n1] ]", [None, [None, 1]]),
        ('[,"[,,]\\",,"]', [None, '[,,]",,']),
        (")]}'\n[1]", [1]),
        (")]}'[,1]", [None, 1]),
        ("[NaN]", ["NaN"]),
        ('["\\ud83d"]', ["?"]),
    ],
)
def test_what_javascript_reads_and_json_does_not(source: str, value: object) -> None:
    """Elided nulls and guards are read; a comma before a closing bracket adds nothing."""
    assert decode(source.encode()) == value


@given(st.text(alphabet='[],"\\n 1', max_size=40))
def test_filling_is_idempotent(source: str) -> None:
    """Once written out, no null is missing."""
    filled = fill_elisions(source)

    assert fill_elisions(filled) == filled or "," in source


@pytest.mark.parametrize("raw", [b"", b"[", b"[1 2]", b"\xff", b"[1e999]", b"[" * 100_000 + b"," + b"]" * 100_000])
def test_what_is_no_json_is_an_error(raw: bytes) -> None:
    """The error tells the size and quotes nothing."""
    with pytest.raises(WireError, match=str(len(raw))):
        decode(raw)


def test_encoding_is_compact_utf_8() -> None:
    """No white space, no escapes that aren't needed."""
    assert encode(["你", None, 1.5]) == '["你",null,1.5]'.encode()


def test_a_path_that_leads_nowhere_is_none() -> None:
    """Missing fields, nulls and messages of another shape are unset fields."""
    message = decode(b'[[null,"a"],"b",{"0":1}]')

    assert at(message, 0, 1) == "a"
    assert [at(message, *path) for path in [(0, 0), (0, 2), (1, 0), (2, 0), (9,), (9, 9)]] == [None] * 6


def test_fields_of_another_type_are_unset() -> None:
    """A reader returns its own type or nothing."""
    assert text_at([1], 0) is None
    assert list_at(["a"], 0) == []
    assert int_at([[]], 0) is None
    assert float_at(["x"], 0) is None


@pytest.mark.parametrize(("value", "number"), [(3, 3), ("3", 3), (3.0, 3), (True, 1), (3.5, None), ("NaN", None)])
def test_whole_numbers(value: float | str, number: int | None) -> None:
    """64-bit integers come as strings."""
    assert int_at([value], 0) == number


@pytest.mark.parametrize(("value", "number"), [("0.5", 0.5), ("Infinity", None), (10**400, None)])
def test_numbers(value: float | str, number: float | None) -> None:
    """Only finite numbers count."""
    assert float_at([value], 0) == number


@pytest.mark.parametrize("value", [1, True, "1", "true"])
def test_flags_set(value: object) -> None:
    """Booleans have four forms."""
    assert flag_at(decode(encode([value])), 0)  # type: ignore[list-item]


@pytest.mark.parametrize("source", [b"[0]", b"[false]", b"[null]", b"[]", b'["0"]', b"[[1]]"])
def test_flags_unset(source: bytes) -> None:
    """Anything else is false."""
    assert not flag_at(decode(source), 0)
