"""What the page's elements are for and when they are there: read from `elements.toml`, which says how to add one."""

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

import attrs
from cattrs.preconf.tomllib import make_converter

ALWAYS = "always"
"""The state of a new chat; all others come after it."""

_STATES = "states"

_converter = make_converter(forbid_extra_keys=True)


@attrs.frozen(kw_only=True)
class State:
    """Say how the page gets into a state in which it shows more."""

    seen: str
    """When that is, such as `while the menu of files is open`."""
    click: str | None = None
    """The element to click to get there; None for what takes more, or can't be brought about."""
    off: bool = False
    """Whether the click switches something off."""
    back: str | None = None
    """The element to click to get back; None for Escape."""
    within: str = ALWAYS
    """The state that comes first."""


@attrs.frozen(kw_only=True)
class Element:
    """Say what one element is for."""

    purpose: str
    """What it is for: the heading it is reported under."""
    when: str
    """The state in which the page shows it."""
    needed: bool = False
    """Whether what it is for can't be done without it."""
    instead: tuple[str, ...] = ()
    """Elements that do as well."""
    hidden: bool = False
    """Whether it is used without ever being visible."""


@attrs.frozen(kw_only=True)
class Inventory:
    """Hold all elements and states by name, in the file's order."""

    states: Mapping[str, State]
    elements: Mapping[str, Element]

    def shown(self, state: str) -> tuple[str, ...]:
        """Return the names of the elements that the page shows in a state."""
        return tuple(name for name, element in self.elements.items() if element.when == state)

    def within(self, state: str) -> tuple[str, ...]:
        """Return the names of the states that come after a state by a click."""
        return tuple(name for name, each in self.states.items() if each.within == state and each.click is not None)


def load_inventory() -> Inventory:
    """Read what belongs to the built-in `selectors.toml`."""
    tables = tomllib.loads((resources.files(__package__) / "elements.toml").read_text(encoding="utf-8"))
    states = _converter.structure(tables.pop(_STATES), dict[str, State])
    elements = {
        name: _element({"purpose": purpose, **line})
        for purpose, lines in tables.items()
        for name, line in lines.items()
    }
    return Inventory(states=states, elements=elements)


def _element(line: Mapping[str, Any]) -> Element:
    return _converter.structure(line, Element)
