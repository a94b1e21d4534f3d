"""A plugin of somebody else's, in an environment where only wheels are: made, tried, installed, used and removed."""

import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from openai import OpenAI

from .conftest import Installation, install, outside

pytestmark = [
    pytest.mark.packaging,
    pytest.mark.timeout(600),  # it builds and installs, on a machine that may be busy
]

BEFORE = "plugins = []\n"
ENABLED = 'plugins = ["echo"]\n'


@pytest.fixture
def core(dist: Path, tmp_path: Path) -> Installation:
    """Install the gateway alone, with pip, what builds a package, and what a package's tests need."""
    installed = install(dist, tmp_path, "studiogate", "hatchling", "pytest")
    installed.run("python", "-m", "ensurepip")
    return installed


@contextmanager
def serving(installed: Installation) -> Generator[str]:
    """Serve with the environment's gateway; yields its URL once it listens."""
    process = subprocess.Popen(
        [installed.folder / "bin" / "studiogate", "serve", "--port", "0"],
        cwd=installed.cwd,
        env=outside(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = ""
        for line in process.stderr or ():
            said += line
            if found := re.search(r"listening on (http://[^;\s]+);", line):
                yield found[1]
                break
        else:
            raise AssertionError(said)
    finally:
        process.terminate()
        _, rest = process.communicate()
        assert process.returncode == 0, rest


def models(url: str) -> list[str]:
    """Return the ids of the gateway's models."""
    with OpenAI(base_url=f"{url}/v1", api_key="none") as client:
        return [model.id for model in client.models.list()]


def test_a_new_plugin_answers_once_it_is_installed_and_listed(core: Installation, dist: Path) -> None:
    """From nothing to an answer for OpenAI's client and back, without a browser or a line of code."""
    pip = ("python", "-m", "pip", "--no-cache-dir", "--isolated")
    config = core.cwd / "plugins.toml"
    config.write_text(BEFORE)
    with serving(core) as url:
        assert models(url) == []

    core.run("studiogate", "plugins", "new", "echo", "--kind", "backend")
    package = core.cwd / "studiogate-echo"
    core.run(
        *pip, "install", "--quiet", "--no-index", "--no-build-isolation", "--find-links", str(dist), str(package)
    )  # fmt: skip
    tested = core.run("python", "-m", "pytest", "-p", "no:cacheprovider", str(package))
    config.write_text(ENABLED)
    with serving(core) as url, OpenAI(base_url=f"{url}/v1", api_key="none") as client:
        answer = client.chat.completions.create(model="echo-1", messages=[{"role": "user", "content": "Hello!"}])
        stream = client.chat.completions.create(
            model="echo-1", messages=[{"role": "user", "content": "Hello again!"}], stream=True
        )
        streamed = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

    assert re.search(r"\d+ passed", tested)
    assert "failed" not in tested
    assert answer.choices[0].message.content == "You said: Hello! "
    assert streamed == "You said: Hello again! "

    core.run(*pip, "uninstall", "--quiet", "--yes", "studiogate-echo")
    missing = core.start("studiogate", "serve", "--port", "0")
    assert (missing.returncode, "no plugin 'echo' is installed" in missing.stderr) == (2, True)
    config.write_text(BEFORE)
    with serving(core) as url:
        assert models(url) == []
