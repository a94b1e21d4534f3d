"""`studiogate plugins new`: packages that work as they are."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from studiogate import hookspecs
from studiogate.errors import ConfigurationError
from studiogate.plugin_template import KINDS, new_plugin
from studiogate.plugins_cli import new

ROOT = Path(__file__).parents[2]


def ended(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in a folder, untouched by what this run is set to."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "STUDIOGATE_"))}
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**kept, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_the_command_offers_every_kind() -> None:
    """What can be made is what is offered."""
    (kind,) = (option for option in new.params if option.name == "kind")

    assert list(getattr(kind.type, "choices", ())) == [*KINDS]


def test_a_new_packages_own_tests_pass(tmp_path: Path) -> None:
    """Right after it is made, without being installed, without a browser."""
    folder = new_plugin("my_backend", "backend", tmp_path)
    tests = ended(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert tests.returncode == 0, tests.stdout
    assert " passed" in tests.stdout


def test_the_tests_of_every_other_kind_pass(tmp_path: Path) -> None:
    """All of them in one go, which takes less time."""
    folders = [new_plugin(f"my_{kind}", kind, tmp_path) for kind in KINDS if kind != "backend"]
    options = [f"--override-ini=pythonpath={' '.join(str(folder) for folder in folders)}", "--import-mode=importlib"]
    tests = ended(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *map(str, folders))

    assert tests.returncode == 0, tests.stdout
    assert " passed" in tests.stdout


def test_new_packages_are_clean(tmp_path: Path) -> None:
    """Formatter, linter and type checker have nothing to say, whatever a name's length does to the lines."""
    for kind in KINDS:
        new_plugin(f"my_{kind}", kind, tmp_path)
        new_plugin(kind[0], kind, tmp_path)
    folders = [str(each.parent) for each in tmp_path.rglob("pyproject.toml")]

    assert len(folders) == 2 * len(KINDS)
    assert ended(tmp_path, "-m", "ruff", "check", "--no-cache", *folders).stdout == "All checks passed!\n"
    assert ended(tmp_path, "-m", "ruff", "format", "--no-cache", "--check", *folders).returncode == 0
    (tmp_path / "pyrightconfig.json").write_text(
        json.dumps({"typeCheckingMode": "strict", "extraPaths": folders, "venvPath": str(ROOT), "venv": ".venv"})
    )
    types = ended(tmp_path, "-m", "pyright", "--project", str(tmp_path))
    assert types.stdout.splitlines()[-1].startswith("0 errors"), types.stdout


def test_the_package_says_what_it_is(tmp_path: Path) -> None:
    """One entry point, bounds for the gateway, and the version of the contract that it is made for."""
    folder = new_plugin("my_parrot", "backend", tmp_path)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]

    assert folder.name == project["name"] == "studiogate-my-parrot"
    assert project["entry-points"] == {
        "studiogate.plugins": {"my_parrot": "studiogate_my_parrot:MyParrotBackend"},
    }
    assert "studiogate>=0.1,<0.2" in project["dependencies"]
    code = (folder / "studiogate_my_parrot" / "__init__.py").read_text()
    assert f'api_version: ClassVar[str] = "{hookspecs.API_VERSION}"' in code
    assert (folder / "studiogate_my_parrot" / "py.typed").is_file()
    assert "$" not in code + (folder / "README.md").read_text()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("My_Backend", "NAME: must be small letters, digits and single underscores"),
        ("my-backend", "NAME: must be small letters"),
        ("../x", "NAME: must be small letters"),
        ("2x", "NAME: must be small letters"),
        ("x__y", "NAME: must be small letters"),
        ("", "NAME: must be small letters"),
        ("x" * 41, "NAME: must be small letters"),
        ("class", "NAME: 'class' can't be the name"),
        ("gateway", "NAME: 'gateway' can't be the name"),
        ("studiogate_x", "NAME: leave out studiogate"),
        ("mcp", "NAME: a plugin 'mcp' is installed"),
    ],
)
def test_a_name_that_cant_be_is_refused(name: str, message: str, tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(ConfigurationError, match=f"^{message}"):
        new_plugin(name, "backend", tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    """Even an empty folder may be somebody's."""
    (tmp_path / "studiogate-mine").mkdir()

    with pytest.raises(ConfigurationError, match=r"^studiogate-mine: is there already, and is left as it is\.$"):
        new_plugin("mine", "params", tmp_path)

    assert list((tmp_path / "studiogate-mine").iterdir()) == []


def test_the_command_makes_it_here(tmp_path: Path) -> None:
    """In the current folder; it says what to do next."""
    made = ended(tmp_path, "-m", "studiogate", "plugins", "new", "mine", "--kind", "params")

    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("Made studiogate-mine.")
    assert 'list "mine" under plugins in plugins.toml' in made.stdout
    assert (tmp_path / "studiogate-mine" / "tests" / "test_params.py").is_file()
