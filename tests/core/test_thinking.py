"""Which thinking comes of an effort, for every kind of model."""

import pytest
from hypothesis import given, strategies as st

from studiogate.defaults import EFFORTS
from studiogate.models import Model, Thinking
from studiogate.thinking import TOKENS, FittedEffort, ThinkingChoice, fit_effort


def model(name: str, thinking: Thinking | None) -> Model:
    """Make a model that thinks in some way."""
    return Model(id=name, display_name=name, thinking=thinking)


PRO = model("pro", Thinking(min_budget=128, max_budget=32768, default_budget=8192))
FLASH = model("flash", Thinking(min_budget=0, max_budget=24576, default_budget=8000, can_turn_off=True))
LITE = model("lite", Thinking(min_budget=512, max_budget=24576, default_budget=8192, can_turn_off=True))
TWO = model("two", Thinking(levels=("low", "high"), default_level="high"))
FOUR = model("four", Thinking(levels=("minimal", "low", "medium", "high"), default_level="high"))
GEMMA = model("gemma", None)
FIXED = model("fixed", Thinking())

SETTABLE = [PRO, FLASH, LITE, TWO, FOUR]


def fitted(effort: str | int, to: Model | None) -> tuple[int | str | None, str | None]:
    """Return what an effort becomes, in short: a budget or a level, and the reason."""
    result = fit_effort(effort, to)
    chosen = result.choice and (result.choice.level if result.choice.budget is None else result.choice.budget)
    return chosen, result.reason


@pytest.mark.parametrize(
    ("effort", "budget"), [("minimal", 128), ("low", 1000), ("medium", 8000), ("high", 24000), ("xhigh", 32768)]
)
def test_words_are_numbers_of_tokens(effort: str, budget: int) -> None:
    """A word that fits becomes its number, and there is nothing to report."""
    assert fitted(effort, PRO) == (budget, None)


@pytest.mark.parametrize("budget", [128, 129, 9000, 32768])
def test_a_budget_that_fits_is_taken_as_it_is(budget: int) -> None:
    """Both ends of the range belong to it."""
    assert fitted(budget, PRO) == (budget, None)


@pytest.mark.parametrize(
    ("effort", "to", "budget", "reason"),
    [
        (50000, FLASH, 24576, "50000 is more than flash takes; 24576 used"),
        (24577, LITE, 24576, "24577 is more than lite takes; 24576 used"),
        (127, PRO, 128, "127 is less than pro takes; 128 used"),
        (1, LITE, 512, "1 is less than lite takes; 512 used"),
        ("minimal", LITE, 512, "minimal (128 tokens) is less than lite takes; 512 used"),
        ("xhigh", FLASH, 24576, "xhigh (32768 tokens) is more than flash takes; 24576 used"),
        (10**400, PRO, 32768, f"{10**400} is more than pro takes; 32768 used"),
    ],
)
def test_budgets_are_brought_into_the_models_range(effort: str | int, to: Model, budget: int, reason: str) -> None:
    """The nearest end is used, and the reason says what was asked and what is used."""
    assert fitted(effort, to) == (budget, reason)


@pytest.mark.parametrize("effort", ["none", 0])
def test_thinking_is_turned_off_where_it_can_be(effort: str | int) -> None:
    """Also where the range begins above nothing; a model that always thinks gets its least, and a reason."""
    assert fitted(effort, FLASH) == (0, None)
    assert fitted(effort, LITE) == (0, None)
    assert fitted(effort, PRO) == (128, "pro can't stop thinking; 128 tokens used, its least")
    assert fitted(effort, TWO) == ("low", "two can't stop thinking; level low used, its least")
    assert fitted(effort, FOUR) == ("minimal", "four can't stop thinking; level minimal used, its least")


def test_max_is_as_much_as_the_model_takes() -> None:
    """Whatever that is, it is what was asked."""
    assert [fitted("max", to) for to in SETTABLE] == [
        (32768, None),
        (24576, None),
        (24576, None),
        ("high", None),
        ("high", None),
    ]


@pytest.mark.parametrize("effort", ["minimal", "low", "medium", "high"])
def test_a_level_the_model_has_is_taken_as_it_is(effort: str) -> None:
    """There is nothing to report."""
    assert fitted(effort, FOUR) == (effort, None)


@pytest.mark.parametrize(
    ("effort", "to", "level"),
    [
        ("minimal", TWO, "low"),
        ("medium", TWO, "high"),
        ("xhigh", TWO, "high"),
        ("xhigh", FOUR, "high"),
    ],
)
def test_a_word_that_is_no_level_of_the_model_becomes_the_nearest(effort: str, to: Model, level: str) -> None:
    """Near is a matter of ratio: medium is a third of high and eight times low."""
    assert fitted(effort, to) == (level, f"{to.id} has no level {effort}; {level} used")


@pytest.mark.parametrize(
    ("tokens", "level"),
    [
        (1, "minimal"),
        (357, "minimal"),
        (358, "low"),
        (2828, "low"),
        (2829, "medium"),
        (13856, "medium"),
        (13857, "high"),
    ],
)
def test_a_budget_becomes_the_nearest_level(tokens: int, level: str) -> None:
    """The borders are the geometric means of neighbours; it is reported, since a level is no budget."""
    assert fitted(tokens, FOUR) == (level, f"four takes levels, not tokens; {level} used")


def test_the_order_of_levels_does_not_matter_nor_do_unknown_ones() -> None:
    """A plugin may list its levels as it likes; those that can't be compared aren't chosen."""
    odd = model("odd", Thinking(levels=("high", "extreme", "low")))
    only_odd = model("only", Thinking(levels=("extreme",)))

    assert fitted(0, odd)[0] == "low"
    assert fitted("max", odd) == ("high", None)
    assert fitted("low", only_odd) == (None, "how only thinks can't be set")


def test_models_that_can_not_be_set() -> None:
    """Nothing is chosen, with a reason; a model that doesn't think does what `none` asks."""
    assert fitted("high", GEMMA) == (None, "gemma is not known to think")
    assert fitted(5, GEMMA) == (None, "gemma is not known to think")
    assert fitted("none", GEMMA) == (None, None)
    assert fitted("high", FIXED) == (None, "how fixed thinks can't be set")
    assert fitted("high", None) == (None, "nothing is known of the model yet")


def test_a_range_without_a_least_begins_at_nothing() -> None:
    """A plugin may know only the largest budget."""
    assert fitted(0, model("m", Thinking(max_budget=10))) == (0, None)


@given(effort=st.sampled_from(sorted(TOKENS)) | st.integers(0, 10**6), to=st.sampled_from(SETTABLE))
def test_whatever_is_asked_the_model_can_take(effort: str | int, to: Model) -> None:
    """A budget is in range or 0 where that is possible, a level is one of the model's; else there is a reason."""
    thinking = to.thinking
    assert thinking
    result = fit_effort(effort, to)
    assert result.choice

    if thinking.levels:
        assert result.choice.budget is None
        assert result.choice.level in thinking.levels
    else:
        least, most = thinking.min_budget or 0, thinking.max_budget or 0
        assert result.choice.level is None
        assert least <= (result.choice.budget or 0) <= most or (thinking.can_turn_off and result.choice.budget == 0)
        asked = TOKENS[effort] if isinstance(effort, str) else effort
        assert result.choice.budget == asked or result.reason or effort == "max"


def test_a_choice_knows_its_tokens() -> None:
    """A level counts as its word."""
    assert ThinkingChoice(budget=77).tokens == 77
    assert ThinkingChoice(budget=0).tokens == 0
    assert ThinkingChoice(level="medium").tokens == 8000


def test_the_words_are_those_that_are_documented() -> None:
    """Requests, configuration and this table know the same ones, and nothing said is nothing done."""
    assert tuple(sorted(TOKENS, key=lambda word: (TOKENS[word], EFFORTS.index(word)))) == EFFORTS
    assert FittedEffort() == FittedEffort(choice=None, reason=None)
