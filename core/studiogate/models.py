"""Models: what a backend offers, as the plugins list them, and what the operator adds."""

import attrs

from studiogate.strict import not_empty

PREFIX = "models/"
"""What upstream writes before an id; clients may, the gateway never does."""


def bare_id(text: str) -> str:
    """Return an id as the gateway uses it: without `models/`, and without white space around it."""
    return text.strip().removeprefix(PREFIX)


@attrs.frozen(kw_only=True)
class Model:
    """Describe one model. Limits and defaults are None where the source doesn't say."""

    id: str
    """As clients name it, without a `models/` prefix."""
    display_name: str
    description: str = ""
    owned_by: str = "google"
    injected: bool = False
    """Whether the operator's configuration added it, rather than a plugin's upstream."""
    listed: bool = attrs.field(default=True, eq=False)
    """False for one that a client named and nobody lists: its id is the client's own words."""
    target: str | None = None
    """For an alias: the id of the model that answers, which is no alias itself; None for a model."""
    input_token_limit: int | None = None
    output_token_limit: int | None = None
    default_temperature: float | None = None
    default_top_p: float | None = None
    default_top_k: int | None = None
    thinking: "Thinking | None" = None
    """None for a model that can't think."""
    media_resolution: bool = False
    """Whether it can be told how closely to look at images and video."""
    functions: bool | None = None
    """Whether it can call functions by the upstream's own means."""

    def alias(self, name: str) -> "Model":
        """Return another name of this model, with the limits and abilities of what answers."""
        return attrs.evolve(self, id=name, display_name=f"{name} ({self.display_name})", target=self.id)


@attrs.frozen(kw_only=True)
class InjectedModel:
    """Hold one `[[models]]` table of plugins.toml."""

    id: str = attrs.field(converter=bare_id, validator=not_empty)
    """The name that clients use."""
    target: str | None = attrs.field(default=None, converter=attrs.converters.optional(bare_id), validator=not_empty)
    """The model that answers for it, which may be another table's; None for a model that answers itself, also where no
    plugin lists it."""
    display_name: str | None = attrs.field(default=None, validator=not_empty)
    """Name for people; None takes the one a plugin gives this id, or the id followed by the target's name."""


@attrs.frozen(kw_only=True)
class Thinking:
    """Say how a model's thinking can be set: by a budget in tokens, or by named levels."""

    min_budget: int | None = None
    """Smallest budget in tokens; None for level models."""
    max_budget: int | None = None
    """Largest budget in tokens; None for level models."""
    default_budget: int | None = None
    can_turn_off: bool = False
    off_by_default: bool = False
    """Whether the model thinks only where it is told to."""
    levels: tuple[str, ...] = ()
    """Of minimal, low, medium, high; empty for budget models."""
    default_level: str | None = None
