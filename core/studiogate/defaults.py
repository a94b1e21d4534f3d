"""The `[defaults]` table of plugins.toml: what requests get that don't say otherwise."""

import math
from typing import Any

import attrs

from studiogate.strict import WrongValue, within

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""The words of `reasoning_effort`, least thinking first."""


def _an_effort(_: Any, field: "attrs.Attribute[str | None]", value: str | None) -> None:
    if value is not None and value not in EFFORTS:
        raise WrongValue(field.name, f"must be one of {', '.join(EFFORTS)}, not {value!r}")


@attrs.frozen(kw_only=True)
class Defaults:
    """Configure the parameters of requests that leave them open."""

    temperature: float = attrs.field(default=1.0, validator=within(0, 2))
    """0 to 2."""
    top_p: float = attrs.field(default=0.95, validator=within(0, 1))
    """0 to 1."""
    max_output_tokens: int = attrs.field(default=8192, validator=within(1, math.inf))
    """Output limit in tokens. Where the client asks for a thinking budget, that is added, as thoughts count too."""
    stop: tuple[str, ...] = ()
    """Stop sequences."""
    reasoning_effort: str | None = attrs.field(default=None, validator=_an_effort)
    """How much models think; None leaves it to the model."""
    seed: int | None = None
    """None for a new one each time."""
