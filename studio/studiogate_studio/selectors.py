"""The candidates for each of the page's elements: read from `selectors.toml`, and from the operator's file over it."""

import difflib
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import attrs

from studiogate.errors import ConfigurationError

BUILT_IN = "selectors.toml"


@attrs.frozen(kw_only=True)
class Selectors:
    """Hold, for each element by name, its CSS selectors in the order they are tried."""

    candidates: Mapping[str, tuple[str, ...]]
    """Never empty for an element."""
    file: str | None = None
    """Name of the operator's file; None if there is none."""
    replaced: frozenset[str] = frozenset()
    """The elements whose candidates come from the operator's file."""
    lines: Mapping[str, int] = attrs.field(factory=dict[str, int])
    """For each of them, the line of that file that names it, where it can be told."""
    misses: Counter[str] = attrs.field(factory=Counter[str], eq=False, repr=False)
    """How often, since the start, a page was given up because nothing found an element."""

    def __getitem__(self, element: str) -> tuple[str, ...]:
        """Return the candidates of an element."""
        return self.candidates[element]


@attrs.frozen(kw_only=True)
class Match:
    """Say which candidate found an element."""

    element: str
    candidate: int | None
    """Index among the element's candidates of the first that matched a visible node, else of the first that matched
    any; None if none did."""
    selector: str | None
    """That candidate."""
    visible: int
    """How many visible nodes it matched."""
    nodes: int
    """How many nodes it matched, visible or not."""
    wrong: tuple[int, ...]
    """Indexes of the candidates that are no CSS."""


def load_selectors(override: Path | None = None) -> Selectors:
    """Read the built-in candidates and replace those of the elements that `override` names.

    :raises ConfigurationError: the operator's file is missing, no TOML, names an unknown element or an empty list.
    """
    text = (resources.files(__package__) / BUILT_IN).read_text(encoding="utf-8")
    ours = _parse(text, BUILT_IN)
    if override is None:
        return Selectors(candidates=ours)
    try:
        text = override.read_text(encoding="utf-8")
        theirs = _parse(text, override.name)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"studio.selectors: {override} can't be read: {error}") from error
    for element in theirs:
        if element not in ours:
            near = difflib.get_close_matches(element, ours, n=3, cutoff=0.4)
            hint = f"nearest: {', '.join(near)}" if near else f"known: {', '.join(ours)}"
            raise ConfigurationError(f"{override.name}: no element is called '{element}'; {hint}.")
    return Selectors(
        candidates={**ours, **theirs}, file=override.name, replaced=frozenset(theirs), lines=_lines(text, theirs)
    )


def _lines(text: str, elements: Iterable[str]) -> dict[str, int]:
    """Return where in a TOML text each element is; one that is written in a way of TOML's own making is left out."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name = line.partition("=")[0].strip().strip("\"'")
        if name in elements:
            found.setdefault(name, number)
    return found


def _parse(text: str, name: str) -> dict[str, tuple[str, ...]]:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{name}: no TOML: {error}") from error
    return {element: _candidates(value, element, name) for element, value in table.items()}


def _candidates(value: Any, element: str, name: str) -> tuple[str, ...]:
    match value:
        case [*items] if items and all(isinstance(item, str) and item.strip() for item in items):
            return tuple(items)
        case _:
            raise ConfigurationError(f"{name}: {element} must be a list of CSS selectors, at least one.")
