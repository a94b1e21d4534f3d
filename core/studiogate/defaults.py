"""The `[defaults]` table of plugins.toml: what requests get that don't say otherwise."""

from typing import Any

import attrs

from studiogate.models import Model
from studiogate.params import INT32, STOP_LIMIT, Params
from studiogate.strict import WrongValue, described, within
from studiogate.thinking import fit_effort

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""The words of `reasoning_effort`, least thinking first."""

_FILLED = ("temperature", "top_p", "max_tokens", "stop", "reasoning_effort", "seed")
"""The fields of `Params` that have a default here."""


@described(enum=list(EFFORTS))
def _an_effort(_: Any, field: "attrs.Attribute[str | None]", value: str | None) -> None:
    if value is not None and value not in EFFORTS:
        raise WrongValue(field.name, f"must be one of {', '.join(EFFORTS)}, not {value!r}")


@described(maxItems=STOP_LIMIT)
def _few_enough(_: Any, field: "attrs.Attribute[tuple[str, ...]]", value: tuple[str, ...]) -> None:
    if len(value) > STOP_LIMIT:
        raise WrongValue(field.name, f"must hold at most {STOP_LIMIT} strings, not {len(value)}")


@attrs.frozen(kw_only=True)
class Defaults:
    """Configure the parameters of requests that leave them open."""

    temperature: float = attrs.field(default=1.0, validator=within(0, 2))
    """0 to 2."""
    top_p: float = attrs.field(default=0.95, validator=within(0, 1))
    """0 to 1."""
    max_output_tokens: int = attrs.field(default=8192, validator=within(1, INT32))
    """Output limit in tokens. Where the client asks for a thinking budget, that is added, as thoughts count too."""
    stop: tuple[str, ...] = attrs.field(default=(), validator=_few_enough)
    """Stop sequences, 5 at most."""
    reasoning_effort: str | None = attrs.field(default=None, validator=_an_effort)
    """How much models think; None leaves it to the model."""
    seed: int | None = attrs.field(default=None, validator=within(-INT32 - 1, INT32))
    """None for a new one each time; 32 bits."""

    def fill(self, params: Params, model: Model | None) -> Params:
        """Return parameters with everything set that the client left open.

        :param model: the requested model; the output limit doesn't exceed its own. None while no plugin lists models.
        """
        effort = _first(params.reasoning_effort, self.reasoning_effort)
        return attrs.evolve(
            params,
            temperature=_first(params.temperature, self.temperature),
            top_p=_first(params.top_p, self.top_p),
            max_tokens=_first(params.max_tokens, self._output_limit(effort, model)),
            stop=params.stop or self.stop,
            reasoning_effort=effort,
            seed=_first(params.seed, self.seed),
        )

    def _output_limit(self, effort: str | int | None, model: Model | None) -> int:
        """Return the default limit; thoughts count against it upstream, so what was asked for them comes on top."""
        choice = None if effort is None else fit_effort(effort, model).choice
        limit = self.max_output_tokens + (choice.tokens if choice else 0)
        return limit if model is None or model.output_token_limit is None else min(limit, model.output_token_limit)


def forget_unasked(params: Params, asked: Params) -> Params:
    """Return parameters without reports on what the client left open: a default that doesn't fit is no news to it.

    :param asked: the parameters as the client sent them.
    """
    unasked = {name for name in _FILLED if getattr(asked, name) in (None, ()) and name not in asked.other}
    return attrs.evolve(params, ignored={name: why for name, why in params.ignored.items() if name not in unasked})


def _first[T](value: T | None, default: T) -> T:
    return default if value is None else value
