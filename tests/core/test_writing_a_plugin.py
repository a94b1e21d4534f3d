"""docs/writing-a-plugin.md does what it says, with the files and the code that stand in it."""

import asyncio
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from studiogate.config import load_config
from studiogate.plugins import PluginHost

from .test_cli import environment, serving

PAGE = (Path(__file__).parents[2] / "docs" / "writing-a-plugin.md").read_text()
FILES: dict[str, str] = dict(re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL))
(CLIENT,) = re.findall(r"^```python\n(from openai .+?)^```", PAGE, re.MULTILINE | re.DOTALL)
(PRINTED,) = re.findall(r"^It prints:\n\n```\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """Make the page's files, and install its package as its pyproject.toml says."""
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    project = tomllib.loads(FILES["studiogate-parrot/pyproject.toml"])["project"]
    points = project["entry-points"]["studiogate.plugins"]
    # `environment` has this folder on the path, as site-packages is.
    (tmp_path / "site").symlink_to(tmp_path / "studiogate-parrot")
    metadata = tmp_path / "site" / "studiogate_parrot-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = "\n".join(f"{name} = {target}" for name, target in points.items())
    (metadata / "entry_points.txt").write_text(f"[studiogate.plugins]\n{lines}\n")
    return tmp_path


def run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in a folder, with the page's package installed."""
    root = next(each for each in (folder, *folder.parents) if (each / "site").exists())
    kept = {key: value for key, value in environment(root).items() if not key.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=kept, capture_output=True, text=True, timeout=110, check=False
    )


async def test_the_plugin_answers_through_the_gateway(there: Path) -> None:
    """The page's client asks a real server that has the page's plugins.toml, and prints what the page says."""
    async with serving(there) as (_, url):
        client = CLIENT.replace("http://127.0.0.1:2048", url)
        printed = await asyncio.to_thread(run, there, "-c", client)

    assert client != CLIENT
    assert printed.stdout == PRINTED, printed.stderr


def test_its_own_tests_pass(there: Path) -> None:
    """With the contract's rules, and nothing else."""
    tests = run(there / "studiogate-parrot", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_parrot.py")

    assert tests.returncode == 0, tests.stdout
    assert " passed" in tests.stdout


def test_the_file_alone_is_a_plugin_too(there: Path) -> None:
    """Listed by its path, under its own name."""
    folder = there / "studiogate-parrot"
    (folder / "plugins.toml").write_text('plugins = ["./studiogate_parrot.py"]')

    assert PluginHost(load_config(folder / "plugins.toml"), {}).names == ("studiogate_parrot",)


def test_it_is_short() -> None:
    """All the Python of the plugin and its tests is less than 40 lines."""
    code = [text for path, text in FILES.items() if path.endswith(".py")]
    lines = [line for text in code for line in text.splitlines() if line.strip()]

    assert len(lines) < 40
    assert len(FILES) == 4
