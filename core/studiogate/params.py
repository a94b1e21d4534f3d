"""Sampling parameters on their way from the client to a backend."""

from collections.abc import Mapping
from typing import Any

import attrs

from studiogate.thinking import ThinkingChoice

STOP_LIMIT = 5
"""Stop sequences in one request: as many as the page and Gemini's API take."""
INT32 = 2**31 - 1
"""The largest number that the upstream's fields for whole numbers hold."""
INT64 = 2**63 - 1
"""The largest seed of OpenAI's API."""


@attrs.frozen(kw_only=True)
class ResponseFormat:
    """Ask for an answer that is JSON."""

    schema: Mapping[str, Any] | None = None
    """The JSON Schema it should follow; None for any JSON object."""
    name: str | None = None
    """What the client calls the schema."""
    description: str | None = None
    """What the client says the schema is for."""
    strict: bool | None = None
    """Whether the answer must follow the schema to the letter; None leaves it to the backend."""


@attrs.frozen(kw_only=True)
class Params:
    """Hold what the client asked of the sampling; None means: the backend's own default.

    `apply_params` hooks return changed copies (`attrs.evolve`, `drop`, `note`, `take`); what can't be honoured is
    dropped with a reason.
    """

    temperature: float | None = None
    """0 to 2."""
    top_p: float | None = None
    """0 to 1."""
    max_tokens: int | None = None
    """Output limit in tokens, reasoning included; at least 1."""
    stop: tuple[str, ...] = ()
    """Sequences that end the answer and are not part of it."""
    seed: int | None = None
    """Makes sampling repeatable, as far as the upstream can; 64 bits, signed."""
    reasoning_effort: str | int | None = None
    """How much the model should think: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`, or a budget in
    tokens (0 or more), as the client said it."""
    thinking: ThinkingChoice | None = None
    """What `reasoning_effort` is for the requested model, where a backend's `apply_params` has fitted it
    (`thinking.fit_effort`); None leaves thinking to the model."""
    response_format: "ResponseFormat | None" = None
    """None for plain text."""
    other: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """OpenAI's parameters without a field of their own (`logit_bias`, `store`, ...), as the client sent them. A plugin
    that honours one takes it; what is left when a backend starts is reported as ignored."""
    passed: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """What was moved here from `other`: a backend whose upstream takes OpenAI's parameters gives it these as they
    are."""
    ignored: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """What was asked for and won't be honoured, or not as asked: name -> reason. Reported as `x-studiogate-ignored`."""

    def take(self, name: str) -> "tuple[Any, Params]":
        """Return the parameter `name` of `other` (None when absent) and a copy without it."""
        rest = {key: value for key, value in self.other.items() if key != name}
        return self.other.get(name), attrs.evolve(self, other=rest)

    def drop(self, name: str, reason: str) -> "Params":
        """Return a copy without the parameter `name`, with the reason noted under `ignored`.

        One that has been taken already is only noted.
        """
        noted = self.note(name, reason)
        if name in self.other:
            return noted.take(name)[1]
        fields = {field.name for field in attrs.fields(Params)}
        cleared: dict[str, Any] = {name: () if name == "stop" else None} if name in fields else {}
        return attrs.evolve(noted, **cleared)

    def note(self, name: str, reason: str) -> "Params":
        """Return a copy with a reason noted under `ignored`: the parameter is honoured, but not as asked."""
        return attrs.evolve(self, ignored={**self.ignored, name: reason})
