"""What `studiogate plugins list` says."""

from pathlib import Path
from typing import Any

import attrs

from studiogate import hookimpl
from studiogate.config import Config
from studiogate.plugin_listing import listing
from studiogate.plugins import InstalledPlugins

from .backends import backend, config, installed, says
from .test_cli import configured, studiogate, there

__all__ = ["there"]


@attrs.frozen(kw_only=True)
class Server:
    """A table below a plugin's."""

    url: str
    token: str | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class Settings:
    """Settings of every kind."""

    enabled: bool = True
    port: int = 1
    names: tuple[str, ...] = ("a", "b")
    folder: Path | None = None
    api_key: str | None = attrs.field(default=None, repr=False)
    servers: dict[str, Server] = attrs.field(factory=dict[str, Server])


class Configured:
    """A plugin with settings and a hook."""

    settings = Settings
    requires = ("below",)

    def __init__(self, settings: Settings) -> None:
        self.options = settings

    @hookimpl
    def capacity(self) -> int:
        """Have room for one."""
        return 1


THERE = installed({"other": backend(says("x")), "mine": Configured, "below": type("Below", (), {})})


def lines(made: Config, plugins: InstalledPlugins = THERE) -> list[str]:
    """Return what is told of a configuration that a gateway would start with."""
    told = listing(made, plugins)
    assert told.refusal is None
    return list(told.lines)


def mine(table: dict[str, Any], **environ: str) -> Config:
    """Make a configuration that lists `mine`."""
    return Config(path=Path("/somewhere/plugins.toml"), plugins=("mine",), tables={"mine": table}, environ=environ)


def test_what_runs_stands_in_its_order() -> None:
    """What is required has its place, and what isn't listed comes after."""
    told = [line for line in lines(config("mine")) if not line.startswith(" ")]

    assert told == ["1. below: not listed, but required", "2. mine", "-  other: not listed"]


def test_the_hooks_are_named() -> None:
    """A plugin's own, and those of one that isn't listed."""
    told = lines(config("mine"))

    assert told[told.index("2. mine") + 1] == "   hooks: capacity"
    assert told[told.index("-  other: not listed") + 1] == "   hooks: fetch_response, list_models"
    assert told[1] == "   hooks: none"


def test_settings_have_their_values_and_where_these_come_from() -> None:
    """A default has no source, everything else names it."""
    told = lines(mine({"port": 7, "folder": "files"}, STUDIOGATE_MINE_NAMES="c,d"))

    assert "   port = 7  # plugins.toml" in told
    assert '   folder = "/somewhere/files"  # plugins.toml' in told
    assert '   names = ["c", "d"]  # environment variable STUDIOGATE_MINE_NAMES' in told
    assert "   enabled = true" in told
    assert "   api_key = (not set)" in told


def test_secrets_are_not_shown() -> None:
    """Wherever one stands, only that it is set is said."""
    servers = {"a b": {"url": "http://x", "token": "sk-hidden"}}
    told = lines(mine({"api_key": "sk-hidden", "servers": servers}))

    assert "   api_key = (set, not shown)  # plugins.toml" in told
    assert '   servers = { "a b" = { url = "http://x", token = (set, not shown) } }  # plugins.toml' in told
    assert "hidden" not in "\n".join(told)


def test_what_is_switched_off_says_by_what() -> None:
    """It is listed, and doesn't run."""
    told = lines(mine({"enabled": False}))

    assert "-  mine: switched off (plugins.toml)" in told


def test_a_wrong_setting_doesnt_hide_the_rest() -> None:
    """The plugin's place in the list says what is wrong, and so does the end."""
    told = listing(mine({"prot": 7}), THERE)

    wrong = "plugins.toml: [mine] prot: is not known here. Did you mean 'port'?"
    assert told.lines[:3] == ("1. mine", "   hooks: capacity", f"   {wrong}")
    assert str(told.refusal) == wrong


def test_the_command_shows_distributions_and_whats_broken(there: Path) -> None:
    """Each plugin's distribution and version; one that can't be imported says why and stops nothing but the start."""
    configured(there, 'plugins = ["answers"]')
    whole = studiogate(there, "plugins", "list")
    configured(there, 'plugins = ["answers", "brokn"]')
    refused = studiogate(there, "plugins", "list")

    assert whole.returncode == 0, whole.stderr
    assert whole.stdout.startswith("1. answers  (third-party 1.0)\n   hooks: fetch_response\n")
    assert "-  broken  (third-party 1.0): not listed\n   plugin broken: can't be imported: Modul" in whole.stdout
    assert "2. brokn\n   not installed\n" in refused.stdout
    assert refused.stderr.startswith("studiogate: plugins.toml: plugins: no plugin 'brokn' is installed.")
    assert refused.returncode == 2
