"""Which plugins go on as they are when plugins.toml is read again, and which have to start anew.

A plugin goes on if it is of the same class, has equal settings, and requires the same plugins, which go on too. One
that defines hooks (`hookspecs`) goes on only with those that implement them: what it has made of their answers, such as
a browser behind somebody's proxy, holds for nobody else. Order doesn't matter.
"""

from collections.abc import Mapping

import attrs

from studiogate.hookspecs import PROJECT


@attrs.frozen(kw_only=True)
class Standing:
    """Hold what one plugin is, as far as a configuration decides it."""

    kind: type
    requires: tuple[str, ...]
    """Names of the plugins that it requires directly."""
    settings: object
    """None for a plugin without."""


def unchanged(before: Mapping[str, Standing], now: Mapping[str, Standing]) -> frozenset[str]:
    """Return the names of the plugins that go on as they are."""
    kept = {name for name, standing in now.items() if before.get(name) == standing}
    while lost := {name for name in kept if not _may_stay(name, kept, before, now)}:
        kept -= lost
    return frozenset(kept)


def _may_stay(name: str, kept: set[str], before: Mapping[str, Standing], now: Mapping[str, Standing]) -> bool:
    implementing = _implementing(name, now)
    return kept.issuperset({*now[name].requires, *implementing}) and implementing == _implementing(name, before)


def _implementing(name: str, plugins: Mapping[str, Standing]) -> set[str]:
    """Return who implements the hooks that a plugin defines."""
    module: object = getattr(plugins[name].kind, "hookspecs", None)
    specs: dict[str, object] = {} if module is None else vars(module)
    hooks = [hook for hook, spec in specs.items() if hasattr(spec, f"{PROJECT}_spec")]
    return {
        each
        for each, standing in plugins.items()
        if any(hasattr(getattr(standing.kind, hook, None), f"{PROJECT}_impl") for hook in hooks)
    }
