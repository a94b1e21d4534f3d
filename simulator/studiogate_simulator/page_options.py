"""How the next page that is loaded looks and behaves, where builds of the real one differ.

A generation stands for a period of the real page. What an option leaves open (None) is as its generation has it; set
alone, it makes one of the builds that lay between two generations.
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs
from attrs import field, frozen, validators

from studiogate_simulator.jspb import Json

GENERATIONS: Final = ("g1", "g2", "g3")
"""August to November 2025, December 2025 to spring 2026, mid to late 2026."""


@frozen(kw_only=True)
class PageOptions:
    """Options of a page, fixed when it is loaded."""

    generation: str | None = field(default=None, validator=validators.optional(validators.in_(GENERATIONS)))
    """Which period's page it is; None for the one that the simulator was started with."""
    lang: str = field(default="en", validator=validators.in_(("en", "de", "zh")))
    """The page's language: its `lang` attribute, and its labels."""
    trusted_types: bool = True
    """Whether the page's policy refuses strings where scripts or HTML are meant."""
    models_guard: bool = False
    """Whether the list of models begins with `)]}'`."""
    seed: int | None = field(default=None, validator=validators.optional(validators.ge(0)))
    """Makes the ids of turns and chunks the same in every page; None leaves them to chance."""
    count_ms: int = field(default=150, validator=validators.ge(0))
    """How long after typing the tokens are counted."""
    save_ms: int = field(default=300, validator=validators.ge(0))
    """How long after typing the system instruction is saved."""
    typing_ms: int = field(default=200, validator=validators.ge(0))
    """How long the page takes for every 100,000 characters of a large prompt, before Run is enabled."""
    composer_host: str | None = field(
        default=None, validator=validators.optional(validators.in_(("prompt_box", "input_wrapper", "chunk_editor")))
    )
    """What the composer lies in: `ms-prompt-box`, `ms-prompt-input-wrapper`, or the chat's `ms-chunk-editor` alone."""
    typing: str = field(default="input", validator=validators.in_(("input", "keys")))
    """What tells the page of typed text: an `input` event, or only one that came with a real key."""
    enter: str | None = field(default=None, validator=validators.optional(validators.in_(("preference", "ctrl"))))
    """Which keys submit: as the preference says, or always Ctrl+Enter."""
    stop: str | None = field(default=None, validator=validators.optional(validators.in_(("timer", "label"))))
    """What Run is while an answer is generated: a plain button with a timer, or still a submit button called Stop."""
    temporary_toggle: str | None = field(
        default=None, validator=validators.optional(validators.in_(("toolbar", "menu")))
    )
    """Where the temporary chat is turned on."""
    model_card: str | None = field(default=None, validator=validators.optional(validators.in_(("id", "trigger"))))
    """Whether the model's card shows its id, or has a trigger with its title and an agent's badge."""
    thinking_label: str | None = None
    """How the thinking level is labelled: "Thinking Level" and "Thinking level" were seen."""
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
        "composer_host": "input_wrapper",
        "enter": "ctrl",
        "stop": "timer",
        "temporary_toggle": "toolbar",
        "model_card": "id",
        "thinking_label": "Thinking level",
        "file_input": "chooser",
        "upload_label": "Upload File",
        "multiple": True,
        "function_response": "textarea",
        "streams_plain": True,
    },
    "g2": {
        "composer_host": "prompt_box",
        "enter": "preference",
        "stop": "label",
        "temporary_toggle": "toolbar",
        "model_card": "id",
        "thinking_label": "Thinking level",
        "file_input": "menu",
        "upload_label": "Upload a file",
        "multiple": False,
        "function_response": "textarea",
        "streams_plain": False,
    },
    "g3": {
        "composer_host": "prompt_box",
        "enter": "preference",
        "stop": "label",
        "temporary_toggle": "menu",
        "model_card": "trigger",
        "thinking_label": "Thinking Level",
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
    open_ones: dict[str, Any] = {
        name: value for name, value in _DEFAULTS[chosen].items() if getattr(options, name) is None
    }
    return attrs.evolve(options, generation=chosen, **open_ones)


def for_page(options: PageOptions) -> dict[str, Json]:
    """Give settled options as the page's scripts name them."""
    return {_camel(name): value for name, value in attrs.asdict(options).items()}


def _camel(name: str) -> str:
    head, *others = name.split("_")
    return head + "".join(word.capitalize() for word in others)
