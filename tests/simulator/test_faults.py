import re
from pathlib import Path
from typing import Any

import pytest

from studiogate_simulator.faults import ACCOUNT, FAULTS, LOAD, NOW, PAGE, SUBMITTED, TYPED, WIRE, read_planned

README = Path(__file__).parents[2] / "simulator" / "README.md"


def test_the_list() -> None:
    """Every fault has a place and a sentence; those of the page have moments, no others."""
    for fault in FAULTS.values():
        assert fault.where in {PAGE, WIRE, ACCOUNT}
        assert fault.description.endswith(".")
        assert bool(fault.moments) == (fault.where == PAGE)
        assert set(fault.moments) <= {LOAD, TYPED, SUBMITTED, NOW}


@pytest.mark.parametrize("name", FAULTS)
def test_the_readme_lists_it(name: str) -> None:
    """With its moments or place, its parameters and its sentence."""
    fault = FAULTS[name]
    [row] = [line for line in README.read_text().splitlines() if line.startswith(f"| `{name}` |")]

    _, _, when, parameters, what, _ = row.split("|")
    assert when.strip() == (", ".join(fault.moments) or fault.where)
    assert all(f"`{key}`" in parameters for key in fault.parameters if key != "after_ms")
    assert what.strip() == fault.description


def test_the_readme_lists_no_others() -> None:
    """Whoever removes a fault removes its row."""
    section = README.read_text().split("| name | at | parameters |")[1].split("\n\n")[0]
    rows = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]

    assert rows == list(FAULTS)


def test_planned() -> None:
    """What is not said is as usual."""
    planned = read_planned({"fault": "toast_error", "text": "No."})

    assert (planned.at, planned.parameters) == (SUBMITTED, {"after_ms": 0, "text": "No."})
    assert planned.row() == {"fault": "toast_error", "at": "submitted", "after_ms": 0, "text": "No."}


def test_an_account_fault_may_be_counted() -> None:
    """In a scenario too: it outlasts the turn."""
    assert read_planned({"fault": "signed_out", "times": 2}).times == 2


@pytest.mark.parametrize(
    ("posted", "says"),
    [
        ([], "a JSON object"),
        ({"fault": "nonsense"}, "fault must be one of toast_error"),
        ({"fault": "rpc_403", "text": "x"}, "rpc_403 has no 'text'; it has nothing to say"),
        ({"fault": "toast_error", "text": 1}, "text of toast_error must be like 'Failed"),
        ({"fault": "stuck_spinner", "for_ms": "1"}, "for_ms of stuck_spinner must be like None"),
        ({"fault": "composer_recreated", "keep_text": 1}, "keep_text of composer_recreated must be like False"),
        ({"fault": "page_hangs", "for_ms": -1}, "for_ms of page_hangs must be like 5000"),
        ({"fault": "stuck_spinner", "at": "load"}, "at of stuck_spinner must be submitted, not 'load'"),
        ({"fault": "rpc_403", "at": "typed"}, "at of rpc_403 must be left out"),
        ({"fault": "toast_error", "times": 1}, "times of a fault is the scenario's"),
        ({"fault": "signed_out", "times": 0}, "times must be a number from 1"),
    ],
)
def test_wrong_plans(posted: Any, says: str) -> None:
    """Each is refused with what would be right."""
    with pytest.raises(ValueError, match=re.escape(says)):
        read_planned(posted)
