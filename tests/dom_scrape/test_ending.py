from typing import Any

import pytest

from studiogate_dom_scrape.ending import Ending, Verdict
from studiogate_dom_scrape.page_state import Piece, Seen, Trouble
from studiogate_dom_scrape.settings import DomScrapeSettings
from studiogate_studio.probe import RunState

NOTHING = Piece(same=True, sure="", rest="")
WORKING = RunState.GENERATING
IDLE = RunState.IDLE_EMPTY
FAILED = (Trouble(where="toast", said="It failed."),)
SETTINGS = DomScrapeSettings()


def seen(**told: Any) -> Seen:
    """Return what a page shows of an answer that has begun."""
    usual: dict[str, Any] = {
        "digest": "the same",
        "run": IDLE,
        "loading": False,
        "rated": False,
        "editable": False,
        "asked": False,
        "ended": False,
        "turns": 1,
        "thoughts": NOTHING,
        "text": NOTHING,
        "calls": (),
        "media": 0,
        "loaded": True,
        "troubles": (),
    }
    return Seen(**usual | told)


def whole_after(look: Seen) -> float | None:
    """Return how long a page has to stay as it is for its answer to be over; None if it never is."""
    ending = Ending(SETTINGS)
    for tenth in range(600):
        if ending.judge(look, tenth / 100) is not Verdict.GOING:
            return tenth / 100
    return None


@pytest.mark.parametrize(
    "look",
    [
        seen(run=WORKING),
        seen(run=WORKING, editable=True),
        seen(run=WORKING, troubles=FAILED),
        seen(loading=True),
    ],
    ids=["working", "editable", "a toast meanwhile", "thinking"],
)
def test_silence_alone_ends_nothing(look: Seen) -> None:
    """While the page is at work an answer goes on, for minutes if need be."""
    assert whole_after(look) is None


@pytest.mark.parametrize(
    ("look", "within_s"),
    [
        (seen(rated=True, ended=True), 0.1),
        (seen(rated=True), 0.5),
        (seen(asked=True, ended=True), 0.1),
        (seen(troubles=FAILED, ended=True), 0.1),
        (seen(editable=True), SETTINGS.settle_s + 0.1),
        (seen(ended=True), SETTINGS.settle_s + 0.1),
        (seen(), 2 * SETTINGS.settle_s + 0.1),
        (seen(run=WORKING, rated=True), SETTINGS.stuck_s + 0.1),
        (seen(run=WORKING, ended=True), SETTINGS.stuck_s + 0.1),
    ],
    ids=["all signs", "rated", "asks", "failed", "editable", "network", "weak", "stuck, rated", "stuck, network"],
)
def test_the_weaker_the_signs_the_longer_they_have_to_hold(look: Seen, within_s: float) -> None:
    """Two looks do for the strongest, some seconds are needed for others."""
    after = whole_after(look)

    assert after is not None
    assert 0 < after <= within_s


def test_an_answer_that_grows_is_not_over() -> None:
    """Stop may be gone and words still come: every change starts the wait anew."""
    ending = Ending(SETTINGS)

    verdicts = {ending.judge(seen(digest=str(second), editable=True), second) for second in range(10)}

    assert verdicts == {Verdict.GOING}


def test_a_page_that_shows_nothing_at_all() -> None:
    """No bubble, no Stop, no word of what went wrong: the answer is lost, after a while."""
    ending, look = Ending(SETTINGS), seen(turns=0)

    verdicts = [ending.judge(look, at) for at in (0, SETTINGS.lost_s - 1, SETTINGS.lost_s + 1)]

    assert verdicts == [Verdict.GOING, Verdict.GOING, Verdict.LOST]


def test_a_page_that_shows_nothing_of_an_answer_that_is_over() -> None:
    """It is given up sooner, once the network has brought the end; older pages show nothing of an empty answer."""
    ending, look = Ending(SETTINGS), seen(turns=0, ended=True)

    verdicts = [ending.judge(look, at) for at in (0, SETTINGS.settle_s, 2 * SETTINGS.settle_s + 0.1)]

    assert verdicts == [Verdict.GOING, Verdict.GOING, Verdict.LOST]


def test_a_page_that_was_left() -> None:
    """Without a composer it isn't even the page; that is known sooner."""
    assert whole_after(seen(turns=0, run=RunState.ABSENT)) == pytest.approx(SETTINGS.settle_s, abs=0.1)


def test_how_long_to_wait_for_news() -> None:
    """Until the signs would have held for long enough, at most a second."""
    ending = Ending(SETTINGS)

    waits = [ending.patience_s(look) for look in (seen(run=WORKING), seen(editable=True), seen(rated=True, ended=True))]

    assert waits[:2] == [1.0, 1.0]
    assert waits[2] < 0.1
