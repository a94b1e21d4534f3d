"""What `studiogate plugins list` says: those plugins that run, in order, then what else is installed.

A plugin that is broken, or set wrongly, has its line too; that is when somebody asks.
"""

import importlib.metadata
from collections.abc import Iterator

import attrs

from studiogate.config import Config
from studiogate.errors import ConfigurationError
from studiogate.plugin_files import hooks_of
from studiogate.plugins import ENTRY_POINTS, InstalledPlugins, PluginHost, available_plugins, loaded_class
from studiogate.setting_values import shown_settings


@attrs.frozen(kw_only=True)
class Listing:
    """Hold what is told of all plugins."""

    lines: tuple[str, ...]
    refusal: ConfigurationError | None
    """Why a gateway wouldn't start with this configuration; None where it would."""


def listing(config: Config, installed: InstalledPlugins | None = None) -> Listing:
    """Describe every plugin that a configuration can use.

    :param installed: loaders of plugin classes by name; the installed entry points when None.
    """
    there = available_plugins(config, installed)
    host, refusal = None, None
    try:
        host = PluginHost(config, there)
    except ConfigurationError as error:
        refusal = error
    running = config.plugins if host is None else host.names
    return Listing(lines=tuple(_lines(config, there, host, running)), refusal=refusal)


def _lines(
    config: Config, installed: InstalledPlugins, host: PluginHost | None, running: tuple[str, ...]
) -> Iterator[str]:
    origins = _distributions() | {name: f"file {path.name}" for name, path in config.files.items()}
    for place, name in enumerate(running, start=1):
        yield f"{place}. {name}{_of(origins.get(name))}{_standing(config, name)}"
        yield from _described(config, name, installed)
    for name in dict.fromkeys((*config.plugins, *installed)):
        if name not in running:
            yield f"-  {name}{_of(origins.get(name))}: {_why_not(name, host)}"
            yield from _described(config, name, installed)


def _standing(config: Config, name: str) -> str:
    return "" if name in config.plugins else ": not listed, but required"


def _why_not(name: str, host: PluginHost | None) -> str:
    if host is not None and name in host.off:
        return f"switched off ({host.off[name]})"
    if host is not None and name in host.left_out:
        return f"left out (it {host.left_out[name]})"
    return "not listed"


def _described(config: Config, name: str, installed: InstalledPlugins) -> Iterator[str]:
    """Yield the hooks and settings of a plugin, or why they can't be told."""
    if name not in installed:
        yield "   not installed"
        return
    try:
        kind = loaded_class(name, installed[name])
        yield f"   hooks: {', '.join(hooks_of(kind)) or 'none'}"
        settings: type[object] | None = getattr(kind, "settings", None)
        if settings is not None:
            for key, value in shown_settings(config.settings(name, settings)).items():
                yield f"   {key} = {value}{_from(config.origin(name, settings, key))}"
    except ConfigurationError as error:
        yield from (f"   {line}" for line in str(error).splitlines())


def _from(source: str | None) -> str:
    return "" if source is None else f"  # {source}"


def _of(distribution: str | None) -> str:
    return "" if distribution is None else f"  ({distribution})"


def _distributions() -> dict[str, str]:
    """Return the distribution of each installed plugin with its version, such as `studiogate-mcp 0.1.0`."""
    points = importlib.metadata.entry_points(group=ENTRY_POINTS)
    return {point.name: f"{point.dist.name} {point.dist.version}" for point in points if point.dist is not None}
