"""The Chromium that the tests of pages run.

Where the one without windows is installed, it is taken: it is the same engine and opens a page for a fifth of the work.
What goes through the gateway's API is tested with the Chromium that operators have.
"""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium") or "/usr/bin/chromium"


@contextmanager
def windowless(folder: Path) -> Generator[None]:
    """Let `chromium` mean that one for everything that is started from here."""
    link = folder / "chromium"
    link.write_text(f'#!/bin/sh\nexec {CHROMIUM} "$@"\n')
    link.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(folder), prepend=os.pathsep)
        yield
