"""Plugins in plain files: `plugins = ["./my_backend.py"]`, for trying things out.

The file's stem is the plugin's name and that of its table. The file holds one plugin class and is read anew by every
host, so a reload takes what it says now. It is no package: it can import what is installed, not its neighbours.
"""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import TypeGuard

from studiogate.errors import ConfigurationError
from studiogate.hookspecs import PROJECT

SUFFIX = ".py"


def file_plugins(files: Mapping[str, Path]) -> dict[str, Callable[[], type]]:
    """Return a loader for each plugin in a file, by name."""
    return {name: partial(load_file, name, path) for name, path in files.items()}


def load_file(name: str, path: Path) -> type:
    """Run a file and return its plugin class.

    :raises ConfigurationError: there is no such file, or not exactly one plugin class in it.
    """
    if not path.is_file():
        raise ConfigurationError(f"plugin {name}: there is no file {path.name} where plugins.toml says.")
    there: list[object] = list(vars(_module(name, path)).values())
    kinds = [kind for kind in there if _is_plugin(kind, _module_name(name))]
    if len(kinds) > 1:
        names = " and ".join(kind.__name__ for kind in kinds)
        raise ConfigurationError(
            f"plugin {name}: {names} are all plugin classes; a file holds one. The name of a class that only others "
            "build on begins with an underscore."
        )
    if not kinds:
        raise ConfigurationError(
            f"plugin {name}: {path.name} holds no plugin class: one whose name has no underscore in front, with a "
            "method marked @hookimpl."
        )
    return kinds[0]


def hooks_of(kind: type) -> tuple[str, ...]:
    """Return the names of the hooks that a plugin class implements, in alphabetical order."""
    return tuple(name for name in dir(kind) if hasattr(inspect.getattr_static(kind, name), f"{PROJECT}_impl"))


class _Uncached(SourceFileLoader):
    """Compile a file each time: cached bytecode is told from newer text by the second only."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the loader's interface
        return self.source_to_code(self.get_data(self.path), self.path)


def _module(name: str, path: Path) -> ModuleType:
    own = _module_name(name)
    loader = _Uncached(own, str(path))
    module = importlib.util.module_from_spec(ModuleSpec(own, loader, origin=str(path)))
    module.__file__ = str(path)
    # Where annotations that are texts are looked up; a host that is made later replaces it.
    sys.modules[own] = module
    loader.exec_module(module)
    return module


def _module_name(name: str) -> str:
    return f"{PROJECT}_file_{name}"


def _is_plugin(kind: object, module: str) -> TypeGuard[type]:
    return (
        isinstance(kind, type)
        and kind.__module__ == module
        and not kind.__name__.startswith("_")
        and bool(hooks_of(kind) or hasattr(kind, "hookspecs"))
    )
