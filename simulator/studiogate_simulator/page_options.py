"""How the next page that is loaded looks and behaves, where builds of the real one differ.

A generation stands for a period of the real page. What an option leaves open (None) is as its generation has it; set
alone, it makes one of the builds that lay between two generations.
"""

from collections.abc import Mapping
from typing import Final

import attrs
from attrs import field, frozen, validators

from studiogate_simulator.jspb import Json

GENERATIONS: Final = "g3"
"""August to November 2025, December 2025 to spring 2026, mid to late 2026."""


@frozen(kw_only=True)
class PageOptions:
    """Options of a page, fixed when it is loaded."""

    generation: str | None = field(default=None, validator=validators.optional(validators.in_(GENERATIONS)))
    """Which period's page it is; None for the one that the simulator was started with."""
    file_input: str | None = field(
        default=None, validator=validators.optional(validators.in_(("box", "menu", "chooser")))
    )
    """Where the file input is: hidden in the prompt box (2026), in the menu's item while that is open (2025), or
    nowhere, so that only a file chooser opens."""
    upload_label: str | None = None
    """What the menu's item is called: "Upload files", "Upload a file" and "Upload File" were seen."""
    multiple: bool | None = None
    """Whether several files can be chosen at once."""
    function_response: str | None = field(
        default=None, validator=validators.optional(validators.in_(("input", "textarea")))
    )
    """What a function call's response is typed into."""
    thoughts: str = field(default="turn", validator=validators.in_(("turn", "inside")))
    """Whether thoughts have a turn of their own, or stand inside the answer's."""
    streams_plain: bool | None = None
    """Whether an answer is shown as plain text, in the container of very large texts, while it grows."""
    large_text: int = field(default=60_000, validator=validators.ge(1))
    """Texts longer than this, in characters, are shown plainly for good."""
    inline_bytes: int = field(default=8 * 2**20, validator=validators.ge(0))
    """A temporary chat sends files up to this size inside the request; larger ones, and all of other chats, go to
    Drive."""


_DEFAULTS: Final[Mapping[str, Mapping[str, Json]]] = {
    "g1": {
        "file_input": "chooser",
        "upload_label": "Upload File",
        "multiple": True,
        "function_response": "textarea",
        "streams_plain": True,
    },
    "g2": {
        "file_input": "menu",
        "upload_label": "Upload a file",
        "multiple": False,
        "function_response": "textarea",
        "streams_plain": False,
    },
    "g3": {
        "file_input": "box",
        "upload_label": "Upload files",
        "multiple": True,
        "function_response": "input",
        "streams_plain": False,
    },
}


def settled(options: PageOptions, generation: str) -> PageOptions:
    """Fill in what options leave open; `generation` is for those that name none."""
    chosen = options.generation or generation
    open_ones = {name: value for name, value in _DEFAULTS[chosen].items() if getattr(options, name) is None}
    return attrs.evolve(options, generation=chosen, **open_ones)


def for_page(options: PageOptions) -> dict[str, Json]:
    """Give settled options as the page's scripts name them."""
    return {_camel(name): value for name, value in attrs.asdict(options).items()}


def _camel(name: str) -> str:
    head, *others = name.split("_")
    return head + "".join(word.capitalize() for word in others)
