import json
from pathlib import Path

import playwright
import pytest

from studiogate.config import load_config
from studiogate_studio.browser_version import browser_version


def browser(path: Path, says: str) -> Path:
    """Make an executable that says a version, as browsers do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "{says}"\n')
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no browser of this machine be found."""
    (tmp_path / "bin").mkdir()
    for name in ("sh", "echo"):
        (tmp_path / "bin" / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "own"))


def test_the_first_installed_browser_that_tells_is_shown(tmp_path: Path) -> None:
    """In the order in which they are started; what stands behind the version is left out."""
    browser(tmp_path / "bin" / "chromium", "broken")
    chrome = browser(tmp_path / "bin" / "google-chrome", "Google Chrome 140.0.1.2 built on something")

    assert browser_version(None) == f"Google Chrome 140.0.1.2 ({chrome})"


def test_the_configured_browser_is_shown(tmp_path: Path) -> None:
    """It alone would be started."""
    browser(tmp_path / "bin" / "chromium", "Chromium 1.0")
    mine = browser(tmp_path / "mine", "Chromium 2.0")
    (tmp_path / "plugins.toml").write_text(f'plugins = []\n[studio]\nbrowser = "{mine}"\n')

    assert browser_version(load_config(tmp_path / "plugins.toml")) == f"Chromium 2.0 ({mine})"
    (tmp_path / "plugins.toml").write_text('plugins = []\n[studio]\nbrowser = "no-such-browser"\n')
    assert browser_version(load_config(tmp_path / "plugins.toml")) == "none found"


def test_playwrights_own_browser_is_found_without_playwright(tmp_path: Path) -> None:
    """Where nothing else is installed; of the revision that the installed Playwright drives."""
    listed = Path(playwright.__file__).parent / "driver" / "package" / "browsers.json"
    revision = next(
        each["revision"] for each in json.loads(listed.read_text())["browsers"] if each["name"] == "chromium"
    )
    browser(tmp_path / "own" / "chromium-1" / "chrome-linux" / "chrome", "Chromium 1.0")
    own = browser(tmp_path / "own" / f"chromium-{revision}" / "chrome-linux" / "chrome", "Chromium 3.0")

    assert browser_version(None) == f"Chromium 3.0 ({own})"


def test_no_browser_is_said() -> None:
    """Rather than nothing."""
    assert browser_version(None) == "none found"
