"""`on_error = "skip"`: a plugin that can't be used is left out, as if it weren't listed, and everybody is told."""

import logging
from typing import Any

import attrs
import pytest

from studiogate import hookimpl
from studiogate.config import Config
from studiogate.errors import ConfigurationError, PluginRefused
from studiogate.plugins import InstalledPlugins, PluginHost

from .backends import CHAT_PATH, HELLO, backend, config, installed, says, serving


@attrs.frozen
class Settings:
    """Settings of a plugin."""

    port: int = 1


def base(**fields: Any) -> type:
    """Make a plugin class."""
    return type("Plugin", (), fields)


class Breaks:
    """Break while it is made."""

    requires = ("below",)

    def __init__(self) -> None:
        raise ValueError("sk-secret in /somewhere")


class NoSuchHook:
    """Implement what is no hook."""

    @hookimpl
    def list_model(self) -> None:
        """Say nothing."""


class Needs:
    """Say what it requires by its settings, badly."""

    settings = Settings

    def __init__(self, settings: Settings) -> None:
        """Be made."""

    @staticmethod
    def requires(settings: Settings) -> tuple[str, ...]:
        """Fail."""
        raise KeyError("sk-secret")


def unimportable() -> type:
    """Fail as an import does."""
    raise ImportError("cannot import name 'sk-secret' from '/somewhere/x.py'")


OTHERS = installed({"a": backend(says("Hello")), "below": base(), "above": base(requires=("x",))})
BROKEN: dict[str, tuple[Any, dict[str, Any], str]] = {
    "import": (unimportable, {}, "can't be imported"),
    "no class": (lambda: 7, {}, "doesn't fit this gateway"),
    "constructor": (lambda: Breaks, {}, "can't be made"),
    "settings": (lambda: base(settings=Settings), {"port": "sk-secret"}, "is set wrongly"),
    "settings of none": (lambda: base(), {"port": 1}, "is set wrongly"),  # noqa: PLW0108 - a loader is called
    "hook": (lambda: NoSuchHook, {}, "doesn't fit this gateway"),
    "version": (lambda: base(api_version="9.0"), {}, "doesn't fit this gateway"),
    "requires": (lambda: Needs, {}, "can't say what it requires"),
    "required": (lambda: base(requires=("gone",)), {}, "requires gone, which is not installed"),
    "circle": (lambda: base(requires=("above",)), {}, "is in a circle: x -> above -> x"),
    "hookspecs": (lambda: base(hookspecs=pytest), {}, "brings hooks that can't be used"),
}


def made(table: dict[str, Any], *listed: str, on_error: str = "skip") -> Config:
    """Make a configuration with a table for `x`."""
    return attrs.evolve(config(*listed), tables={"gateway": {"port": 0, "on_error": on_error}, "x": table})


def there(load: Any) -> InstalledPlugins:
    """Return the plugins there are, `x` by its loader."""
    return {**OTHERS, "x": load}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_stops_the_start(kind: str) -> None:
    """By default, with one message that names it."""
    load, table, in_short = BROKEN[kind]

    with pytest.raises(PluginRefused) as refusal:
        PluginHost(made(table, "x", "a", on_error="stop"), there(load))

    assert (refusal.value.plugin, refusal.value.in_short) == ("x", in_short)
    assert "x" in str(refusal.value)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_left_out(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """What requires it goes with it, what only it requires isn't loaded; the log says all, others a few words."""
    load, table, in_short = BROKEN[kind]
    made_host = PluginHost(made(table, "x", "above", "a"), there(load))

    assert made_host.names == ("a",)
    assert made_host.left_out == {"x": in_short, "above": "requires x, which is left out"}
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert "x" in caplog.messages[0]


def test_a_name_that_is_not_installed_is_left_out() -> None:
    """A package that was removed leaves its name and its table in the file."""
    made_host = PluginHost(made({"port": 1}, "x", "a"), OTHERS)

    assert made_host.left_out == {"x": "is not installed"}


def test_a_wrong_table_of_nobody_stops_the_start_all_the_same() -> None:
    """Only plugins can be left out: what else is wrong with the file is wrong."""
    wrong = attrs.evolve(made({}, "a"), tables={"gateway": {"on_error": "skip"}, "typo": {}})

    with pytest.raises(ConfigurationError, match=r"\[typo\]: no plugin has this name"):
        PluginHost(wrong, OTHERS)


def test_each_plugin_is_made_once() -> None:
    """However often everything is put together anew."""
    made_plugins: list[object] = []

    class Counted:
        def __init__(self) -> None:
            made_plugins.append(self)

    loaders: InstalledPlugins = {**there(lambda: Breaks), "counted": lambda: Counted, "hook": lambda: NoSuchHook}
    PluginHost(made({}, "counted", "x", "hook"), loaders)

    assert len(made_plugins) == 1


async def test_health_tells_who_is_left_out() -> None:
    """The others answer; the words are ours alone, whatever the plugin's error said."""
    plugins = {"x": Breaks, "below": base(), "a": backend(says("Hello"))}
    async with serving(plugins, on_error="skip") as served:
        answer = await served.http.post(CHAT_PATH, json=HELLO)
        health = await served.http.get("/health")

    assert (answer.status_code, health.status_code) == (200, 200)
    assert health.json()["plugins"]["x"] == {
        "ready": False,
        "status": "left out",
        "advice": "It can't be made. The gateway's log says more.",
        "details": {},
    }
    assert "sk-secret" not in health.text


async def test_without_any_backend_health_says_who_is_missing() -> None:
    """An operator who reads `message` alone learns it too."""
    async with serving({"x": Breaks, "below": base()}, on_error="skip") as served:
        health = await served.http.get("/health")

    assert health.status_code == 503
    assert health.json()["message"] == "No backend is enabled in plugins.toml. x is left out: it can't be made."
