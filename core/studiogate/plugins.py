"""The plugin host: finds, loads and orders plugins, and walks their hooks.

A plugin is a class named by an entry point of the group `studiogate.plugins`. It may have

- `settings`: an attrs class; the host builds it from the plugin's table and passes it to the constructor; with a field
  `enabled` that is false, the plugin counts as not listed;
- `requires`: names of plugins to load with it, before it; or a static or class method that takes the settings and
  returns them, where what it needs depends on how it is set;
- `hookspecs`: a module of further hook specifications;
- methods marked `@hookimpl`.

pluggy keeps the specifications, checks signatures and holds the registry. The host walks implementations itself: order
is plugins.toml's, and pluggy's `firstresult` can't chain async hooks (a coroutine is never None).
"""

import importlib.metadata
import inspect
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, cast

import attrs
import pluggy

from studiogate import hookspecs
from studiogate.config import Config, suggest
from studiogate.errors import ConfigurationError
from studiogate.hook_usage import HookUsage

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

    def __init__(self, config: Config, installed: InstalledPlugins | None = None) -> None:
        """Load and construct every plugin.

        :param installed: loaders of plugin classes by name; the installed entry points when None.
        :raises ConfigurationError: a plugin is unknown, broken, or its settings are wrong.
        """
        self.config = config
        self._installed = installed_plugins() if installed is None else installed
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._plugins: dict[str, object] = {}
        self._required: dict[str, tuple[str, ...]] = {}
        self.off: dict[str, str] = {}
        """The listed plugins that their settings switch off; under each name what says so, such as `plugins.toml`."""
        self._usages: dict[tuple[str, str], HookUsage] = {}
        config.check_tables(self._installed)
        kinds = self._in_order(config.plugins)
        for kind in kinds.values():
            if (module := getattr(kind, "hookspecs", None)) is not None:
                self._manager.add_hookspecs(module)
        for name, kind in kinds.items():
            self._register(name, kind)
        self._refuse_unknown_hooks()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the loaded plugins, in order."""
        return tuple(self._plugins)

    @property
    def installed(self) -> tuple[str, ...]:
        """Return the names of all plugins there are, listed or not."""
        return tuple(self._installed)

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
                usage=self._usages.setdefault((name, hook), HookUsage(name, hook)),
            )
            for name in self._plugins
            if name in found
        )

    @property
    def usages(self) -> tuple[HookUsage, ...]:
        """Return what each hook of each plugin has cost so far, of those that were asked for."""
        return tuple(self._usages.values())

    def call(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Call a sync hook of every plugin, in order; return (plugin, result) where the result isn't None."""
        results = [(impl.plugin, impl(**arguments)) for impl in self.implementations(hook)]
        return [(name, result) for name, result in results if result is not None]

    async def call_async(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Await an async hook of every plugin, one after the other, in order; return (plugin, result) as `call`."""
        results: list[tuple[str, Any]] = []
        for impl in self.implementations(hook):
            result = await cast("Awaitable[Any]", impl(**arguments))
            if result is not None:
                results.append((impl.plugin, result))
        return results

    def _in_order(self, listed: Iterable[str]) -> dict[str, type]:
        """Return the classes of the listed plugins, what each requires right before it."""
        kinds: dict[str, type] = {}

        def add(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                raise ConfigurationError(f"plugins {' -> '.join((*path, name))} require each other in a circle.")
            if name in kinds:
                return
            kind = self._load(name, path)
            if (source := self._switched_off(name, kind)) is not None:
                if path:
                    raise ConfigurationError(f"plugin {path[-1]} requires {name}, which is switched off ({source}).")
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
            raise ConfigurationError(f"{wanted}: no plugin '{name}' is installed.{suggest(name, self._installed)}")
        return loaded_class(name, load)

    def _requirements(self, name: str, kind: type) -> tuple[str, ...]:
        """Return the names of the plugins that one needs, as it is set."""
        requires: object = getattr(kind, "requires", ())
        if callable(requires):
            settings = getattr(kind, "settings", None)
            if settings is None:
                raise ConfigurationError(f"plugin {name}: requires is a method, and there are no settings to give it.")
            options = self.config.settings(name, settings)
            try:
                requires = requires(options)
            except ConfigurationError:
                raise
            except Exception as error:  # the plugin boundary, as with its import
                raise ConfigurationError(
                    f"plugin {name}: can't say what it requires: {type(error).__name__}: {error}"
                ) from error
        if isinstance(requires, str):
            raise ConfigurationError(f"plugin {name}: requires must be a tuple of names, not one string.")
        return tuple(cast("Iterable[str]", requires))

    def _switched_off(self, name: str, kind: type) -> str | None:
        """Return what switches a plugin off; None if nothing does."""
        settings = getattr(kind, "settings", None)
        if settings is None or "enabled" not in attrs.fields_dict(settings):
            return None
        if self.config.settings(name, settings).enabled:
            return None
        return self.config.origin(name, settings, "enabled") or "by default"

    def _register(self, name: str, kind: type) -> None:
        settings = getattr(kind, "settings", None)
        if settings is None:
            if self.config.tables.get(name):
                raise ConfigurationError(f"{self.config.path.name}: [{name}]: this plugin has no settings.")
            arguments: tuple[object, ...] = ()
        else:
            arguments = (self.config.settings(name, settings),)
        try:
            plugin: object = kind(*arguments)
        except ConfigurationError:
            raise
        except Exception as error:  # the plugin boundary, as with its import
            raise ConfigurationError(f"plugin {name}: can't be made: {type(error).__name__}: {error}") from error
        self._refuse_call_order(name, plugin)
        try:
            self._manager.register(plugin, name)
        except pluggy.PluginValidationError as error:
            raise ConfigurationError(f"plugin {name}: {error}") from error
        self._plugins[name] = plugin
        self._check_colours(name)

    def _refuse_call_order(self, name: str, plugin: object) -> None:
        for attribute in dir(plugin):
            options = self._manager.parse_hookimpl_opts(plugin, attribute)
            wrong = [key for key in ("wrapper", "hookwrapper", "tryfirst", "trylast") if options and options.get(key)]
            if wrong:
                raise ConfigurationError(
                    f"plugin {name}: {attribute} is marked {wrong[0]}; hooks run in the order of plugins.toml and "
                    "can't be wrapped. Mark it with plain @hookimpl."
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
                    raise ConfigurationError(f"plugin {name}: {spec.name} must be {wanted}.")

    def _refuse_unknown_hooks(self) -> None:
        for hook in self._hooks():
            if hook.spec is None:
                for impl in hook.get_hookimpls():
                    if impl.optionalhook:
                        continue
                    known = [each.name for each in self._hooks() if each.spec is not None]
                    raise ConfigurationError(
                        f"plugin {impl.plugin_name}: {hook.name} is no hook.{suggest(hook.name, known)}"
                    )

    def _hooks(self) -> list[pluggy.HookCaller]:
        return [hook for hook in vars(self._manager.hook).values() if isinstance(hook, pluggy.HookCaller)]


def installed_plugins() -> InstalledPlugins:
    """Return the plugins that installed distributions offer as entry points."""
    return {point.name: point.load for point in importlib.metadata.entry_points(group=ENTRY_POINTS)}


def loaded_class(name: str, load: Callable[[], object]) -> type:
    """Return the class of a plugin.

    :param load: the plugin's loader among the installed ones.
    :raises ConfigurationError: it can't be imported, or is no class.
    """
    try:
        kind = load()
    except Exception as error:  # a plugin's import may fail in any way; the operator needs its name
        raise ConfigurationError(f"plugin {name}: can't be imported: {type(error).__name__}: {error}") from error
    if not isinstance(kind, type):
        raise ConfigurationError(f"plugin {name}: its entry point must name a class, not {kind!r}.")
    return kind


def hooks_of(kind: type) -> tuple[str, ...]:
    """Return the names of the hooks that a plugin class implements, in alphabetical order."""
    return tuple(name for name in dir(kind) if hasattr(inspect.getattr_static(kind, name), f"{hookspecs.PROJECT}_impl"))


def _is_async(function: object) -> bool:
    return inspect.iscoroutinefunction(function)
