from typing import Annotated, Any

import attrs
import pytest

from studiogate.openai.shape import CONVERTER, Shape, number, one_of, shapes, text, whole
from studiogate.strict import problems


@pytest.mark.parametrize(
    ("shape", "value", "read"),
    [
        (number(0, 2), 1, 1.0),
        (number(0, 2), 2.0, 2.0),
        (whole(1, 9), 1, 1),
        (whole(1, 9), 9.0, 9),
        (text(), "", ""),
        (text("^[ab]{1,2}$", "a or b"), "ab", "ab"),
        (one_of("x", "y"), "y", "y"),
    ],
)
def test_a_shape_reads_what_fits(shape: Shape, value: object, read: object) -> None:
    """The value comes back as its type has it; JSON's 9.0 is the number 9."""
    found = shape.read(value)

    assert found == read
    assert type(found) is type(read)


@pytest.mark.parametrize(
    ("shape", "value", "message"),
    [
        (number(0, 2), 2.1, "must be from 0 to 2, not 2.1"),
        (number(0, 0.5), -1, "must be from 0 to 0.5, not -1"),
        (number(0, 2), True, "must be a number, not true"),
        (number(0, 2), "1", "must be a number, not a string"),
        (whole(1, 9), 0, "must be from 1 to 9, not 0"),
        (whole(1, 9), 10**400, "must be from 1 to 9, not a huge number"),
        (whole(1, 9), 1.5, "must be a whole number, not 1.5"),
        (whole(1, 9), float("nan"), "must be a whole number, not nan"),
        (whole(1, 9), False, "must be a whole number, not false"),
        (whole(1, 9), None, "must be a whole number, not null"),
        (text(), 1, "must be a string, not 1"),
        (text("^a$", "a"), "a\n", "must be a"),
        (text("^a$", "a"), "b", "must be a"),
        (one_of("x", "y"), "z", "must be one of x, y"),
        (one_of("x", "y"), ["x"], "must be one of x, y"),
    ],
)
def test_a_shape_says_what_would_fit(shape: Shape, value: object, message: str) -> None:
    """The message shows numbers and no text."""
    with pytest.raises((ValueError, TypeError)) as refusal:
        shape.read(value)

    assert str(refusal.value) == message


def test_a_class_is_read_by_the_shapes_of_its_fields() -> None:
    """Every wrong field is told, ranges as well as types; null is nothing."""

    @attrs.frozen
    class Kind:
        a: Annotated[int, whole(0, 5)]
        b: Annotated[float, number(0, 1)] | None = None
        c: str | None = None

    with pytest.raises(ExceptionGroup) as refusal:
        CONVERTER.structure({"a": 6, "b": 2, "c": 3}, Kind)

    assert CONVERTER.structure({"a": 1, "b": None, "unknown": 1}, Kind) == Kind(1)
    assert [(problem.path, problem.message) for problem in problems(refusal.value)] == [
        ("a", "must be from 0 to 5, not 6"),
        ("b", "must be from 0 to 1, not 2"),
        ("c", "must be a string, not 3"),
    ]


@pytest.mark.parametrize("kind", [int, Any, Annotated[int, "a note"], list[int]])
def test_a_type_without_a_shape_has_none(kind: Any) -> None:
    """Other annotations are left to cattrs."""
    assert shapes(kind) == ()
