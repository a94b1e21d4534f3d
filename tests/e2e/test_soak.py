"""A short soak; `python -m scripts.soak` runs the long one."""

from pathlib import Path

import pytest

from scripts.soak import soaked


@pytest.mark.timeout(300)
def test_every_request_gets_its_own_answer_or_a_documented_error(tmp_path: Path) -> None:
    """With faults among them none hangs, none gets another's answer, and most are answered all the same."""
    soak, _ = soaked(tmp_path, requests=40, tabs=2, share=0.2, seed=4)

    assert soak.wrong == []
    assert len(soak.outcomes) == 40
    assert any(outcome.fault for outcome in soak.outcomes)
    assert soak.verdicts["answered"] >= 30
