from typing import Any

import pytest
from hypothesis import given, strategies as st

from studiogate_simulator import jspb

VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


KINDS: list[tuple[Any, Any]] = [
    (None, [0]),
    (0, [None, 0]),
    ("x", [None, None, "x"]),
    (True, [None, None, None, 1]),
    (False, [None, None, None, 0]),
    ({}, [None, None, None, None, []]),
    ({"k": 1}, [None, None, None, None, [[["k", [None, 1]]]]]),
    ([], [None, None, None, None, None, []]),
    (["x"], [None, None, None, None, None, [[[None, None, "x"]]]]),
]


@pytest.mark.parametrize(("value", "encoded"), KINDS)
def test_values(value: Any, encoded: Any) -> None:
    """Every kind of JSON value has its slot."""
    assert jspb.encode_value(value) == encoded


@given(st.dictionaries(st.text(), VALUES))
def test_struct_round_trip(values: dict[str, Any]) -> None:
    """A Struct decodes to what was encoded."""
    assert jspb.decode_struct(jspb.encode_struct(values)) == values


def test_message() -> None:
    """Unset fields between set ones are null, trailing ones are cut."""
    assert jspb.message({1: "x", 3: 0, 9: None}) == [None, "x", None, 0]
    assert jspb.message({}) == []


def test_at() -> None:
    """What is absent, at any depth, reads as null."""
    assert jspb.at([[1, [2]]], 0, 1, 0) == 2
    assert jspb.at([[1]], 0, 5) is None
    assert jspb.at("text", 0) is None


def test_items() -> None:
    """An unset repeated field is empty."""
    assert jspb.items(None) == []
    assert jspb.items([1]) == [1]


@given(st.text())
def test_escapes(text: str) -> None:
    """Characters of HTML never stand raw, and decode to themselves."""
    raw = jspb.encode([text])

    assert not set(b"<>&'=") & set(raw)
    assert jspb.decode(raw) == [text]
