"""What a model of AI Studio is given for what a client asks."""

from typing import Any

import attrs
import pytest

from studiogate.models import Model, Thinking
from studiogate.params import Params, ResponseFormat
from studiogate.thinking import ThinkingChoice
from studiogate_studio.params import fit

FLASH = Model(
    id="flash",
    display_name="Flash",
    output_token_limit=65536,
    thinking=Thinking(min_budget=0, max_budget=24576, can_turn_off=True),
)
LITE = attrs.evolve(
    FLASH, id="lite", thinking=Thinking(min_budget=512, max_budget=24576, can_turn_off=True, off_by_default=True)
)
LEVELS = attrs.evolve(FLASH, id="three", thinking=Thinking(levels=("low", "high")))
GEMMA = Model(id="gemma", display_name="Gemma", output_token_limit=8192)
SCHEMA: Any = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


def test_what_fits_is_left_alone() -> None:
    """A request that says nothing special gets nothing special."""
    asked = Params(temperature=0.5, top_p=0.5, max_tokens=100, stop=("x",), seed=1, response_format=ResponseFormat())

    assert fit(asked, FLASH) == asked
    assert fit(asked, None) == asked
    assert fit(Params(), GEMMA) == Params()


@pytest.mark.parametrize("seed", [2**31, -(2**31) - 1, 2**63 - 1])
def test_a_seed_that_upstream_has_no_room_for_is_dropped(seed: int) -> None:
    """OpenAI's seeds have 64 bits, AI Studio's 32."""
    fitted = fit(Params(seed=seed), FLASH)

    assert fitted.seed is None
    assert fitted.ignored == {"seed": "AI Studio takes seeds of 32 bits only; a new one used"}
    assert fit(Params(seed=-(2**31)), FLASH) == Params(seed=-(2**31))


def test_an_effort_that_fits_is_a_choice() -> None:
    """Nothing is reported, and the effort stays for who wants to read it."""
    assert fit(Params(reasoning_effort="low"), FLASH) == Params(
        reasoning_effort="low", thinking=ThinkingChoice(budget=1000)
    )
    assert fit(Params(reasoning_effort="none"), FLASH).thinking == ThinkingChoice(budget=0)
    assert fit(Params(reasoning_effort="high"), LEVELS).thinking == ThinkingChoice(level="high")


def test_an_effort_that_has_to_be_changed_is_reported() -> None:
    """The reason says what is used."""
    fitted = fit(Params(reasoning_effort=50000), FLASH)

    assert fitted.thinking == ThinkingChoice(budget=24576)
    assert fitted.ignored == {"reasoning_effort": "50000 is more than flash takes; 24576 used"}


@pytest.mark.parametrize("model", [GEMMA, None])
def test_an_effort_that_nobody_can_make_is_dropped(model: Model | None) -> None:
    """With a reason."""
    fitted = fit(Params(reasoning_effort="high"), model)

    assert (fitted.reasoning_effort, fitted.thinking) == (None, None)
    assert "reasoning_effort" in fitted.ignored


def test_a_model_that_does_not_think_by_itself_is_left_so() -> None:
    """Unless the client asks for it."""
    assert fit(Params(), LITE).thinking == ThinkingChoice(budget=0)
    assert fit(Params(reasoning_effort="low"), LITE).thinking == ThinkingChoice(budget=1000)
    assert fit(Params(), FLASH).thinking is None


def test_a_limit_above_the_models_becomes_the_models() -> None:
    """And is reported; at the limit there is nothing to say."""
    fitted = fit(Params(max_tokens=65537), FLASH)

    assert fitted == Params(max_tokens=65536, ignored={"max_tokens": "65537 is more than flash gives; 65536 used"})
    assert fit(Params(max_tokens=65536), FLASH).ignored == {}
    assert fit(Params(max_tokens=10**9), attrs.evolve(FLASH, output_token_limit=None)).max_tokens == 10**9


def test_a_simple_schema_is_passed_on() -> None:
    """Nothing is reported."""
    asked = Params(response_format=ResponseFormat(schema=SCHEMA, name="n"))

    assert fit(asked, FLASH) == asked


def test_the_model_is_told_what_the_schema_is_for() -> None:
    """By the client's description of it, unless the schema has one of its own."""
    told = fit(Params(response_format=ResponseFormat(schema=SCHEMA, description="A letter.")), FLASH)
    own = {**SCHEMA, "description": "Its own."}
    kept = fit(Params(response_format=ResponseFormat(schema=own, description="A letter.")), FLASH)

    assert told.response_format
    assert told.response_format.schema == {**SCHEMA, "description": "A letter."}
    assert kept.response_format
    assert kept.response_format.schema == own


def test_a_schema_is_simplified_and_what_it_loses_is_reported() -> None:
    """Once for all of it, under the parameter's name."""
    schema = {**SCHEMA, "properties": {"a": {"type": "string", "format": "email", "not": {"const": "b"}}}}
    fitted = fit(Params(response_format=ResponseFormat(schema=schema, name="n")), FLASH)

    assert fitted.response_format == ResponseFormat(schema=SCHEMA, name="n")
    assert fitted.ignored == {"response_format": "the schema goes without not, format email"}


def test_a_schema_that_can_not_be_simplified_leaves_plain_json() -> None:
    """The answer is JSON all the same, and the client knows that nothing holds it to the schema."""
    schema: Any = {"$defs": {"node": {**SCHEMA, "properties": {"a": {"$ref": "#/$defs/node"}}}}, "$ref": "#/$defs/node"}
    fitted = fit(Params(response_format=ResponseFormat(schema=schema, name="n")), FLASH)

    assert fitted.response_format == ResponseFormat(name="n")
    assert fitted.ignored["response_format"].startswith("The schema is recursive")
    assert fitted.ignored["response_format"].endswith("parts; JSON without a schema is asked for")


def test_a_schema_that_allows_anything_is_plain_json() -> None:
    """There is nothing to follow, and nothing to report."""
    fitted = fit(Params(response_format=ResponseFormat(schema={})), FLASH)

    assert fitted == Params(response_format=ResponseFormat())


def test_what_is_unknown_here_is_left_for_the_gateway_to_report() -> None:
    """Such as penalties, which Gemini's models refuse."""
    assert fit(Params(other={"presence_penalty": 1}), FLASH).other == {"presence_penalty": 1}
