"""The versions of what a gateway is made of: what a report of something odd needs, and an upgrade is checked by.

They are read from what is installed; nothing of it is imported. What no metadata tells, such as the browser's version,
a distribution tells by a function that an entry point of the group `studiogate.versions` names, and that is as light.
"""

import importlib.metadata
import platform
import re
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError

import attrs

from studiogate.config import Config
from studiogate.plugins import ENTRY_POINTS

VERSIONS = "studiogate.versions"

type TellsVersion = Callable[[Config | None], str]
"""Takes the configuration, or None where it can't be read, and returns a version as it is to be shown."""


@attrs.frozen(kw_only=True)
class Versions:
    """Hold versions by name, in the order they are shown."""

    gateway: dict[str, str]
    """The gateway, its Python, and what `studiogate.versions` adds."""
    plugins: dict[str, str]
    """The other distributions of studiogate, and those of third parties' plugins."""
    libraries: dict[str, str]
    """What all of these ask for and is installed."""


def installed_versions(config: Config | None) -> Versions:
    """Look up what is installed.

    :param config: None where it can't be read.
    """
    core = importlib.metadata.distribution("studiogate")
    plugins = {_normal(each.name): each for each in _plugin_distributions(core)}
    ours = {"studiogate", *plugins}
    needed = {name for each in (core, *plugins.values()) for name, _ in _requirements(each)} - ours
    return Versions(
        gateway={
            "studiogate": core.version,
            "python": f"{platform.python_version()} ({platform.platform()})",
            **{point.name: _told(point, config) for point in importlib.metadata.entry_points(group=VERSIONS)},
        },
        plugins={name: plugins[name].version for name in sorted(plugins)},
        libraries={name: each.version for name in sorted(needed) if (each := _installed(name)) is not None},
    )


def _plugin_distributions(core: Distribution) -> Iterator[Distribution]:
    """Yield those with plugins, and the rest of what the extra `all` asks for."""
    points = importlib.metadata.entry_points(group=ENTRY_POINTS)
    yield from (point.dist for point in points if point.dist is not None)
    for name, extra in _requirements(core):
        if extra == "all" and (each := _installed(name)) is not None:
            yield each


def _requirements(distribution: Distribution) -> Iterator[tuple[str, str | None]]:
    """Yield the names that a distribution requires, each with the extra that asks for it."""
    for line in distribution.requires or ():
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"""extra == ['"]([\w.-]+)""", line)
        if name is not None:
            yield _normal(name[0]), None if extra is None else extra[1]


def _installed(name: str) -> Distribution | None:
    try:
        return importlib.metadata.distribution(name)
    except PackageNotFoundError:
        return None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _told(point: importlib.metadata.EntryPoint, config: Config | None) -> str:
    try:
        tell: TellsVersion = point.load()
        return tell(config)
    except Exception as error:  # noqa: BLE001 - a stranger's function; the other versions are wanted all the more
        return f"can't be told ({type(error).__name__})"
