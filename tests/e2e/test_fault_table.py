"""The fault table: whatever goes wrong, somebody answers or the client is told, once, and the next request works."""

from collections.abc import Generator

import pytest

from .fault_rows import ROWS, Row
from .fault_runs import Theatre, differences, in_order, theatre
from .house import ROOT


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Generator[Theatre]:
    """Run what the rows are played on."""
    with theatre(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.mark.long
@pytest.mark.parametrize("row", in_order(ROWS), ids=lambda row: row.fault)
def test_a_fault_costs_no_more_than_it_must(house: Theatre, row: Row) -> None:
    """As the row says; the prompt was submitted as often as it says, and the next request is answered."""
    seen = house.play(row)

    assert differences(row, seen) == [], seen


def test_the_page_shows_every_row() -> None:
    """docs/reliability.md has a line for each fault, with who answers and how often the prompt is submitted."""
    page = (
        (ROOT / "docs" / "reliability.md").read_text().partition("<!-- faults:")[2].partition("<!-- end of faults")[0]
    )
    cells = [[cell.strip() for cell in line.split(" | ")] for line in page.splitlines() if line.startswith("| ")]
    shown = {cell[0].removeprefix("| "): (cell[2], cell[3]) for cell in cells[1:]}

    assert shown == {row.fault: (f"`{row.by}`" if row.by else "nobody", str(row.submitted)) for row in ROWS}
