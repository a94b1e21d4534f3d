"""What may import what, and what every distribution has."""

import ast
import importlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = sorted(path.parent for path in [*ROOT.glob("*/pyproject.toml"), *ROOT.glob("plugins/*/pyproject.toml")])
PACKAGES = {next(path.parent.name for path in member.glob("studiogate*/__init__.py")): member for member in MEMBERS}
PLUGINS = {package for package, member in PACKAGES.items() if member.parent.name == "plugins"}

MAY_IMPORT = {
    "studiogate": set[str](),
    "studiogate_studio": {"studiogate"},
    "studiogate_simulator": set[str](),
    **{plugin: {"studiogate", "studiogate_studio"} for plugin in PLUGINS},
}
"""Other members that a member may import."""


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the top packages of every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def sources(package: str) -> list[Path]:
    """Return the source files of a member."""
    return sorted((PACKAGES[package] / package).rglob("*.py"))


@pytest.mark.parametrize("package", PACKAGES)
def test_members_import_only_what_they_may(package: str) -> None:
    """Core knows no other member, studio knows core, plugins know both, the simulator knows nobody."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(package)
        for name in sorted(set(imported(ast.parse(path.read_text()))))
        if name in PACKAGES and name != package and name not in MAY_IMPORT[package]
    ]

    assert wrong == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_member_depends_on_the_members_it_imports(package: str) -> None:
    """What is imported is declared, so that a member works when it is installed alone."""
    project = tomllib.loads((PACKAGES[package] / "pyproject.toml").read_text())["project"]
    named = {each.replace("-", "_") for each in [project["name"], *project.get("dependencies", [])]}
    needed = {name for path in sources(package) for name in imported(ast.parse(path.read_text())) if name in PACKAGES}

    assert needed <= {name for name in PACKAGES if any(each.split(">")[0].split("=")[0] == name for each in named)}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_distribution_is_typed(package: str) -> None:
    """Users' type checkers read our annotations."""
    assert (PACKAGES[package] / package / "py.typed").is_file()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_distribution_says_how_to_use_it_and_under_which_terms(package: str) -> None:
    """Each ships its own README and licence."""
    project = tomllib.loads((PACKAGES[package] / "pyproject.toml").read_text())["project"]

    assert (PACKAGES[package] / project["readme"]).is_file()
    assert all((PACKAGES[package] / name).is_file() for name in project["license-files"])


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_exports_is_sorted_and_complete(package: str) -> None:
    """`__all__` names everything public that `__init__` defines or only hands on, in order."""
    tree = ast.parse((PACKAGES[package] / package / "__init__.py").read_text())
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names: set[str] = set()
    for node in tree.body:
        match node:
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] == package:
                names |= {alias.asname or alias.name for alias in node.names} - used
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                names.add(node.name)
            case _:
                pass
    exported: list[str] = importlib.import_module(package).__all__

    assert exported == sorted(exported)
    assert set(exported) >= {name for name in names if not name.startswith("_")}
    assert all(hasattr(importlib.import_module(package), name) for name in exported)
