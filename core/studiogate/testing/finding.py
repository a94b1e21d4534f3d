"""Finds the plugins that a path or a name means, and the contract classes to try them with.

A plugin's own tests say best how its upstream is played. So contract classes are looked for in them first: `test_*.py`
beside a plain file, and in a package's folder or its `tests`. Hooks for which there is none get the contract class as
it is.
"""

import importlib
import importlib.metadata
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import attrs

from studiogate.config import suggest
from studiogate.errors import ConfigurationError
from studiogate.plugin_files import SUFFIX, load_file
from studiogate.plugins import ENTRY_POINTS
from studiogate.testing.attachments import AttachmentsContract
from studiogate.testing.backend import BackendContract
from studiogate.testing.contract import Contract
from studiogate.testing.parameters import ParamsContract
from studiogate.testing.recorder import implementation
from studiogate.testing.stage import available_plugins
from studiogate.testing.tools import ToolsContract

_CONTRACTS: dict[str, type[Contract]] = {
    "fetch_response": BackendContract,
    "map_tools": ToolsContract,
    "resolve_attachments": AttachmentsContract,
    "apply_params": ParamsContract,
}
"""The contract class for each hook that has one."""


@attrs.frozen(kw_only=True)
class Found:
    """Hold what a path or a name means."""

    contracts: Sequence[type[Contract]]
    """One or more for each plugin, ready to be tried."""
    left_out: Sequence[str] = ()
    """Tests that can't be read here, each with why."""


def find(target: str) -> Found:
    """Find plugins and their contract classes.

    :param target: a plain file, the folder of a package, or the name of an installed plugin.
    :raises ConfigurationError: it is none of these, or holds no plugin that can be imported.
    """
    path = Path(target)
    if path.is_dir():
        return _in_folder(path.resolve())
    if path.suffix == SUFFIX:
        return _in_file(path.resolve())
    load = available_plugins().get(target)
    if load is None:
        raise ConfigurationError(
            f"{target}: no file, no folder, and no installed plugin of this name.{suggest(target, available_plugins())}"
        )
    return Found(contracts=_completed({target: load()}, ()))


def _in_file(path: Path) -> Found:
    kind = load_file(path.stem, path)
    sys.path.insert(0, str(path.parent))
    return _with_tests({path.stem: kind}, path.parent.glob(f"test_{path.stem}{SUFFIX}"))


def _in_folder(folder: Path) -> Found:
    try:
        project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, KeyError, ValueError) as error:
        raise ConfigurationError(f"{folder.name}: holds no pyproject.toml with a [project] table.") from error
    points = cast("dict[str, str]", project.get("entry-points", {}).get(ENTRY_POINTS, {}))
    if not points:
        raise ConfigurationError(
            f'{folder.name}/pyproject.toml: [project.entry-points."{ENTRY_POINTS}"] names the plugin\'s class, such as '
            'my_backend = "my_package:MyBackend".'
        )
    sys.path[:0] = [str(folder), str(folder / "src")]
    kinds = {name: _entry(name, value) for name, value in points.items()}
    return _with_tests(kinds, [*folder.glob("test_*.py"), *folder.glob("tests/**/test_*.py")])


def _entry(name: str, value: str) -> type:
    try:
        kind: object = importlib.metadata.EntryPoint(name=name, value=value, group=ENTRY_POINTS).load()
    except Exception as error:  # a plugin's import may fail in any way
        raise ConfigurationError(f"plugin {name}: can't be imported: {type(error).__name__}: {error}") from error
    if not isinstance(kind, type):
        raise ConfigurationError(f"plugin {name}: its entry point must name a class, not {kind!r}.")
    return kind


def _with_tests(kinds: dict[str, type], files: Iterator[Path] | Sequence[Path]) -> Found:
    found: list[type[Contract]] = []
    left_out: list[str] = []
    for file in sorted(files):
        if "Contract" not in file.read_text(encoding="utf-8"):
            continue
        try:
            module = _imported(file)
        except Exception as error:  # noqa: BLE001 - tests may need what isn't here; the rules can be tried without them
            left_out.append(f"{file.name} is left out: {type(error).__name__}: {error}")
            continue
        found += _contracts_in(module)
    return Found(contracts=_completed(kinds, found), left_out=left_out)


def _imported(file: Path) -> ModuleType:
    """Import a test file as part of a package of its folder, so that it may import its neighbours."""
    package = f"studiogate_checked_{abs(hash(file.parent))}"
    if package not in sys.modules:
        made = ModuleType(package)
        made.__path__ = [str(file.parent)]
        sys.modules[package] = made
    return importlib.import_module(f"{package}.{file.stem}")


def _contracts_in(module: ModuleType) -> Iterator[type[Contract]]:
    for kind in list(cast("dict[str, object]", vars(module)).values()):
        if not isinstance(kind, type) or kind.__module__ != module.__name__:
            continue
        if issubclass(kind, Contract) and hasattr(kind, "plugin"):
            yield kind


def _completed(kinds: dict[str, type], contracts: Sequence[type[Contract]]) -> Sequence[type[Contract]]:
    """Return the contract classes that were found, and the plain ones for hooks that these leave open."""
    made: list[type[Contract]] = []
    for name, kind in kinds.items():
        own = [each for each in contracts if _same(each.plugin, kind)]
        wanted = [contract for hook, contract in _CONTRACTS.items() if implementation(kind, hook)]
        if BackendContract in wanted and ParamsContract in wanted:
            wanted.remove(ParamsContract)  # a backend's rules have it
        bases = [contract for contract in wanted if not any(issubclass(each, contract) for each in own)]
        if bases or not own:
            made.append(type(kind.__name__, (*bases,) or (Contract,), {"plugin": kind, "name": name}))
    return [*contracts, *made]


def _same(one: type, other: type) -> bool:
    """Tell whether two classes are one; a plain file's may be loaded twice."""
    return one is other or (one.__qualname__ == other.__qualname__ and one.__module__ in other.__module__)
