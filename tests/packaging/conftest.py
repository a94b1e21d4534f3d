"""The wheels of this checkout, built once as a release is, and environments that hold nothing but what they say."""

import os
import subprocess
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).parents[2]


@attrs.frozen(kw_only=True)
class Installation:
    """Hold an environment made from wheels; nothing of the checkout is in its sight."""

    folder: Path
    """The environment."""
    cwd: Path
    """An empty folder to run commands in."""

    def run(self, command: str, *arguments: str) -> str:
        """Run one of the environment's commands to its end; returns what it printed."""
        done = self.start(command, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the environment's commands to its end, however that is."""
        return subprocess.run(
            [self.folder / "bin" / command, *arguments],
            cwd=self.cwd,
            env=outside(),
            capture_output=True,
            text=True,
            check=False,
        )

    def distributions(self) -> set[str]:
        """Return the names of all that is installed."""
        listed = "import importlib.metadata as m; print(*sorted({each.name.lower() for each in m.distributions()}))"
        return set(self.run("python", "-c", listed).split())


def outside() -> dict[str, str]:
    """Return this process's environment without what leads Python into this checkout, or studiogate to a setting."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "VIRTUAL_ENV"} and not name.startswith(("STUDIOGATE_", "PYTEST_"))
    }


def install(dist: Path, folder: Path, *distributions: str) -> Installation:
    """Install wheels of `dist` as `scripts/install` does, for everything else at the locked versions; uncompiled."""
    environ = {**outside(), "DIST": str(dist), "UV_COMPILE_BYTECODE": "0"}
    done = subprocess.run(
        [ROOT / "scripts" / "install", folder / "environment", *distributions],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (folder / "empty").mkdir()
    return Installation(folder=folder / "environment", cwd=folder / "empty")


@pytest.fixture(scope="package")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build every distribution as a release is built."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run([ROOT / "scripts" / "build", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder
