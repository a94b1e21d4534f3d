import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.bench.client import label, labels

ROOT = Path(__file__).resolve().parents[2]


def test_labels_are_found_again() -> None:
    """Also several in one piece of the stream."""
    assert labels(f"data: {label(7)} and {label(12)}\n".encode()) == [7, 12]


@pytest.mark.long
@pytest.mark.timeout(480)
def test_the_quick_benchmark_runs() -> None:
    """It measures every budget, also where bytecode is forbidden by the environment."""
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "scripts.bench", "--quick"]

    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    times = ("≤ 60 ms", "≤ 0.5 ms", "≤ 20 ms", "≤ 1000 ms", "≤ 100 µs", "≤ 5 s", "≤ 50 ms", "≤ 0.8 ms")
    for budget in (*times, "≤ 150 MB", "≥ 50 MB/s", "≤ 2 times"):
        assert budget in done.stdout
