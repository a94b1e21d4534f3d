"""Sampling parameters on their way from the client to a backend."""

from collections.abc import Mapping

import attrs


@attrs.frozen(kw_only=True)
class Params:
    """Hold what the client asked of the sampling; None means: the backend's own default.

    `apply_params` hooks return changed copies (`attrs.evolve`, `drop`); what can't be honoured is dropped with a reason.
    """

    temperature: float | None = None
    """0 to 2."""
    top_p: float | None = None
    """0 to 1."""
    max_tokens: int | None = None
    """Output limit in tokens, reasoning included; at least 1."""
    stop: tuple[str, ...] = ()
    """Sequences that end the answer and are not part of it."""
    ignored: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Fields that were asked for and won't be honoured: name -> reason. Reported as `x-studiogate-ignored`."""

    def drop(self, name: str, reason: str) -> "Params":
        """Return a copy without the parameter `name`, with the reason noted under `ignored`."""
        fields = attrs.fields_dict(Params)
        return attrs.evolve(self, **{name: fields[name].default}, ignored={**self.ignored, name: reason})
