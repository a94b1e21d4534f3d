import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest

from studiogate import hookimpl, hookspec, hookspecs
from studiogate.config import Config
from studiogate.errors import ConfigurationError
from studiogate.exchange import Exchange
from studiogate.plugins import PluginHost, installed_plugins

from .backends import config, host, installed


class Plain:
    """Say one's own capacity."""

    @hookimpl
    def capacity(self) -> int:
        """Say one."""
        return 1


def plugin(*, requires: tuple[str, ...] = ()) -> type:
    """Make a plugin of its own class."""
    return type("Plugin", (Plain,), {"requires": requires})


def refused(plugins: dict[str, type]) -> str:
    """Return why the host refuses plugins."""
    with pytest.raises(ConfigurationError) as refusal:
        host(plugins)
    return str(refusal.value)


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a")])
def test_hooks_run_in_the_order_of_the_file(order: tuple[str, ...]) -> None:
    """Whatever order the plugins were installed in, plugins.toml's counts."""
    made = PluginHost(config(*order), installed({"a": plugin(), "b": plugin(), "c": plugin()}))

    assert made.names == order
    assert [name for name, _ in made.call("capacity")] == list(order)


def test_what_a_plugin_requires_comes_right_before_it() -> None:
    """Required plugins are loaded without being listed."""
    there = {
        "a": plugin(),
        "b": plugin(requires=("c", "d")),
        "c": plugin(requires=("e",)),
        "d": plugin(),
        "e": plugin(),
    }
    made = PluginHost(config("a", "b"), installed(there))

    assert made.names == ("a", "e", "c", "d", "b")


def test_a_plugin_required_twice_and_listed_is_loaded_once() -> None:
    """The first place at which a plugin is needed is its place."""
    made: list[str] = []

    class Counted(Plain):
        def __init__(self) -> None:
            made.append("shared")

    there = {"a": plugin(requires=("shared",)), "b": plugin(requires=("shared",)), "shared": Counted}
    names = PluginHost(config("a", "b", "shared"), installed(there)).names

    assert names == ("shared", "a", "b")
    assert made == ["shared"]


@attrs.frozen(kw_only=True)
class Switched:
    """Settings with a switch."""

    enabled: bool = True


class Switchable(Plain):
    """A plugin that can be switched off; it requires another."""

    settings = Switched
    requires = ("below",)

    def __init__(self, settings: Switched) -> None:
        assert settings.enabled


def switched(*names: str, enabled: bool, environ: dict[str, str] | None = None, **plugins: type) -> PluginHost:
    """Load plugins, `a` among them as the file's switch says."""
    made = attrs.evolve(config(*names), tables={"a": {"enabled": enabled}}, environ=environ or {})
    return PluginHost(made, installed({"a": Switchable, "below": plugin(), **plugins}))


def test_a_plugin_that_is_switched_off_counts_as_not_listed() -> None:
    """With `enabled = false` in its table neither it nor what it alone requires is loaded; the host knows why."""
    off = switched("a", "b", enabled=False, b=plugin())

    assert off.names == ("b",)
    assert off.off == {"a": "plugins.toml"}
    assert switched("a", "b", enabled=True, b=plugin()).names == ("below", "a", "b")
    assert switched("a", enabled=True, environ={"STUDIOGATE_A_ENABLED": "false"}).off == {
        "a": "environment variable STUDIOGATE_A_ENABLED"
    }


@attrs.frozen(kw_only=True)
class Wish:
    """Settings that name a plugin."""

    wants: str = "below"


class Wishing(Plain):
    """A plugin that requires whatever its settings name, by a class method."""

    settings = Wish

    def __init__(self, settings: Wish) -> None:
        self.options = settings

    @classmethod
    def requires(cls, settings: Wish) -> tuple[str, ...]:
        """Need what the settings name."""
        return (settings.wants,) if settings.wants else ()


def wishing(kind: type = Wishing, **table: str) -> PluginHost:
    """Load a plugin `a` with its table; there are `below` and `other` besides."""
    made = attrs.evolve(config("a"), tables={"a": table})
    return PluginHost(made, installed({"a": kind, "below": plugin(), "other": plugin()}))


def test_what_a_plugin_requires_may_depend_on_its_settings() -> None:
    """The method is asked with the settings, and its answer counts wherever requirements do."""
    assert wishing().names == ("below", "a")
    assert wishing(wants="other").names == ("other", "a")
    assert wishing(wants="").names == ("a",)
    assert wishing(wants="other").needs("a") == ("other", "a")
    assert wishing(wants="").needs("a") == ("a",)


def test_a_method_that_cant_say_what_is_required_names_the_plugin() -> None:
    """It stops the start, like any other mistake of a plugin while it is loaded."""

    class Broken(Wishing):
        @staticmethod
        def requires(settings: Wish) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
            raise ValueError("no idea")

    class Strict(Wishing):
        @staticmethod
        def requires(settings: Wish) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
            raise ConfigurationError("[a] wants: is needed.")

    class Unset(Plain):
        @staticmethod
        def requires(settings: Wish) -> tuple[str, ...]:
            return ()

    with pytest.raises(ConfigurationError, match=r"^plugin a: can't say what it requires: ValueError: no idea$"):
        wishing(Broken)
    with pytest.raises(ConfigurationError, match=r"^\[a\] wants: is needed\.$"):
        wishing(Strict)
    assert refused({"a": Unset}) == "plugin a: requires is a method, and there are no settings to give it."


def test_a_plugin_that_another_requires_cant_be_switched_off() -> None:
    """The one that needs it couldn't work; the message names both and the place of the switch."""
    with pytest.raises(ConfigurationError, match=r"plugin b requires a, which is switched off \(plugins\.toml\)"):
        switched("b", enabled=False, b=plugin(requires=("a",)))


def test_plugins_that_require_each_other_are_refused() -> None:
    """A circle is named in full."""
    circle = {"a": plugin(requires=("b",)), "b": plugin(requires=("c",)), "c": plugin(requires=("a",))}

    assert refused(circle) == "plugins a -> b -> c -> a require each other in a circle."


def test_an_unknown_plugin_is_refused_with_the_nearest_name() -> None:
    """A typing error in the list names file, key and what would be right."""
    with pytest.raises(ConfigurationError) as refusal:
        PluginHost(config("strem"), installed({"stream": Plain, "other": Plain}))

    assert str(refusal.value) == "plugins.toml: plugins: no plugin 'strem' is installed. Did you mean 'stream'?"


def test_an_unknown_required_plugin_names_who_requires_it() -> None:
    """The operator didn't write the name, so the message says where it comes from."""
    assert refused({"a": plugin(requires=("missing",))}).startswith("required by a: no plugin 'missing' is installed.")


def test_an_import_that_fails_names_the_plugin() -> None:
    """However a plugin's import fails, the operator learns whose it was."""

    def load() -> type:
        raise ModuleNotFoundError("No module named 'browser'")

    with pytest.raises(ConfigurationError) as refusal:
        PluginHost(config("broken"), {"broken": load})

    assert str(refusal.value) == "plugin broken: can't be imported: ModuleNotFoundError: No module named 'browser'"


def test_an_entry_point_must_name_a_class() -> None:
    """A function or a module is no plugin."""
    there: Any = {"odd": lambda: 7}

    with pytest.raises(ConfigurationError, match="plugin odd: its entry point must name a class, not 7"):
        PluginHost(config("odd"), there)


def test_only_what_is_listed_or_required_is_imported() -> None:
    """An installed plugin that nobody asked for is not even imported."""
    loaded: list[str] = []

    def loader(name: str, kind: type) -> Any:
        def load() -> type:
            loaded.append(name)
            return kind

        return load

    there = {"a": plugin(requires=("b",)), "b": plugin(), "heavy": plugin()}
    PluginHost(config("a"), {name: loader(name, kind) for name, kind in there.items()})

    assert loaded == ["a", "b"]


@pytest.mark.parametrize("option", ["tryfirst", "trylast", "wrapper", "hookwrapper"])
def test_an_implementation_cant_change_the_order(option: str) -> None:
    """Order is the operator's; wrappers and the like are refused by name."""
    options: dict[str, Any] = {option: True}

    class Pushy:
        @hookimpl(**options)  # type: ignore[untyped-decorator, unused-ignore]
        def capacity(self) -> Any:
            yield

    assert refused({"pushy": Pushy}).startswith(f"plugin pushy: capacity is marked {option};")


def test_an_unknown_hook_is_refused_with_the_nearest_name() -> None:
    """A hook with a typing error in its name would never be called."""

    class Typo:
        @hookimpl
        def list_model(self) -> None:
            pass

    assert refused({"typo": Typo}) == "plugin typo: list_model is no hook. Did you mean 'list_models'?"


def test_an_argument_that_the_hook_lacks_is_refused() -> None:
    """Argument names are part of the contract."""

    class Wrong:
        @hookimpl
        def health(self, verbose: bool) -> None:  # noqa: FBT001
            pass

    message = refused({"wrong": Wrong})

    assert message.startswith("plugin wrong: ")
    assert "verbose" in message


def test_arguments_may_be_left_out() -> None:
    """An implementation asks for what it needs."""
    seen: list[str] = []

    class Modest:
        @hookimpl
        def apply_params(self, backend: str) -> None:
            seen.append(backend)

    host({"modest": Modest}).call("apply_params", params=None, model=None, backend="x")

    assert seen == ["x"]


class AsyncCapacity:
    """Answer a sync hook with a coroutine."""

    @hookimpl
    async def capacity(self) -> int:
        """Be async."""
        return 1


class SyncMapTools:
    """Answer an async hook at once."""

    @hookimpl
    def map_tools(self) -> None:
        """Be sync."""


class PlainFetch:
    """Answer with a coroutine instead of a generator."""

    @hookimpl
    async def fetch_response(self, exchange: Exchange) -> None:
        """Be no generator."""


class UnmanagedLifespan:
    """Forget the decorator that makes a context manager."""

    @hookimpl
    async def lifespan(self) -> AsyncGenerator[None]:
        """Be no context manager."""
        yield


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (AsyncCapacity, "plugin x: capacity must be sync."),
        (SyncMapTools, "plugin x: map_tools must be async."),
        (PlainFetch, "plugin x: fetch_response must be an async generator."),
        (UnmanagedLifespan, "plugin x: lifespan must be sync."),
    ],
)
def test_sync_and_async_are_not_confused(kind: type, message: str) -> None:
    """What would fail at the first call is refused at load."""
    assert refused({"x": kind}) == message


@attrs.frozen(kw_only=True)
class Settings:
    """Settings of a plugin."""

    port: int = 1


class Configured:
    """A plugin with settings."""

    settings = Settings

    def __init__(self, settings: Settings) -> None:
        self.port = settings.port


def loaded(kind: type, table: dict[str, Any], **environ: str) -> PluginHost:
    """Load a plugin named `mine` with its table."""
    made = Config(path=Path("/plugins.toml"), plugins=("mine",), tables={"mine": table}, environ=environ)
    return PluginHost(made, installed({"mine": kind}))


def test_a_plugin_is_made_with_its_settings() -> None:
    """The host checks the plugin's table and hands over the plugin's own class."""
    made = loaded(Configured, {"port": 7}).plugin(Configured)

    assert made.port == 7


def test_a_plugins_settings_come_from_the_environment_too() -> None:
    """`STUDIOGATE_<PLUGIN>_<KEY>` works for every plugin."""
    assert loaded(Configured, {"port": 7}, STUDIOGATE_MINE_PORT="8").plugin(Configured).port == 8


def test_an_unknown_key_of_a_plugin_is_refused() -> None:
    """A plugin's table is checked by the plugin's own settings class."""
    with pytest.raises(ConfigurationError, match=r"\[mine\] prot: is not known here. Did you mean 'port'\?"):
        loaded(Configured, {"prot": 7})


def test_a_table_for_a_plugin_without_settings_is_refused() -> None:
    """Settings that nothing reads are a mistake."""
    with pytest.raises(ConfigurationError, match=r"plugins\.toml: \[mine\]: this plugin has no settings"):
        loaded(Plain, {"port": 7})


def test_a_plugin_without_settings_needs_no_table() -> None:
    """A class and a hook are all a plugin needs."""
    assert loaded(Plain, {}).call("capacity") == [("mine", 1)]


def test_a_constructor_that_fails_names_the_plugin() -> None:
    """A plugin that breaks while it is made stops the start with its name, not with a traceback."""

    class Broken:
        def __init__(self) -> None:
            raise ValueError("no such codec")

    assert refused({"broken": Broken}) == "plugin broken: can't be made: ValueError: no such codec"


def test_a_plugin_finds_another_by_its_class() -> None:
    """What isn't loaded is an error that says to require it."""
    made = host({"a": Plain})

    assert isinstance(made.plugin(Plain), Plain)
    with pytest.raises(ConfigurationError, match="No plugin of class Configured is loaded"):
        made.plugin(Configured)


def hooks_of_its_own() -> ModuleType:
    """Make a module of hook specifications, as a third party ships."""

    def paint(colour: str) -> str | None:
        """Paint."""

    async def dry(seconds: float) -> str | None:
        """Dry."""

    module = ModuleType("painting")
    vars(module).update(paint=hookspec(paint), dry=hookspec(dry))
    return module


class Painter:
    """Bring hooks and implement one."""

    hookspecs = hooks_of_its_own()

    @hookimpl
    def paint(self, colour: str) -> str:
        """Paint."""
        return f"painter {colour}"


class Apprentice:
    """Implement both hooks of another plugin."""

    requires = ("painter",)

    @hookimpl
    def paint(self) -> str:
        """Paint."""
        return "apprentice"

    @hookimpl
    async def dry(self, seconds: float) -> str:
        """Dry."""
        return f"dried {seconds}"


async def test_a_plugins_own_hooks_are_as_good_as_ours() -> None:
    """A plugin defines hooks, others implement them, and it calls them in order, sync or async."""
    made = PluginHost(config("apprentice"), installed({"painter": Painter, "apprentice": Apprentice}))

    assert made.call("paint", colour="red") == [("painter", "painter red"), ("apprentice", "apprentice")]
    assert await made.call_async("dry", seconds=1.5) == [("apprentice", "dried 1.5")]


def test_a_hook_of_a_plugin_that_isnt_loaded_is_unknown() -> None:
    """Whoever implements another plugin's hooks requires that plugin."""
    alone = type("Alone", (Apprentice,), {"requires": ()})

    assert "is no hook" in refused({"alone": alone})


class Helpful:
    """Implement another plugin's hook where there is one."""

    @hookimpl(optionalhook=True)
    def paint(self) -> str:
        """Paint."""
        return "helpful"


def test_an_optional_implementation_is_left_alone_without_the_hook() -> None:
    """Its plugin works without the one that defines the hook, and with it is called like any other."""
    alone = host({"helpful": Helpful})
    together = host({"helpful": Helpful, "painter": Painter})

    assert alone.names == ("helpful",)
    assert together.call("paint", colour="red") == [("helpful", "helpful"), ("painter", "painter red")]


def test_a_plugins_own_hook_is_checked_like_ours() -> None:
    """Sync and async are told apart in plugin-defined hooks too."""

    class Hasty:
        @hookimpl
        def dry(self) -> None:
            pass

    assert refused({"painter": Painter, "hasty": Hasty}) == "plugin hasty: dry must be async."


def test_a_result_of_none_says_nothing() -> None:
    """`call` leaves out who had nothing to say."""

    class Silent:
        @hookimpl
        def capacity(self) -> None:
            pass

    assert host({"silent": Silent, "plain": Plain}).call("capacity") == [("plain", 1)]


def test_a_lifespan_is_a_context_manager() -> None:
    """A method decorated as an async context manager is what the hook wants."""

    class Living:
        @hookimpl
        @asynccontextmanager
        async def lifespan(self) -> AsyncGenerator[None]:
            yield

    assert [each.plugin for each in host({"living": Living}).implementations("lifespan")] == ["living"]


def test_installed_plugins_are_found_without_importing_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entry points of the group `studiogate.plugins` are offered by name; loading one imports it."""
    metadata = tmp_path / "third_party-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[studiogate.plugins]\nthird = third_party_of_test:Third\n")
    (tmp_path / "third_party_of_test.py").write_text("class Third: ...\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    load = installed_plugins()["third"]

    assert "third_party_of_test" not in sys.modules
    assert load().__name__ == "Third"


def test_requires_must_not_be_one_string() -> None:
    """A forgotten comma would be read letter by letter."""

    class Sloppy:
        requires = "studio"

    with pytest.raises(ConfigurationError, match="requires must be a tuple of names"):
        host({"sloppy": Sloppy})


def version_of(needed: object) -> type:
    """Make a plugin that needs a version of the contract."""
    return type("Versioned", (), {"api_version": needed})


@pytest.mark.parametrize("needed", ["1.0", "1.1", "1.3"])
def test_a_plugin_fits_what_has_all_it_needs(needed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same major version, and no less of it."""
    monkeypatch.setattr("studiogate.hookspecs.API_VERSION", "1.3")

    assert host({"a": version_of(needed)}).names == ("a",)


@pytest.mark.parametrize(
    ("needed", "message"),
    [
        ("1.4", "it needs version 1.4 of the plugin API, and this gateway has 1.3. Install a newer version of studiog"),
        ("2.0", "it needs version 2.0 of the plugin API, and this gateway has 1.3. Install a newer version of studiog"),
        ("0.9", "it is made for version 0.9 of the plugin API, and this gateway has 1.3. Install a newer version of t"),
        (1, "api_version must be a text such as '1.3', not 1."),
        ("1", "api_version must be a text such as '1.3', not '1'."),
    ],
)
def test_a_plugin_for_another_version_is_refused(needed: object, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both versions are named, and what to install."""
    monkeypatch.setattr("studiogate.hookspecs.API_VERSION", "1.3")

    assert refused({"a": version_of(needed)}).startswith(f"plugin a: {message}")


def test_the_contracts_version_is_a_version() -> None:
    """What plugins are told to write fits."""
    assert host({"a": version_of(hookspecs.API_VERSION)}).names == ("a",)
