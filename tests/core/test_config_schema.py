"""The schema of plugins.toml: it takes what the gateway takes, and refuses what types and names can tell is wrong."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator

from studiogate.config_cli import effective, show_config
from studiogate.config_option import read_config
from studiogate.config_schema import config_schema, table_schema
from studiogate.plugins import installed_plugins
from studiogate.strict import not_empty, one_of, positive, within

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "plugins.toml",
    *(path for pattern in ("docs/*.md", "*/README.md", "plugins/*/README.md") for path in sorted(ROOT.glob(pattern))),
]


@attrs.frozen(kw_only=True)
class Inner:
    """Be a table in a table."""

    needed: int


@attrs.frozen(kw_only=True)
class Settings:
    """Have a field of every kind."""

    flag: bool = False
    """Whether it is
    so."""
    count: int | None = attrs.field(default=None, validator=within(1, 9))
    ratio: float = attrs.field(default=1.5, validator=positive)
    kind: str = attrs.field(default="a", validator=one_of("a", "b"))
    name: str | None = attrs.field(default=None, validator=not_empty)
    folders: tuple[Path, ...] = ()
    inner: dict[str, Inner] = attrs.field(factory=dict[str, Inner])
    either: int | str = 1


@attrs.frozen
class Judge:
    """Validate by the schema of all that is installed."""

    schema: dict[str, Any]

    def complaints(self, table: Any) -> list[str]:
        """Return what is wrong with a file."""
        errors: Any = Draft7Validator(self.schema).iter_errors(table)  # pyright: ignore[reportUnknownMemberType]
        return [error.message for error in errors]


@pytest.fixture(scope="module")
def judge() -> Judge:
    """Make the schema once."""
    schema = config_schema(installed_plugins())
    Draft7Validator.check_schema(schema)
    return Judge(schema)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_file_and_every_example_are_valid(page: Path, judge: Judge) -> None:
    """What we tell people to write, an editor doesn't underline."""
    text = page.read_text()
    examples = [text] if page.suffix == ".toml" else re.findall(r"^```toml\n(.+?)^```", text, re.DOTALL | re.MULTILINE)
    for example in examples:
        tables: dict[str, Any] = {"plugins": [], **tomllib.loads(example)}
        # An example of somebody's own plugin is of one that is not installed here.
        if tables.keys() <= judge.schema["properties"].keys():
            assert judge.complaints(tables) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        'plugins = ["nobody"]',
        'plugins = "mcp"',
        'plugins = ["mcp", "mcp"]',
        "plugins = []\nport = 1",
        "plugins = []\n[nobody]",
        "plugins = []\n[gateway]\nprot = 1",
        "plugins = []\n[gateway]\nport = 99999",
        'plugins = []\n[gateway]\nport = "1"',
        'plugins = []\n[gateway]\nlog_level = "loud"',
        "plugins = []\n[gateway]\ndeadline_s = 0",
        "plugins = []\n[gateway.timeouts.mcp]\nsilence = 1",
        "plugins = []\n[defaults]\ntemperature = 3",
        'plugins = []\n[defaults]\nreasoning_effort = "huge"',
        'plugins = []\n[defaults]\nstop = ["1", "2", "3", "4", "5", "6"]',
        "plugins = []\n[[models]]\ntarget = 'x'",
        "plugins = []\n[[models]]\nid = ' '",
        "plugins = []\n[studio]\ntabs = 0",
        "plugins = []\n[stream_intercept]\nport = true",
    ],
)
def test_what_the_gateway_refuses_is_underlined(wrong: str, judge: Judge) -> None:
    """As far as types, limits and names go."""
    assert judge.complaints(tomllib.loads(wrong))


def test_a_class_becomes_a_table() -> None:
    """With types, limits, defaults, and the words under each field."""
    made = table_schema(Settings)

    assert made["description"] == "Have a field of every kind."
    assert made["additionalProperties"] is False
    assert made["properties"] == {
        "flag": {"type": "boolean", "default": False, "description": "Whether it is so."},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "ratio": {"type": "number", "exclusiveMinimum": 0, "default": 1.5},
        "kind": {"type": "string", "enum": ["a", "b"], "default": "a"},
        "name": {"type": "string", "pattern": r"\S"},
        "folders": {"type": "array", "items": {"type": "string", "minLength": 1}},
        "inner": {
            "type": "object",
            "additionalProperties": {
                "description": "Be a table in a table.",
                "type": "object",
                "additionalProperties": False,
                "properties": {"needed": {"type": "integer"}},
            },
        },
        "either": {"anyOf": [{"type": "integer"}, {"type": "string"}], "default": 1},
    }


def test_a_plugin_that_cant_be_imported_spoils_nothing() -> None:
    """Its table may hold anything; one of a plugin without settings may hold nothing."""

    def broken() -> type:
        raise ImportError("gone")

    properties = config_schema({"broken": broken, "plain": lambda: object})["properties"]

    assert properties["broken"] == {"type": "object"}
    assert properties["plain"] == {"type": "object", "maxProperties": 0}


def test_the_command_prints_the_schema_whatever_the_file_says(tmp_path: Path) -> None:
    """Whoever asks may be about to correct it."""
    path = tmp_path / "plugins.toml"
    path.write_text("plugins = [")
    done = CliRunner().invoke(show_config, ["--config", str(path), "--schema"])

    assert json.loads(done.stdout)["title"] == "studiogate's plugins.toml"


def test_what_holds_is_printed_with_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As TOML that says the same; a secret is named and not shown."""
    path = tmp_path / "plugins.toml"
    path.write_text(
        'plugins = ["helper_backend"]\n[gateway]\nqueue_limit = 7\n[helper_backend]\nprotocol = "openai"\n'
        'base_url = "https://example.com/v1"\n[[models]]\nid = "a"\ntarget = "b"\n'
    )
    (tmp_path / ".env").write_text("STUDIOGATE_GATEWAY_SLOTS=3\n")
    monkeypatch.setenv("STUDIOGATE_HELPER_BACKEND_API_KEY", "sk-hidden")
    lines = list(effective(read_config(path, {"gateway": {"port": 5}})))
    read: dict[str, Any] = tomllib.loads("\n".join(lines))

    assert "port = 5  # command line" in lines
    assert "slots = 3  # environment variable STUDIOGATE_GATEWAY_SLOTS" in lines
    assert "queue_limit = 7  # plugins.toml" in lines
    assert 'host = "127.0.0.1"  # default' in lines
    assert "# default_model: not set" in lines
    assert "# api_key: (set, not shown)  # environment variable STUDIOGATE_HELPER_BACKEND_API_KEY" in lines
    assert "sk-hidden" not in "\n".join(lines)
    assert read["gateway"]["queue_limit"] == 7
    assert read["helper_backend"]["base_url"] == "https://example.com/v1"
    assert read["models"] == [{"id": "a", "target": "b"}]
