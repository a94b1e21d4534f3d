from contextlib import suppress

import pytest

from studiogate.crash import crash_report
from studiogate.errors import ConfigurationError


def caught[E: BaseException](error: E, cause: BaseException | None = None) -> E:
    """Raise an error, from a cause if there is one, and return it as whoever catches it sees it."""
    error.__cause__ = None if cause is None else caught(cause)
    with suppress(type(error)):
        raise error
    return error


def test_it_says_where_and_what_but_not_the_message() -> None:
    """Place and kind are enough to find a bug; the message may quote a prompt."""
    report = crash_report(caught(ValueError("se-cret")))

    assert "test_crash.py" in report
    assert "in caught" in report
    assert report.splitlines()[-1] == "ValueError"
    assert "se-cret" not in report


def test_notes_are_messages_too() -> None:
    """What was added to an exception is left out like its own text."""
    error = caught(ValueError())
    error.add_note("se-cret")

    assert "se-cret" not in crash_report(error)


@pytest.mark.parametrize(
    ("error", "last"),
    [
        (
            ConfigurationError("port: must be a number."),
            "studiogate.errors.ConfigurationError: port: must be a number.",
        ),
        (OSError(2, "No such file or directory", "/home/se-cret"), "FileNotFoundError: No such file or directory"),
        (OSError("se-cret"), "OSError"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_words_that_quote_nobody_are_kept(error: BaseException, last: str) -> None:
    """The gateway's own errors hold no secrets, and the system's say nothing of them but a file's name."""
    assert crash_report(caught(error)).splitlines()[-1] == last


def test_what_led_to_it_comes_first() -> None:
    """Causes are told as Python tells them, each without its message."""
    report = crash_report(caught(RuntimeError("se-cret"), KeyError("se-cret")))

    assert report.index("KeyError") < report.index("which led to") < report.index("RuntimeError")
    assert "se-cret" not in report


def test_a_group_tells_of_each() -> None:
    """What task groups raise holds the errors that matter."""
    report = crash_report(caught(ExceptionGroup("se-cret", [caught(ValueError("se-cret")), KeyError("se-cret")])))

    assert "1 of 2:" in report
    assert report.splitlines()[-2:] == ["  2 of 2:", "  KeyError"]
    assert "ValueError" in report
    assert "se-cret" not in report


def test_a_circle_of_causes_ends() -> None:
    """Errors that name each other as their cause are told once."""
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first

    assert crash_report(first).splitlines() == ["KeyError", "which led to", "ValueError"]
