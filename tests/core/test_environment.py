import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from studiogate.config import load_config
from studiogate.defaults import Defaults
from studiogate.environment import Variable, read_environment
from studiogate.errors import ConfigurationError
from studiogate.plugins import installed_plugins
from studiogate.settings import GatewaySettings


def written(folder: Path, content: str | bytes) -> Path:
    """Write a `.env`; return its folder."""
    (folder / ".env").write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("A=1\nB=2", {"A": "1", "B": "2"}),
        ("# why\n\n  export A = 1  # because\n", {"A": "1"}),
        ("A='x # y'\nB=\"x\\ny\"", {"A": "x # y", "B": "x\ny"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=ü", {"A": "ü"}),
        ("HOST=h\nA=http://${HOST}:1", {"HOST": "h", "A": "http://h:1"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A=\nB=2", {"B": "2"}),
        ("", {}),
    ],
)
def test_a_dotenv_is_read(tmp_path: Path, content: str, expected: dict[str, str]) -> None:
    """As python-dotenv does it: comments, quotes, `export`, `${OTHER}`; an empty value is none."""
    assert read_environment(written(tmp_path, content), {}) == expected


def test_the_process_beats_the_dotenv(tmp_path: Path) -> None:
    """A variable of the process is stronger, unless it is empty."""
    written(tmp_path, "A=file\nB=file\nC=file")

    assert read_environment(tmp_path, {"A": "process", "B": ""}) == {"A": "process", "B": "file", "C": "file"}


def test_without_a_dotenv_the_process_counts(tmp_path: Path) -> None:
    """A missing file is none, and so is a folder of that name, as some call their virtual environments."""
    assert read_environment(tmp_path, {"A": "1"}) == {"A": "1"}
    (tmp_path / ".env").mkdir()
    assert read_environment(tmp_path, {"A": "1"}) == {"A": "1"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("A=1\n\nPORT 2048\n", ".env: line 3: must be NAME=value."),
        ("PORT\nA=hunter2\n=3", ".env: line 1: must be NAME=value.\n.env: line 3: must be NAME=value."),
        ("A='hunter2", ".env: line 1: must be NAME=value."),
        (b"A=\xff", ".env: is not UTF-8 text."),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, content: str | bytes, message: str) -> None:
    """What can't be read stops the start, by its line and without its text, which may be a password."""
    with pytest.raises(ConfigurationError) as refusal:
        read_environment(written(tmp_path, content), {})

    assert str(refusal.value) == message


def test_a_dotenv_that_cant_be_opened_says_why(tmp_path: Path) -> None:
    """It is not passed over: what it says may be what keeps the gateway safe."""
    (tmp_path / ".env").symlink_to(".env")

    with pytest.raises(ConfigurationError, match=r"^\.env: can't be read: Too many levels of symbolic links\.$"):
        read_environment(tmp_path, {})


def test_a_configuration_has_the_dotenv_of_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one beside plugins.toml, wherever the gateway is started: below the process's variables, above the file."""
    monkeypatch.chdir("/")
    monkeypatch.setenv("DEFAULT_FASTAPI_PORT", "1")
    written(tmp_path, "STUDIOGATE_GATEWAY_SLOTS=2\nRESPONSE_COMPLETION_TIMEOUT=3000\nDEFAULT_FASTAPI_PORT=4")
    (tmp_path / "plugins.toml").write_text("plugins = []\n[gateway]\nslots = 5\nqueue_limit = 6")
    gateway = load_config(tmp_path / "plugins.toml").gateway

    assert (gateway.port, gateway.slots, gateway.deadline_s, gateway.queue_limit) == (1, 2, 3.0, 6)


def test_a_dotenv_stays_out_of_the_process(tmp_path: Path) -> None:
    """Its passwords are not handed on to the processes that the gateway starts."""
    written(tmp_path, "STUDIOGATE_TEST_SECRET=hunter2")
    (tmp_path / "plugins.toml").write_text("plugins = []")
    script = (
        "import os, pathlib; from studiogate.config import load_config;"
        "print(load_config(pathlib.Path('plugins.toml')).environ['STUDIOGATE_TEST_SECRET'],"
        "'STUDIOGATE_TEST_SECRET' in os.environ)"
    )
    said = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert said.stdout.split() == ["hunter2", "False"]
    assert "STUDIOGATE_TEST_SECRET" not in os.environ


def documented() -> dict[str, str]:
    """Return the rows of operating.md's table: variables and the settings they set."""
    text = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
    rows = text.partition("| variable | setting | meaning |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [row.split("|") for row in rows]
    return {name.strip(" `"): setting for _, names, setting, *_ in cells for name in names.split(",")}


def test_every_variable_is_documented() -> None:
    """Operators find every name beyond STUDIOGATE_... in one table, with the setting it sets, and no other."""
    kinds = {name: getattr(load(), "settings", None) for name, load in installed_plugins().items()}
    names: dict[str, list[tuple[str, str]]] = {}
    for table, kind in {"gateway": GatewaySettings, "defaults": Defaults, **kinds}.items():
        for field in attrs.fields(kind) if kind else ():
            for variable in field.metadata.get("env", ()):
                name = variable.name if isinstance(variable, Variable) else variable
                names.setdefault(name, []).append((table, field.name))
    told = documented()

    assert set(told) == set(names)
    for name, fields in names.items():
        assert all(f"[{table}]" in told[name] and f"{key}`" in told[name] for table, key in fields), name
