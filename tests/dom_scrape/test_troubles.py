import pytest

from studiogate.events import FinishReason
from studiogate_dom_scrape.page_state import Trouble
from studiogate_dom_scrape.troubles import failure_as_text, may_become_failure, refusal, verdict


def says(text: str, where: str = "toast") -> Trouble:
    """Return something that the page says."""
    return Trouble(where=where, said=text)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("Failed to generate content: user has exceeded quota. Please try again later.", 429),
        ("You've reached your rate limit. Please try again later.", 429),
        ("Resource has been exhausted (e.g. check quota).", 429),
        ("You are out of free generations", 429),
        ("Failed to generate content: permission denied. Please try again", 502),
        ("The model is overloaded. Please try again later.", 502),
        ("An internal error has occurred.", 502),
        ("Your session ended: log in again", 503),
        ("Something nobody has heard of", 502),
    ],
)
def test_what_a_failure_is_to_the_client(said: str, status: int) -> None:
    """Quota stays quota; the page's own words are part of the message."""
    error = refusal([says(said)])

    assert error.status == status
    assert said in error.reason


def test_the_gravest_of_several_counts() -> None:
    """A general failure in the turn says less than the quota in the toast beside it."""
    assert refusal([says("An internal error has occurred.", "turn"), says("Quota exceeded")]).status == 429


def test_long_words_are_cut() -> None:
    """What a page says may be anything."""
    assert len(refusal([says("x" * 500)]).reason) < 300


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Content blocked", FinishReason.CONTENT_FILTER),
        ("The prompt was blocked for safety.", FinishReason.CONTENT_FILTER),
        ("It may violate the policies on prohibited use.", FinishReason.CONTENT_FILTER),
        ("The response reached the maximum output tokens.", FinishReason.LENGTH),
    ],
)
def test_notices_that_are_ends(said: str, reason: FinishReason) -> None:
    """A blocked or cut answer is an answer, as it is over the wire."""
    finish = verdict([says(said, "turn")])

    assert finish is not None
    assert finish.reason is reason


@pytest.mark.parametrize("said", ["user has exceeded quota", "An internal error has occurred.", "rate limit reached"])
def test_failures_are_no_ends(said: str) -> None:
    """They are refusals."""
    assert verdict([says(said)]) is None


def test_failures_that_stand_as_text() -> None:
    """Only a text that says nothing else is one."""
    assert failure_as_text(" An internal error has occurred.\n") is not None
    assert failure_as_text("An internal error has occurred. This is how one reads such a message.") is None


def test_a_text_that_may_become_a_failure() -> None:
    """Until it says something else, nothing of it is handed on."""
    assert may_become_failure("An internal err")
    assert not may_become_failure("An internal affair")
