import zlib

import pytest

from studiogate_dom_scrape.live_text import LiveText, alike, resume
from studiogate_dom_scrape.page_state import Piece


def shown(sure: str, rest: str = "", *, same: bool = True) -> Piece:
    """Return what the page tells of a text."""
    return Piece(same=same, sure=sure, rest=rest)


def test_what_is_certain_is_handed_on() -> None:
    """The rest waits until it is certain, and the source says what comes after it."""
    text = LiveText(held=False)

    text.take(shown("One ", "**tw"))
    first = text.grown()
    text.take(shown("**two**", " thr"))
    second = text.grown()

    assert (first, second, text.end("One **two** three.")) == ("One ", "**two**", " three.")


def test_a_held_text_is_its_source_to_the_letter() -> None:
    """Nothing is handed on before the end."""
    text = LiveText(held=True)

    text.take(shown("- one\n- two"))

    assert text.grown() == ""
    assert text.end("* one\n* two") == "* one\n* two"


def test_without_a_source_the_rendered_text_is_all_there_is() -> None:
    """What was handed on isn't repeated."""
    text = LiveText(held=False)

    text.take(shown("One", " two"))
    text.grown()

    assert text.end(None) == " two"


def test_the_cursor_is_the_length_and_sum_of_what_is_certain() -> None:
    """Both count UTF-16, as the page does; characters beyond it are two units."""
    text = LiveText(held=False)

    text.take(shown("a😀"))
    text.take(shown("b", "c"))

    assert text.cursor == {"units": 4, "sum": zlib.crc32("a😀b".encode("utf-16-le"))}


def test_a_text_that_turns_into_another_goes_on_where_it_was() -> None:
    """The page takes a paragraph for a heading afterwards: nothing is taken back, nothing said twice."""
    text = LiveText(held=False)

    text.take(shown("Title"))
    given = text.grown()
    text.take(shown("# Title\n\nMore", same=False))

    assert (given, text.grown()) == ("Title", "\n\nMore")


def test_certainty_that_shrinks() -> None:
    """What was handed on may turn out to be uncertain: nothing is said twice when it is certain again."""
    text = LiveText(held=False)
    text.take(shown("One, two"))
    given = text.grown()

    text.take(shown("", "One, two | thr", same=False))
    meanwhile = text.grown()
    text.take(shown("One, two | three"))

    assert (given, meanwhile, text.grown()) == ("One, two", "", " | three")


def test_a_page_that_hides_what_it_showed_says_nothing_new() -> None:
    """A bubble that is scrolled out of sight loses its body; what was read stays."""
    text = LiveText(held=True)
    text.take(shown("All of it", " and more"))

    text.take(shown("", same=False))

    assert not text.news(shown("", same=False))
    assert text.end(None) == "All of it and more"


def test_what_is_news() -> None:
    """More that is certain, another rest, or another text are; the same isn't."""
    text = LiveText(held=False)
    text.take(shown("One", " two"))

    news = [text.news(piece) for piece in (shown("", " two"), shown(" two"), shown("", " three"))]

    assert news == [False, True, True]


def test_a_sign_of_life_is_the_next_letter() -> None:
    """It is part of the answer, so it isn't said again; marks, which may differ in the source, are none."""
    text = LiveText(held=True)
    text.take(shown("Ab- c"))

    beats = [text.beat() for _ in range(3)]

    assert beats == ["A", "b", ""]
    assert text.end("Ab - c") == " - c"


@pytest.mark.parametrize(
    ("given", "whole", "rest"),
    [
        ("", "all", "all"),
        ("one", "one two", " two"),
        ("- a\n- b", "* a\n* b\n* c", "\n* c"),
        ("A **b**", "A __b__ c", " c"),
        ("Steps:\n\n1. a\n2. b", "Steps:\n1. a\n1. b\n1. c", "\n1. c"),
        ("Say (yes).", "Say (yes). No.", " No."),
        ("Say (yes)", "Say (yes).", "."),
        ("all of it", "all of it", ""),
        ("...", "... and", " and"),
    ],
)
def test_where_a_text_goes_on(given: str, whole: str, rest: str) -> None:
    """By letters and digits; marks between them stand for each other, other signs for themselves."""
    assert whole[resume(given, whole) :] == rest


def test_texts_that_came_apart_meet_again() -> None:
    """Where the beginnings differ, what was said last is looked for."""
    given = "```javascript\nlet a\n```\n\nAnd this is what comes then, at some length"
    whole = "```js\nlet a\n```\n\nAnd this is what comes then, at some length. The end."

    assert whole[resume(given, whole) :] == ". The end."


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("**a** b", "a __b__", True), ("a b c d", "a b c", True), ("abcd", "xyz", False), ("", "", True)],
)
def test_texts_that_say_the_same(one: str, other: str, *, same: bool) -> None:
    """Marks don't count, and a little may be missing."""
    assert alike(one, other) is same
