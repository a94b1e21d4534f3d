from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from studiogate_studio.wire import WireError, decode_struct, decode_value, encode_struct, encode_value
from studiogate_studio.wire.jspb import decode, encode

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=25,
)


def _whole(value: Any) -> Any:
    """Write numbers without a fraction as Python's whole ones, as far as a double holds them exactly."""
    if isinstance(value, list):
        return [_whole(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    whole = isinstance(value, float) and value.is_integer() and abs(value) <= 2**53 and str(value) != "-0.0"
    return int(value) if whole else value


@given(JSON)
@example(2**53 + 1)
@example(-(10**30))
@example(-0.0)
@example([1e-300, 1.7976931348623157e308, 5e-324])
@example([[], {}, [[]], [{}], {"": {"": []}}, [[], []]])
@example({"__proto__": {"constructor": None}, "a\x00b": "\x00\u2028\U0010ffff", "\U0001f600": 1})
def test_a_value_survives_the_round_trip(value: Any) -> None:
    """Any JSON value comes back as it was, over the wire and all; what is a number without a fraction is one."""
    back = decode_value(decode(encode(encode_value(value))))

    assert back == value
    assert repr(back) == repr(_whole(value))


@given(st.dictionaries(st.text(), JSON))
def test_a_struct_survives_the_round_trip(fields: dict[str, Any]) -> None:
    """So does an object."""
    assert decode_struct(decode(encode(encode_struct(fields)))) == fields


@given(JSON)
def test_types_survive_the_round_trip(value: Any) -> None:
    """Booleans don't become numbers."""
    assert isinstance(decode_value(encode_value(value)), bool) == isinstance(value, bool)


FORMS: list[tuple[Any, Any]] = [
    ([0], None),
    ([None], None),
    ([], None),
    ([None, 0], 0),
    ([None, 3.0], 3),
    ([None, 3.5], 3.5),
    ([None, 1e300], 1e300),
    ([None, "2"], 2),
    ([None, "NaN"], "NaN"),
    ([None, None, ""], ""),
    ([None, None, None, 0], False),
    ([None, None, None, True], True),
    ([None, None, None, None, []], {}),
    ([None, None, None, None, [[["a", [None, 1]]]]], {"a": 1}),
    ([None, None, None, None, [["a", [None, 1]]]], {"a": 1}),
    ([None, None, None, None, None, []], []),
    ([None, None, None, None, None, [[[None, 1], [0]]]], [1, None]),
    ([None, None, None, None, None, [[None, 1], [0]]], [1, None]),
    ([None, None, None, None, None, [[None, 1]]], [1]),
    ("plain", "plain"),
]


@pytest.mark.parametrize(("wire", "value"), FORMS)
def test_values_in_every_form_met(wire: Any, value: Any) -> None:
    """The set index is the type; a wrapper around objects and arrays may be missing."""
    assert decode_value(wire) == value


EMPTY: list[Any] = [None, [], [[]], [None], 7]


@pytest.mark.parametrize("wire", EMPTY)
def test_an_empty_struct(wire: Any) -> None:
    """What holds no entries is an empty object."""
    assert decode_struct(wire) == {}


def test_plain_json_passes() -> None:
    """An object that is JSON already stays."""
    assert decode_struct({"a": [1]}) == {"a": [1]}


def test_depth_is_bounded() -> None:
    """Nesting beyond protobuf's limit is refused both ways."""
    deep: Any = 1
    wire: Any = [None, 1]
    for _ in range(120):
        deep, wire = [deep], [None, None, None, None, None, [[wire]]]

    with pytest.raises(WireError, match="100"):
        encode_value(deep)
    with pytest.raises(WireError, match="100"):
        decode_value(wire)
