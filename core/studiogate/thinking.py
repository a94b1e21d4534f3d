"""Fit `reasoning_effort` to a model: from what a client asks to what the model's thinking can be set to.

Models differ in kind. Some take a *budget*, a number of tokens within a range of their own, which may or may not go
down to nothing; others take one of a few named *levels*; some can't be set, or don't think at all. Clients say a word
or a number of tokens, without knowing the kind. Each word stands for a number of tokens (`TOKENS`), so that everything
can be compared: a budget is brought into the model's range, a level is the nearest one.

Whatever comes out other than asked has a reason, worded for people.
"""

import math
from collections.abc import Mapping

import attrs

from studiogate.models import Model, Thinking

TOKENS: Mapping[str, int] = {
    "none": 0,
    "minimal": 128,
    "low": 1000,
    "medium": 8000,
    "high": 24000,
    "xhigh": 32768,
    "max": 32768,
}
"""What each word of `reasoning_effort` is in tokens."""

MOST = "max"
"""The word for as much as the model takes, whatever that is: no model falls short of it."""


@attrs.frozen(kw_only=True)
class ThinkingChoice:
    """Say how a model is to think; one of the two is set."""

    budget: int | None = None
    """Tokens to think with, 0 for not at all; for budget models."""
    level: str | None = None
    """minimal, low, medium or high; for level models."""

    @property
    def tokens(self) -> int:
        """Return how many tokens the thoughts may take; for a level, what its word stands for."""
        return TOKENS[self.level] if self.level is not None else self.budget or 0


@attrs.frozen(kw_only=True)
class FittedEffort:
    """Hold what became of a `reasoning_effort`."""

    choice: ThinkingChoice | None = None
    """None where nothing can be set: the model thinks as it does by itself, or not."""
    reason: str | None = None
    """Why this is not what was asked; None where it is."""


def fit_effort(effort: str | int, model: Model | None) -> FittedEffort:
    """Fit an effort to a model.

    :param effort: a word of `TOKENS`, or a budget in tokens, 0 or more; 0 is `none`.
    :param model: None while no plugin lists models.
    """
    if model is None:
        return FittedEffort(reason="nothing is known of the model yet")
    thinking = model.thinking
    if thinking is None:
        return FittedEffort(reason=f"{model.id} is not known to think" if _tokens(effort) else None)
    if _known_levels(thinking):
        return _fit_level(effort, model.id, _known_levels(thinking))
    if thinking.max_budget is not None:
        return _fit_budget(effort, model.id, thinking, thinking.max_budget)
    return FittedEffort(reason=f"how {model.id} thinks can't be set")


def _fit_budget(effort: str | int, model: str, thinking: Thinking, most: int) -> FittedEffort:
    wanted, least = _tokens(effort), thinking.min_budget or 0
    if not wanted and thinking.can_turn_off:
        return FittedEffort(choice=ThinkingChoice(budget=0))
    budget = min(max(wanted, least), most)
    choice = ThinkingChoice(budget=budget)
    if budget == wanted or effort == MOST:
        return FittedEffort(choice=choice)
    if not wanted:
        return FittedEffort(choice=choice, reason=f"{model} can't stop thinking; {budget} tokens used, its least")
    than = "more" if wanted > most else "less"
    return FittedEffort(choice=choice, reason=f"{_shown(effort)} is {than} than {model} takes; {budget} used")


def _fit_level(effort: str | int, model: str, levels: tuple[str, ...]) -> FittedEffort:
    wanted = _tokens(effort)
    level = min(levels, key=lambda each: _distance(TOKENS[each], wanted))
    choice = ThinkingChoice(level=level)
    if effort in (level, MOST):
        return FittedEffort(choice=choice)
    if not wanted:
        return FittedEffort(choice=choice, reason=f"{model} can't stop thinking; level {level} used, its least")
    if isinstance(effort, str):
        return FittedEffort(choice=choice, reason=f"{model} has no level {effort}; {level} used")
    return FittedEffort(choice=choice, reason=f"{model} takes levels, not tokens; {level} used")


def _known_levels(thinking: Thinking) -> tuple[str, ...]:
    """Return the levels that can be compared, least first."""
    return tuple(sorted((level for level in thinking.levels if level in TOKENS), key=lambda level: TOKENS[level]))


def _distance(level: int, wanted: int) -> float:
    """Tell how far apart two numbers of tokens are, as a ratio: every level is a multiple of the one below it."""
    return abs(math.log(max(level, 1)) - math.log(max(wanted, 1)))


def _tokens(effort: str | int) -> int:
    return TOKENS[effort] if isinstance(effort, str) else effort


def _shown(effort: str | int) -> str:
    return f"{effort} ({TOKENS[effort]} tokens)" if isinstance(effort, str) else str(effort)
