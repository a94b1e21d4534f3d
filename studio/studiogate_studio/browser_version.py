"""Which browser the gateway would start, and its version, for `studiogate version`.

The browser is asked by `--version`, which opens nothing, and Playwright isn't imported: where its own Chromium is
installed stands in its files.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from studiogate.config import Config
from studiogate.errors import ConfigurationError
from studiogate_studio.launch import installed_browsers
from studiogate_studio.settings import StudioSettings

_ASK_S = 5.0


def browser_version(config: Config | None) -> str:
    """Return what the browser calls itself, and where it is."""
    for path in _candidates(_wanted(config)):
        if (said := _ask(path)) is not None:
            return f"{said} ({path})"
    return "none found"


def _wanted(config: Config | None) -> str | None:
    """Return the browser that is configured, if one is, and the table is right."""
    with suppress(ConfigurationError):
        return None if config is None else config.settings("studio", StudioSettings).browser
    return None


def _candidates(wanted: str | None) -> Iterator[str]:
    if wanted is not None:
        yield from filter(None, [shutil.which(str(Path(wanted).expanduser()))])
        return
    yield from installed_browsers()
    yield from _playwrights_own()


def _playwrights_own() -> Iterator[str]:
    """Yield the Chromium that `playwright install chromium` has installed for this Playwright."""
    package = importlib.util.find_spec("playwright")
    if package is None or package.origin is None:
        return
    try:
        listed = json.loads((Path(package.origin).parent / "driver" / "package" / "browsers.json").read_text())
        revision = next(each["revision"] for each in listed["browsers"] if each["name"] == "chromium")
    except (OSError, ValueError, LookupError, StopIteration):
        return
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or "~/.cache/ms-playwright").expanduser()
    yield from map(str, folder.glob(f"chromium-{revision}/chrome-linux*/chrome"))


def _ask(path: str) -> str | None:
    try:
        asked = subprocess.run(  # noqa: S603 - the operator's browser
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = re.search(r"\S.*?\d+(?:\.\d+)+", asked.stdout)
    return None if said is None else said[0]
