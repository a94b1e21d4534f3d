import json
import tomllib
from pathlib import Path
from typing import cast

import pytest

from studiogate_studio.elements import Element, Inventory, State
from studiogate_studio.page import ChatPage
from studiogate_studio.report import PLACEHOLDER, Report, Status, examine
from studiogate_studio.selectors import Match, Selectors, load_selectors
from studiogate_studio.tour import Sighting, Tour

INVENTORY = Inventory(
    states={
        "always": State(seen="in a new chat"),
        "menu": State(seen="while the menu is open", click="button"),
        "answered": State(seen="below an answer"),
        "failed": State(seen="after something failed"),
    },
    elements={
        "box": Element(purpose="Prompts", when="always", needed=True),
        "button": Element(purpose="Menus", when="always", needed=True, instead=("toggle",)),
        "toggle": Element(purpose="Menus", when="always", needed=True, instead=("button",)),
        "item": Element(purpose="Menus", when="menu", needed=True),
        "mark": Element(purpose="Menus", when="menu"),
        "answer": Element(purpose="Answers", when="answered", needed=True),
        "toast": Element(purpose="Answers", when="failed"),
        "file": Element(purpose="Files", when="always", hidden=True),
    },
)
SELECTORS = Selectors(candidates=dict.fromkeys(INVENTORY.elements, ("a.new", 'b[title="it\'s"]', "c.old")))


def report(*found: str, reached: tuple[str, ...] = ("always",), selectors: Selectors = SELECTORS) -> Report:
    """Report on a tour that found these elements, each by its last candidate."""
    tour = Tour(cast("ChatPage", None), INVENTORY)
    tour.reached += reached
    for name in found:
        match = Match(element=name, candidate=2, selector="c.old", visible=1, nodes=3, wrong=())
        tour.sightings[name] = Sighting(state="always", match=match)
    return examine(tour, selectors)


def statuses(report: Report) -> dict[str, Status]:
    """Return what became of each element."""
    return {finding.element: finding.status for finding in report.findings}


def test_what_is_needed_where_the_page_was_is_missing() -> None:
    """The rest is not there, or was not looked for."""
    told = statuses(report("button", reached=("always", "menu")))

    assert told == {
        "box": Status.MISSING,
        "button": Status.FOUND,
        "toggle": Status.ABSENT,
        "item": Status.MISSING,
        "mark": Status.ABSENT,
        "answer": Status.UNSEEN,
        "toast": Status.UNSEEN,
        "file": Status.ABSENT,
    }


def test_elements_that_do_as_well_are_missed_together() -> None:
    """Where none of them is there."""
    told = statuses(report("box"))

    assert (told["button"], told["toggle"]) == (Status.MISSING, Status.MISSING)


def test_a_finding_counts_candidates_from_one() -> None:
    """And only visible nodes, unless the element never is."""
    found = {finding.element: finding for finding in report("box", "file").findings}

    assert (found["box"].candidate, found["box"].candidates, found["box"].nodes) == (3, 3, 1)
    assert found["file"].nodes == 3


@pytest.mark.parametrize(("found", "ok"), [(("box", "button"), True), (("box",), False)])
def test_a_report_is_ok_while_nothing_needed_is_missing(found: tuple[str, ...], ok: bool) -> None:  # noqa: FBT001
    """Whatever else wasn't seen; machines are told the same."""
    it = report(*found)

    assert it.ok is ok
    assert json.loads(it.as_json())["ok"] is ok


def test_the_line_to_paste_is_toml_that_keeps_the_old_candidates() -> None:
    """With a place for the new one."""
    (missing,) = report("button").missing

    assert missing.paste is not None
    assert tomllib.loads(missing.paste) == {"box": [PLACEHOLDER, *SELECTORS["box"]]}


def test_the_operators_file_is_named_with_the_line(tmp_path: Path) -> None:
    """Of an element that it replaces; of others the built-in name."""
    mine = tmp_path / "mine.toml"
    mine.write_text('# mine\nrun_label = ["x"]\n\n"composer" = [\n  "y",\n]\n')
    selectors = load_selectors(mine)

    assert (selectors.file, dict(selectors.lines)) == ("mine.toml", {"run_label": 2, "composer": 4})


def test_people_read_what_to_do() -> None:
    """Which file and line, and what to put there."""
    theirs = Selectors(candidates=SELECTORS.candidates, file="mine.toml", replaced=frozenset({"box"}), lines={"box": 4})

    ours_text, theirs_text = report("button").as_text(), report(selectors=theirs).as_text()

    assert "MISSING  box" in ours_text
    assert 'selectors = "selectors.toml"' in ours_text
    assert "instead of the built-in box" in ours_text
    assert "in these lines of mine.toml" in theirs_text
    assert "instead of line 4" in theirs_text
    assert "only seen below an answer (--send)" in ours_text
    assert "only seen after something failed\n" in ours_text
