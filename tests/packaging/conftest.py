"""The wheels of this checkout, built once as a release is, and environments that hold nothing but what they say."""

import os
import shutil
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


def context_of(checkout: Path) -> tuple[str, ...]:
    """Return what of a checkout's folder an image is built from, as .dockerignore lists it."""
    lines = (checkout / ".dockerignore").read_text().splitlines()
    assert [line for line in lines if not line.startswith(("#", "!", "**/"))] == ["*"]
    return tuple(line.removeprefix("!") for line in lines if line.startswith("!"))


@pytest.fixture(scope="package")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build every distribution as an image does, from what its context holds."""
    checkout, folder = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("dist")
    for name in context_of(ROOT):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, checkout / name)
    if (ROOT / ".tools" / "bin").is_dir():
        (checkout / ".tools").symlink_to(ROOT / ".tools")
    done = subprocess.run([checkout / "scripts" / "build", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder
