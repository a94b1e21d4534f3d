"""What becomes of a client's parameters: what AI Studio received, and what the client is told."""

import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from .house import Gateway, Simulator

type Effort = str | int | None
type Thinking = dict[str, Any] | None

OFF: Thinking = {"include_thoughts": False, "budget": 0}
SHOWN: Thinking = {"include_thoughts": True}


def budget(tokens: int) -> Thinking:
    """Return what a budget looks like to AI Studio."""
    return {"include_thoughts": True, "budget": tokens}


def level(name: str) -> Thinking:
    """Return what a level looks like to AI Studio."""
    return {"include_thoughts": True, "level": name}


def no_level(model: str, effort: str, used: str) -> str:
    """Return the reason for a word that is no level of a model."""
    return f"{model} has no level {effort}; {used} used"


def levels_only(model: str, used: str) -> str:
    """Return the reason for a budget that became a level."""
    return f"{model} takes levels, not tokens; {used} used"


PRO, FLASH, LITE = "gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite"
PRO_3, FLASH_3, GEMMA = "gemini-3-pro-preview", "gemini-3-flash-preview", "gemma-3-27b-it"
UNTHINKING = f"{GEMMA} is not known to think"

TABLE: dict[str, dict[Effort, tuple[Thinking, str | None]]] = {
    PRO: {
        None: (SHOWN, None),
        "none": (budget(128), f"{PRO} can't stop thinking; 128 tokens used, its least"),
        "minimal": (budget(128), None),
        "low": (budget(1000), None),
        "medium": (budget(8000), None),
        "high": (budget(24000), None),
        "xhigh": (budget(32768), None),
        "max": (budget(32768), None),
        16000: (budget(16000), None),
        50000: (budget(32768), f"50000 is more than {PRO} takes; 32768 used"),
    },
    FLASH: {
        None: (SHOWN, None),
        "none": (OFF, None),
        0: (OFF, None),
        "minimal": (budget(128), None),
        "high": (budget(24000), None),
        "xhigh": (budget(24576), f"xhigh (32768 tokens) is more than {FLASH} takes; 24576 used"),
        "max": (budget(24576), None),
        1: (budget(1), None),
        50000: (budget(24576), f"50000 is more than {FLASH} takes; 24576 used"),
    },
    LITE: {
        None: (OFF, None),
        "none": (OFF, None),
        "minimal": (budget(512), f"minimal (128 tokens) is less than {LITE} takes; 512 used"),
        "low": (budget(1000), None),
        "max": (budget(24576), None),
        511: (budget(512), f"511 is less than {LITE} takes; 512 used"),
    },
    PRO_3: {
        None: (SHOWN, None),
        "none": (level("LOW"), f"{PRO_3} can't stop thinking; level low used, its least"),
        "minimal": (level("LOW"), no_level(PRO_3, "minimal", "low")),
        "low": (level("LOW"), None),
        "medium": (level("HIGH"), no_level(PRO_3, "medium", "high")),
        "high": (level("HIGH"), None),
        "max": (level("HIGH"), None),
        2000: (level("LOW"), levels_only(PRO_3, "low")),
    },
    FLASH_3: {
        None: (SHOWN, None),
        "none": (level("MINIMAL"), f"{FLASH_3} can't stop thinking; level minimal used, its least"),
        "minimal": (level("MINIMAL"), None),
        "low": (level("LOW"), None),
        "medium": (level("MEDIUM"), None),
        "high": (level("HIGH"), None),
        "xhigh": (level("HIGH"), no_level(FLASH_3, "xhigh", "high")),
        9000: (level("MEDIUM"), levels_only(FLASH_3, "medium")),
    },
    GEMMA: {None: (None, None), "none": (None, None), "high": (None, UNTHINKING), 500: (None, UNTHINKING)},
}


@pytest.mark.parametrize("model", TABLE)
def test_efforts(gateway: Gateway, simulator: Simulator, model: str) -> None:
    """Each effort reaches each model as what it takes; whatever isn't as asked is told, with what is used instead."""
    found: dict[Effort, tuple[Thinking, str | None]] = {}
    for effort in TABLE[model]:
        fields = {} if effort is None else {"reasoning_effort": effort}
        answer = gateway.ask(f"think {effort}.", model=model, **fields)
        assert answer.status_code == 200, answer.text
        ignored = answer.headers.get("x-studiogate-ignored")
        thinking = simulator.turn(f"think {effort}.")["config"].get("thinking")
        found[effort] = thinking, ignored and ignored.removeprefix("reasoning_effort: ")

    assert found == TABLE[model]


def test_an_answer_without_thoughts(gateway: Gateway) -> None:
    """`none` switches thinking off for real: nothing is thought, nothing is counted, and the next request thinks."""
    silent = gateway.ask("silently", model=FLASH, reasoning_effort="none").json()
    aloud = gateway.ask("aloud", model=FLASH).json()

    assert not silent["choices"][0]["message"].get("reasoning_content")
    assert silent["usage"]["completion_tokens_details"]["reasoning_tokens"] == 0
    assert aloud["choices"][0]["message"]["reasoning_content"]


def test_the_guides_defaults_arrive(gateway: Gateway, simulator: Simulator) -> None:
    """Temperature 1.0, top_p 0.95 and 8192 tokens for a request that says nothing; no seed, no stop, no JSON."""
    answer = gateway.ask("by default", model=PRO)

    config = simulator.turn("by default")["config"]
    assert (config["temperature"], config["top_p"], config["max_output_tokens"]) == (1.0, 0.95, 8192)
    assert not {"seed", "stop_sequences", "response_mime_type", "response_schema"} & config.keys()
    assert "x-studiogate-ignored" not in answer.headers


def test_thoughts_come_on_top_of_the_default_limit(gateway: Gateway, simulator: Simulator) -> None:
    """Only of the default one: a client's own limit is the client's to choose."""
    gateway.ask("thinking", model=PRO, reasoning_effort="high")
    gateway.ask("limited", model=PRO, reasoning_effort="high", max_tokens=500)

    assert simulator.turn("thinking")["config"]["max_output_tokens"] == 8192 + 24000
    assert simulator.turn("limited")["config"]["max_output_tokens"] == 500


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "max_output_tokens"])
def test_a_limit_above_the_models(gateway: Gateway, simulator: Simulator, name: str) -> None:
    """The model's own limit is used, and told."""
    answer = gateway.ask("too much", model=GEMMA, **{name: 100000})

    assert simulator.turn("too much")["config"]["max_output_tokens"] == 8192
    assert answer.headers["x-studiogate-ignored"] == f"max_tokens: 100000 is more than {GEMMA} gives; 8192 used"


@pytest.mark.parametrize("seed", [0, 42, -(2**31), 2**31 - 1])
def test_seeds(gateway: Gateway, simulator: Simulator, seed: int) -> None:
    """Any of 32 bits; nothing is told, as nothing is ignored."""
    answer = gateway.client.chat.completions.with_raw_response.create(
        model=PRO, messages=[{"role": "user", "content": "seeded"}], seed=seed
    )

    assert simulator.turn("seeded")["config"]["seed"] == seed
    assert "x-studiogate-ignored" not in answer.headers


def test_any_json(gateway: Gateway, simulator: Simulator) -> None:
    """`json_object` asks for JSON without a schema."""
    answer = gateway.client.chat.completions.create(
        model=PRO, messages=[{"role": "user", "content": "as JSON"}], response_format={"type": "json_object"}
    )

    assert json.loads(answer.choices[0].message.content or "")["prompt"] == "as JSON"
    config = simulator.turn("as JSON")["config"]
    assert config["response_mime_type"] == "application/json"
    assert "response_schema" not in config


class Step(BaseModel):
    """A step of a recipe."""

    text: str
    minutes: int = Field(gt=0)
    kind: Literal["cook", "wait"]


class Recipe(BaseModel):
    """What a client would like to have."""

    name: str
    steps: list[Step]
    note: str | None


def test_json_by_a_schema(gateway: Gateway, simulator: Simulator) -> None:
    """The official client's own parsing of a pydantic model works, and AI Studio got the schema in its own words."""
    raw = gateway.client.chat.completions.with_raw_response.parse(
        model=PRO, messages=[{"role": "user", "content": "a recipe"}], response_format=Recipe
    )

    assert raw.parse().choices[0].message.parsed == Recipe(
        name="text", steps=[Step(text="text", minutes=1, kind="cook")], note="text"
    )
    config = simulator.turn("a recipe")["config"]
    assert config["response_mime_type"] == "application/json"
    assert config["response_schema"] == {
        "type": "object",
        "description": "What a client would like to have.",
        "properties": {
            "name": {"type": "string"},
            "steps": {
                "type": "array",
                "items": {
                    "type": "object",
                    "description": "A step of a recipe.",
                    "properties": {
                        "text": {"type": "string"},
                        "minutes": {"type": "integer", "minimum": 1},
                        "kind": {"type": "string", "enum": ["cook", "wait"]},
                    },
                    "required": ["text", "minutes", "kind"],
                    "propertyOrdering": ["text", "minutes", "kind"],
                },
            },
            "note": {"type": "string", "nullable": True},
        },
        "required": ["name", "steps", "note"],
        "propertyOrdering": ["name", "steps", "note"],
    }
    assert "x-studiogate-ignored" not in raw.headers


def test_a_schema_that_has_to_be_simplified(gateway: Gateway, simulator: Simulator) -> None:
    """What AI Studio can't be told is told to the client."""
    schema: Any = {
        "type": "object",
        "properties": {
            "mail": {"type": "string", "format": "email"},
            "size": {"enum": [1, 2, 4]},
            "many": {"type": "array", "uniqueItems": True, "items": {}},
        },
        "required": ["mail", "size", "many"],
    }
    answer = gateway.ask(
        "simplify", model=PRO, response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    )

    assert json.loads(answer.json()["choices"][0]["message"]["content"]) == {
        "mail": "text",
        "size": 1,
        "many": ["text"],
    }
    assert answer.headers["x-studiogate-ignored"] == (
        "response_format: the schema goes without format email, an enum of numbers, uniqueItems, values of any kind"
    )


def test_a_schema_that_can_not_be_sent(gateway: Gateway, simulator: Simulator) -> None:
    """A recursive one leaves JSON without a schema."""
    node = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    answer = gateway.ask(
        "recur", model=PRO, response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": node}}
    )

    assert json.loads(answer.json()["choices"][0]["message"]["content"])
    assert "response_schema" not in simulator.turn("recur")["config"]
    assert answer.headers["x-studiogate-ignored"].endswith("JSON without a schema is asked for")


def test_parameters_do_not_leak_into_the_next_request(gateway: Gateway, simulator: Simulator) -> None:
    """Whatever one client asked for, the next one gets what it asks for itself, in either tab."""
    for text in ("first", "second", "third"):
        gateway.ask(text, model=FLASH, seed=7, reasoning_effort="none", response_format={"type": "json_object"})
    for text in ("plain one", "plain two"):
        gateway.ask(text, model=FLASH)

    for text in ("plain one", "plain two"):
        config = simulator.turn(text)["config"]
        assert config["thinking"] == SHOWN
        assert not {"seed", "response_mime_type", "response_schema"} & config.keys()


def test_what_no_model_honours_is_told(gateway: Gateway) -> None:
    """Penalties and their like are accepted and reported, as current models refuse them."""
    answer = gateway.ask("penalised", model=PRO, frequency_penalty=0.5, logit_bias={"1": 2}, logprobs=True)

    assert answer.status_code == 200
    assert answer.headers["x-studiogate-ignored"] == "; ".join(
        f"{name}: not supported by stream_intercept" for name in ("frequency_penalty", "logit_bias", "logprobs")
    )
