"""The fault table: whatever goes wrong, somebody answers or the client is told, once, and the next request works."""

from collections.abc import Generator

import pytest

from .fault_rows import ROWS, Row
from .fault_runs import Theatre, differences, in_order, theatre


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Generator[Theatre]:
    """Run what the rows are played on."""
    with theatre(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.mark.parametrize("row", in_order(ROWS), ids=lambda row: row.fault)
def test_a_fault_costs_no_more_than_it_must(house: Theatre, row: Row) -> None:
    """As the row says; the prompt was submitted as often as it says, and the next request is answered."""
    seen = house.play(row)

    assert differences(row, seen) == [], seen
