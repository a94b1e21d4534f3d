"""`studiogate version`, in processes of its own."""

import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from .test_cli import configured, environment, studiogate

HEAVY = ("granian", "litestar", "mcp", "mitmproxy", "playwright")
IMPORTED = f"""
import sys
from studiogate.cli import studiogate

studiogate(["version"], standalone_mode=False)
print("imported:", *(name for name in {HEAVY} if name in sys.modules))
"""


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """Make a folder with a stranger's distribution on the path, which has a plugin and versions of its own to tell."""
    metadata = tmp_path / "site" / "Third_Party-1.5.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: Third_Party\nVersion: 1.5\n"
        'Requires-Dist: psutil>=1\nRequires-Dist: no-such-library; extra == "more"\n'
    )
    (metadata / "entry_points.txt").write_text(
        "[studiogate.plugins]\nthird = no_such_module:Third\n"
        "[studiogate.versions]\nservice = tells:service\nsilent = tells:silent\n"
    )
    (tmp_path / "site" / "tells.py").write_text(
        "def service(config):\n    return 'none' if config is None else f'of {config.plugins}'\n"
        "def silent(config):\n    raise OSError('secret')\n"
    )
    return tmp_path


def told(folder: Path) -> dict[str, str]:
    """Run the command; returns what it said by name."""
    ended = studiogate(folder, "version")
    assert ended.returncode == 0, ended.stderr
    return {line.split()[0]: line.partition(" ")[2].strip() for line in ended.stdout.splitlines() if line}


def test_the_parts_that_matter_are_shown(there: Path) -> None:
    """The gateway, Python, the browser, plugins, and the libraries that they are built on."""
    versions = told(there)

    assert versions["studiogate"] == version("studiogate")
    assert versions["python"].startswith(f"{platform.python_version()} (")
    assert versions["studiogate-mcp"] == version("studiogate-mcp")
    assert versions["studiogate-simulator"] == version("studiogate-simulator")
    assert {name: versions[name] for name in HEAVY} == {name: version(name) for name in HEAVY}
    assert "browser" in versions


def test_strangers_plugins_are_parts_too(there: Path) -> None:
    """With what they ask for and tell by functions of their own; a broken one doesn't matter."""
    configured(there, "plugins = []")

    versions = told(there)

    assert versions["third-party"] == "1.5"
    assert versions["psutil"] == version("psutil")
    assert versions["service"] == "of ()"
    assert versions["silent"] == "can't be told (OSError)"
    assert "no-such-library" not in versions


def test_a_broken_configuration_does_not_matter(there: Path) -> None:
    """That is when versions are asked for."""
    configured(there, "plugins = [")

    assert told(there)["service"] == "none"


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    """It reads what is installed, and starts nothing."""
    ended = subprocess.run(
        [sys.executable, "-c", IMPORTED], env=environment(tmp_path), capture_output=True, text=True, check=True
    )

    assert ended.stdout.splitlines()[-1].split() == ["imported:"]
