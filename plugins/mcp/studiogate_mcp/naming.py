"""What tools are called when they are declared to a model: their own names, unless two would have the same."""

import re
from collections import Counter
from collections.abc import Collection, Sequence

_LONGEST = 64


def declared_names(tools: Sequence[tuple[str, str]], taken: Collection[str]) -> list[str]:
    """Return a name for each (server's label, tool's name), all different, in order.

    A name that is `taken`, or that several tools have, gets the server's label in front.
    """
    plain = [_fitted(name) for _, name in tools]
    shared = Counter(plain)
    used = set(taken)
    names: list[str] = []
    for (label, name), own in zip(tools, plain, strict=True):
        wanted = own if shared[own] == 1 and own not in used else _fitted(f"{label}_{name}")
        number, found = 2, wanted
        while found in used:
            found = f"{wanted[: _LONGEST - 4]}_{number}"
            number += 1
        used.add(found)
        names.append(found)
    return names


def _fitted(name: str) -> str:
    """Return a name as functions have it: letters, digits, `_`, `.`, `:` and `-`, a letter or `_` first."""
    fitted = re.sub(r"[^A-Za-z0-9_.:-]", "_", name)[:_LONGEST]
    return fitted if re.match(r"[A-Za-z_]", fitted) else f"_{fitted}"[:_LONGEST]
