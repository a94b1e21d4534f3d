"""Made-up messages of the shapes the page sends, for the tests of this folder."""

import json
from typing import Any

type Wire = Any
"""What `json.dumps` takes; tests build messages by hand."""


def slots(values: dict[int, Wire]) -> list[Wire]:
    """Return a message with the given slots set and nulls between."""
    return [values.get(index) for index in range(max(values, default=-1) + 1)]


def text(words: str) -> list[Wire]:
    """Return a part of answer text."""
    return slots({1: words})


def thought(words: str) -> list[Wire]:
    """Return a part of reasoning."""
    return slots({1: words, 12: 1})


def signed(part: list[Wire]) -> list[Wire]:
    """Return a part with a thought signature, which makes it fifteen long."""
    return [*part, *[None] * (14 - len(part)), "U0lHTkVE"]


def call(name: str, struct: list[Wire], identity: str | None = None) -> list[Wire]:
    """Return a part with a function call."""
    return slots({10: [name, struct] if identity is None else [name, struct, identity]})


def frame(*parts: list[Wire], usage: Wire = None, finish: int | None = None, **fields: Wire) -> list[Wire]:
    """Return a frame with one candidate; `fields` are `message`, `grounding` and `cited` of the candidate."""
    named = {"message": 3, "cited": 6, "grounding": 7}
    values = {index: fields[name] for name, index in named.items() if name in fields}
    candidate = slots({0: [list(parts), "model"]} | ({} if finish is None else {1: finish}) | values)
    return [[candidate], None, usage, None, None, None, None, "v1_made_up"]


LAST = [None, None, None, ["1771000000000000", 1, 2]]
"""The frame that ends a good stream."""


def compact(value: Wire) -> bytes:
    """Return JSON without white space, as the page writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def body(*frames: list[Wire], status: Wire = None) -> bytes:
    """Return a whole response body."""
    return compact([list(frames)] if status is None else [list(frames), status])
