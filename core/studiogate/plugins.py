"""The plugin host: finds, loads and orders plugins, and walks their hooks.

A plugin is a class named by an entry point of the group `studiogate.plugins`, or in a file of its own that plugins.toml
lists (`plugin_files.py`). It may have

- `api_version`: the version of the contract that it needs, such as `1.0`;
- `settings`: an attrs class; the host builds it from the plugin's table and passes it to the constructor; with a field
  `enabled` that is false, the plugin counts as not listed;
- `requires`: names of plugins to load with it, before it; or a static or class method that takes the settings and
  returns them, where what it needs depends on how it is set;
- `hookspecs`: a module of further hook specifications;
- methods marked `@hookimpl`.

pluggy keeps the specifications, checks signatures and holds the registry. The host walks implementations itself: order
is plugins.toml's, and pluggy's `firstresult` can't chain async hooks (a coroutine is never None).

A plugin that can't be used stops the start, or is left out where the operator says so (`[gateway] on_error`): as if it
weren't listed, so all is put together anew without it.
"""

import importlib.metadata
import inspect
import logging
import re
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, cast

import attrs
import pluggy

from studiogate import hookspecs
from studiogate.config import Config, suggest
from studiogate.crash import log_fault
from studiogate.errors import ConfigurationError, PluginFault, PluginRefused, StudiogateError
from studiogate.hook_usage import HookUsage
from studiogate.keeping import Standing, unchanged
from studiogate.plugin_files import file_plugins
from studiogate.settings import OnError

log = logging.getLogger(__name__)

ENTRY_POINTS = "studiogate.plugins"

type InstalledPlugins = Mapping[str, Callable[[], type]]
"""A loader for every plugin there is, by name; nothing is imported until it is called."""


@attrs.frozen(kw_only=True)
class Implementation:
    """Hold one plugin's implementation of one hook."""

    plugin: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    """Names of the arguments it asks for."""
    usage: HookUsage
    """Where its calls are counted. Of a generator, whoever reads it counts when it is over."""

    def __call__(self, **arguments: Any) -> Any:
        """Call it with those of `arguments` it asks for."""
        asked = {name: arguments[name] for name in self.arguments}
        if inspect.isasyncgenfunction(self.function):
            return self.function(**asked)
        if inspect.iscoroutinefunction(self.function):
            return self.usage.timed(self.function(**asked))
        began = time.perf_counter()
        try:
            return self.function(**asked)
        finally:
            self.usage.add_sync(time.perf_counter() - began)


class PluginHost:
    """Load the plugins a configuration lists, and those they require, in order."""

    def __init__(
        self, config: Config, installed: InstalledPlugins | None = None, before: "PluginHost | None" = None
    ) -> None:
        """Load and construct every plugin.

        :param installed: loaders of plugin classes by name; the installed entry points when None.
        :param before: a host whose plugins go on in this one where nothing has changed for them; the others are made.
        :raises ConfigurationError: a plugin is unknown, broken, or its settings are wrong.
        """
        self.config = config
        self._installed = available_plugins(config, installed)
        self._plugins: dict[str, object] = {}
        self._made: dict[str, object] = {}
        """Every plugin that could be made, also of those that are left out in the end."""
        self.left_out: dict[str, str] = {}
        """The plugins that can't be used, where that doesn't stop the start; under each name why, in a few words that
        anybody may read."""
        self._before = before
        self._running = frozenset[str]() if before is None else frozenset(before.names)
        self.usage_by_hook: dict[tuple[str, str], HookUsage] = {} if before is None else before.usage_by_hook
        """What hooks have cost, by plugin and hook; counted on from the host before."""
        config.check_tables((*self._installed, *config.plugins))
        while not self._built():
            pass
        # One host doesn't keep all those before it.
        self._before = None

    def _built(self) -> bool:
        """Put everything together but for what is left out; return whether that worked, else one more is left out."""
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._plugins = {}
        self._required: dict[str, tuple[str, ...]] = {}
        self.off: dict[str, str] = {}
        """The listed plugins that their settings switch off; under each name what says so, such as `plugins.toml`."""
        try:
            kinds = self._in_order(self.config.plugins)
            for name, kind in kinds.items():
                if (module := getattr(kind, "hookspecs", None)) is not None:
                    with _refusing(name, "brings hooks that can't be used"):
                        self._manager.add_hookspecs(module)
            self.standing = {name: self._stands(name, kind) for name, kind in kinds.items()}
            """What each loaded plugin is, by name in order."""
            self.kept = frozenset[str]() if self._before is None else unchanged(self._before.standing, self.standing)
            """The plugins that go on from the host before."""
            for name, standing in self.standing.items():
                self._register(name, standing)
            self._refuse_unknown_hooks()
        except PluginRefused as refusal:
            self._note(refusal)
            return False
        return True

    def leave_out(self, refusal: PluginRefused) -> None:
        """Leave out a loaded plugin that can't be used after all, and those that require it.

        :raises PluginRefused: it, where that stops the start.
        """
        self._note(refusal)
        del self._plugins[refusal.plugin], self.standing[refusal.plugin]
        for name in self.names:
            if refusal.plugin in self._required[name] and name in self._plugins:
                needs = f"requires {refusal.plugin}, which is left out"
                self.leave_out(PluginRefused(name, f"plugin {name} {needs}.", needs))

    def _note(self, refusal: PluginRefused) -> None:
        # One that runs is not left out by a reload: that changes nothing then, and says why.
        if refusal.plugin in self._running or self.config.gateway.on_error != OnError.SKIP:
            raise refusal
        log.error("%s\nIt is left out ([gateway] on_error).", refusal)
        self.left_out[refusal.plugin] = refusal.in_short

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the loaded plugins, in order."""
        return tuple(self._plugins)

    @property
    def installed(self) -> tuple[str, ...]:
        """Return the names of all plugins there are, listed or not."""
        return tuple(self._installed)

    def instance(self, name: str) -> object:
        """Return the loaded plugin of a name."""
        return self._plugins[name]

    def plugin[T](self, kind: type[T]) -> T:
        """Return the loaded plugin of a class.

        :raises ConfigurationError: none is loaded; `requires` should have named it.
        """
        for plugin in self._plugins.values():
            if isinstance(plugin, kind):
                return plugin
        raise ConfigurationError(
            f"No plugin of class {kind.__name__} is loaded; a plugin that needs it must require it."
        )

    def needs(self, name: str) -> tuple[str, ...]:
        """Return a loaded plugin's name after those of all it requires, directly or not."""
        found: dict[str, None] = {}
        for required in self._required[name]:
            found |= dict.fromkeys(self.needs(required))
        return (*found, name)

    def implementations(self, hook: str) -> tuple[Implementation, ...]:
        """Return a hook's implementations in the order of plugins.toml."""
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        found = {impl.plugin_name: impl for impl in caller.get_hookimpls()}
        return tuple(
            Implementation(
                plugin=name,
                function=found[name].function,
                arguments=tuple(found[name].argnames),
                usage=self.usage_by_hook.setdefault((name, hook), HookUsage(name, hook)),
            )
            for name in self._plugins
            if name in found
        )

    @property
    def usages(self) -> tuple[HookUsage, ...]:
        """Return what each hook of each plugin has cost so far, of those that were asked for."""
        return tuple(self.usage_by_hook.values())

    def call(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Call a sync hook of every plugin, in order; return (plugin, result) where the result isn't None.

        :raises PluginFault: one raised what no hook should; the log says where.
        """
        results: list[tuple[str, Any]] = []
        for impl in self.implementations(hook):
            with _blaming(impl):
                result = impl(**arguments)
            if result is not None:
                results.append((impl.plugin, result))
        return results

    async def call_async(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Await an async hook of every plugin, one after the other, in order; return and raise as `call`."""
        results: list[tuple[str, Any]] = []
        for impl in self.implementations(hook):
            with _blaming(impl):
                result = await cast("Awaitable[Any]", impl(**arguments))
            if result is not None:
                results.append((impl.plugin, result))
        return results

    def _in_order(self, listed: Iterable[str]) -> dict[str, type]:
        """Return the classes of the listed plugins, what each requires right before it."""
        kinds: dict[str, type] = {}

        def add(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                circle = " -> ".join((*path, name))
                raise PluginRefused(
                    name, f"plugins {circle} require each other in a circle.", f"is in a circle: {circle}"
                )
            if name in kinds:
                return
            if name in self.left_out:
                if path:
                    needs = f"requires {name}, which is left out"
                    raise PluginRefused(path[-1], f"plugin {path[-1]} {needs}.", needs)
                return
            kind = self._load(name, path)
            if (source := self._switched_off(name, kind)) is not None:
                if path:
                    needs = f"requires {name}, which is switched off"
                    raise PluginRefused(path[-1], f"plugin {path[-1]} {needs} ({source}).", needs)
                self.off[name] = source
                return
            self._required[name] = self._requirements(name, kind)
            for required in self._required[name]:
                add(required, (*path, name))
            kinds[name] = kind

        for name in listed:
            add(name, ())
        return kinds

    def _load(self, name: str, path: tuple[str, ...]) -> type:
        load = self._installed.get(name)
        if load is None:
            wanted = f"required by {path[-1]}" if path else f"{self.config.path.name}: plugins"
            raise PluginRefused(
                path[-1] if path else name,
                f"{wanted}: no plugin '{name}' is installed.{suggest(name, self._installed)}",
                f"requires {name}, which is not installed" if path else "is not installed",
            )
        kind = loaded_class(name, load)
        _refuse_other_version(name, kind)
        return kind

    def _requirements(self, name: str, kind: type) -> tuple[str, ...]:
        """Return the names of the plugins that one needs, as it is set."""
        requires: object = getattr(kind, "requires", ())
        if callable(requires):
            settings = getattr(kind, "settings", None)
            if settings is None:
                raise _unfit(name, "requires is a method, and there are no settings to give it.")
            options = self._settings(name, settings)
            with _refusing(name, "can't say what it requires"):
                requires = requires(options)
        if isinstance(requires, str):
            raise _unfit(name, "requires must be a tuple of names, not one string.")
        return tuple(cast("Iterable[str]", requires))

    def _switched_off(self, name: str, kind: type) -> str | None:
        """Return what switches a plugin off; None if nothing does."""
        settings = getattr(kind, "settings", None)
        if settings is None or "enabled" not in attrs.fields_dict(settings):
            return None
        if self._settings(name, settings).enabled:
            return None
        return self.config.origin(name, settings, "enabled") or "by default"

    def _settings(self, name: str, kind: type[Any]) -> Any:
        with _refusing(name, "is set wrongly"):
            return self.config.settings(name, kind)

    def _stands(self, name: str, kind: type) -> Standing:
        settings = getattr(kind, "settings", None)
        if settings is None and self.config.tables.get(name):
            message = f"{self.config.path.name}: [{name}]: this plugin has no settings."
            raise PluginRefused(name, message, "is set wrongly")
        made = None if settings is None else self._settings(name, settings)
        return Standing(kind=kind, requires=self._required[name], settings=made)

    def _make(self, name: str, standing: Standing) -> object:
        arguments = () if standing.settings is None else (standing.settings,)
        with _refusing(name, "can't be made"):
            return standing.kind(*arguments)

    def _register(self, name: str, standing: Standing) -> None:
        if self._before is not None and name in self.kept:
            plugin = self._before.instance(name)
        else:
            if name not in self._made:
                self._made[name] = self._make(name, standing)
            plugin = self._made[name]
        self._refuse_call_order(name, plugin)
        try:
            self._manager.register(plugin, name)
        except pluggy.PluginValidationError as error:
            raise _unfit(name, str(error)) from error
        self._plugins[name] = plugin
        self._check_colours(name)

    def _refuse_call_order(self, name: str, plugin: object) -> None:
        for attribute in dir(plugin):
            options = self._manager.parse_hookimpl_opts(plugin, attribute)
            wrong = [key for key in ("wrapper", "hookwrapper", "tryfirst", "trylast") if options and options.get(key)]
            if wrong:
                raise _unfit(
                    name,
                    f"{attribute} is marked {wrong[0]}; hooks run in the order of plugins.toml and can't be wrapped. "
                    "Mark it with plain @hookimpl.",
                )

    def _check_colours(self, name: str) -> None:
        """Refuse an implementation that is sync where the specification is async, or the reverse."""
        for hook in self._hooks():
            for impl in hook.get_hookimpls():
                spec = hook.spec
                if impl.plugin_name != name or spec is None:
                    continue
                generator = spec.name == "fetch_response"
                wanted = "an async generator" if generator else "async" if _is_async(spec.function) else "sync"
                fits = (
                    inspect.isasyncgenfunction(impl.function)
                    if generator
                    else _is_async(impl.function) == _is_async(spec.function)
                    and not inspect.isasyncgenfunction(impl.function)
                )
                if not fits:
                    raise _unfit(name, f"{spec.name} must be {wanted}.")

    def _refuse_unknown_hooks(self) -> None:
        for hook in self._hooks():
            if hook.spec is None:
                for impl in hook.get_hookimpls():
                    if impl.optionalhook:
                        continue
                    known = [each.name for each in self._hooks() if each.spec is not None]
                    raise _unfit(impl.plugin_name, f"{hook.name} is no hook.{suggest(hook.name, known)}")

    def _hooks(self) -> list[pluggy.HookCaller]:
        return [hook for hook in vars(self._manager.hook).values() if isinstance(hook, pluggy.HookCaller)]


def installed_plugins() -> InstalledPlugins:
    """Return the plugins that installed distributions offer as entry points."""
    return {point.name: point.load for point in importlib.metadata.entry_points(group=ENTRY_POINTS)}


def available_plugins(config: Config, installed: InstalledPlugins | None = None) -> InstalledPlugins:
    """Return the plugins that a configuration can list: those that are installed, and those in files that it names.

    :param installed: the installed ones; those of entry points when None.
    :raises ConfigurationError: a file is named like a plugin that is installed.
    """
    there = installed_plugins() if installed is None else installed
    for name, path in config.files.items():
        if name in there:
            raise ConfigurationError(
                f"{config.path.name}: plugins: {path.name}: a plugin '{name}' is installed. Give the file another name."
            )
    return {**there, **file_plugins(config.files)}


def loaded_class(name: str, load: Callable[[], object]) -> type:
    """Return the class of a plugin.

    :param load: the plugin's loader among those available.
    :raises PluginRefused: it can't be imported, or is no class.
    """
    with _refusing(name, "can't be imported"):
        kind = load()
    if not isinstance(kind, type):
        raise _unfit(name, f"its entry point must name a class, not {kind!r}.")
    return kind


@contextmanager
def _blaming(impl: Implementation) -> Generator[None]:
    """Make a fault of a plugin, by name, of whatever escapes its hook but the gateway's own errors."""
    try:
        yield
    except StudiogateError:
        raise
    except Exception as error:  # the plugin boundary
        impl.usage.faults += 1
        log_fault(f"plugin {impl.plugin}: {impl.usage.hook}", error)
        raise PluginFault(f"{impl.plugin} failed unexpectedly; the gateway's log says where.") from error


@contextmanager
def _refusing(name: str, in_short: str) -> Generator[None]:
    """Make a refusal of a plugin of whatever its code raises: that may be anything, and the operator needs a name."""
    try:
        yield
    except PluginRefused:
        raise
    except ConfigurationError as error:
        raise PluginRefused(name, str(error), in_short) from error
    except Exception as error:  # the plugin boundary
        message = f"plugin {name}: {in_short}: {type(error).__name__}: {error}"
        raise PluginRefused(name, message, in_short) from error


def _unfit(name: str, message: str) -> PluginRefused:
    return PluginRefused(name, f"plugin {name}: {message}", "doesn't fit this gateway")


def _refuse_other_version(name: str, kind: type) -> None:
    """Refuse a plugin that needs another contract: another major version, or one with more in it."""
    needed: object = getattr(kind, "api_version", hookspecs.API_VERSION)
    found = re.fullmatch(r"(\d+)\.(\d+)", needed) if isinstance(needed, str) else None
    if found is None:
        raise _unfit(name, f"api_version must be a text such as '{hookspecs.API_VERSION}', not {needed!r}.")
    ours = tuple(int(part) for part in hookspecs.API_VERSION.split("."))
    theirs = int(found[1]), int(found[2])
    if theirs[0] == ours[0] and theirs <= ours:
        return
    newer, which = theirs > ours, "studiogate" if theirs > ours else "the plugin"
    verb = "needs" if newer else "is made for"
    raise _unfit(
        name,
        f"it {verb} version {needed} of the plugin API, and this gateway has {hookspecs.API_VERSION}. "
        f"Install a newer version of {which}.",
    )


def _is_async(function: object) -> bool:
    return inspect.iscoroutinefunction(function)
