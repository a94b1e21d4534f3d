"""Puts the project's folder on the path: the benchmark is run from there and belongs to no distribution."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
