"""Plugins in plain files."""

from pathlib import Path

import httpx
import pytest

from studiogate.config import Config, load_config
from studiogate.errors import ConfigurationError
from studiogate.plugins import PluginHost
from studiogate.web.server import running_gateway

from .backends import CHAT_PATH, HELLO, host, installed

MINE = """
from __future__ import annotations

import attrs

from studiogate import hookimpl
from studiogate.events import Finish, FinishReason, TextDelta


@attrs.frozen
class Settings:
    greeting: str = "Hello"


class _Base:
    @hookimpl
    async def fetch_response(self, exchange):
        yield TextDelta(text=self.options.greeting)
        yield Finish(reason=FinishReason.STOP)


class Mine(_Base):
    settings = Settings

    def __init__(self, settings):
        self.options = settings
"""


def written(folder: Path, listed: str, **files: str) -> Config:
    """Write files, and a plugins.toml beside them that lists what is given; load it."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "plugins.toml").write_text(f"plugins = [{listed}]\n[gateway]\nport = 0\n")
    return load_config(folder / "plugins.toml")


def refused(made: Config, plugins: dict[str, type] | None = None) -> str:
    """Return why a configuration is refused."""
    with pytest.raises(ConfigurationError) as refusal:
        PluginHost(made, installed(plugins or {}))
    return str(refusal.value)


async def test_a_plugin_in_a_file_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its path is relative to plugins.toml, its table and its variables are named as the file is."""
    monkeypatch.setenv("STUDIOGATE_MY_BACKEND_GREETING", "Good day")
    made = written(tmp_path, '"./my_backend.py"', my_backend=MINE)
    async with running_gateway(made, {}) as running, httpx.AsyncClient(base_url=running.url, trust_env=False) as http:
        answer = await http.post(CHAT_PATH, json=HELLO)

    assert answer.json()["choices"][0]["message"]["content"] == "Good day"
    assert answer.headers["x-studiogate-backend"] == "my_backend"


@pytest.mark.parametrize("listed", ['"my_backend.py"', '"./my_backend.py"', '"{folder}/my_backend.py"'])
def test_a_file_is_named_as_one_likes(tmp_path: Path, listed: str) -> None:
    """By its name alone, from plugins.toml on, or from the root."""
    made = written(tmp_path, listed.format(folder=tmp_path), my_backend=MINE)

    assert PluginHost(made, {}).names == ("my_backend",)


def test_a_file_is_read_again_by_the_next_host(tmp_path: Path) -> None:
    """Two hosts have a class each, and a change counts at once, of however equal length."""
    made = written(tmp_path, '"a.py"', a=MINE)
    before = PluginHost(made, {}).plugin(object)
    (tmp_path / "a.py").write_text(MINE.replace("Mine", "Ours"))
    after = PluginHost(made, {}).plugin(object)

    assert [type(each).__name__ for each in (before, after)] == ["Mine", "Ours"]
    assert not (tmp_path / "__pycache__").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "plugin a: there is no file a.py where plugins.toml says."),
        ("x = 1", "plugin a: a.py holds no plugin class: one whose name has no underscore"),
        (MINE.replace("_Base", "Base"), "plugin a: Base and Mine are all plugin classes; a file holds one."),
        ("def", "plugin a: can't be imported: SyntaxError: invalid syntax (a.py, line 1)"),
        ("import nothing_so_named", "plugin a: can't be imported: ModuleNotFoundError: No module named 'nothing_so"),
    ],
)
def test_a_file_that_is_no_plugin_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    """The message names the plugin and the file, and no folder of this machine."""
    said = refused(written(tmp_path, '"a.py"', **({} if text is None else {"a": text})))

    assert said.startswith(message)
    assert str(tmp_path) not in said


def test_a_file_cant_have_the_name_of_an_installed_plugin(tmp_path: Path) -> None:
    """Whichever was meant, the other would never run."""
    there = {"mine": type("Installed", (), {})}

    assert refused(written(tmp_path, '"./mine.py"', mine=MINE), there) == (
        "plugins.toml: plugins: mine.py: a plugin 'mine' is installed. Give the file another name."
    )


@pytest.mark.parametrize("name", ["my-backend.py", "gateway.py", "./mine", "mine.txt/", "2.py"])
def test_a_file_is_named_as_its_table_could_be(tmp_path: Path, name: str) -> None:
    """Anything else is refused before it is looked for."""
    with pytest.raises(ConfigurationError, match="a plugin in a file is named as its table is to be"):
        written(tmp_path, f'"{name}"')


def test_a_name_stands_once_with_or_without_file(tmp_path: Path) -> None:
    """Two files of a name, or a file and a name, are one too many."""
    with pytest.raises(ConfigurationError, match=r"plugins: a is listed more than once\."):
        written(tmp_path, '"a.py", "sub/a.py"')


def test_a_wrong_table_of_a_file_is_told_like_any(tmp_path: Path) -> None:
    """Its settings are checked by its own class."""
    written(tmp_path, '"a.py"', a=MINE)
    (tmp_path / "plugins.toml").write_text('plugins = ["a.py"]\n[a]\ngreting = 1\n')

    assert refused(load_config(tmp_path / "plugins.toml")) == (
        "plugins.toml: [a] greting: is not known here. Did you mean 'greeting'?"
    )


def test_other_plugins_are_there_all_the_same() -> None:
    """A configuration without files is what it was."""
    assert host({"a": type("A", (), {})}).names == ("a",)
