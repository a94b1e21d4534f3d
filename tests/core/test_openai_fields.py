from typing import Any

import pytest

from studiogate.defaults import EFFORTS
from studiogate.errors import InvalidRequest

from .test_openai_request import parsed


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_tokens": 1}, 1),
        ({"max_completion_tokens": 2}, 2),
        ({"max_output_tokens": 3}, 3),
        ({"max_tokens": 1, "max_completion_tokens": 2}, 2),
        ({"max_tokens": 1, "max_output_tokens": 3}, 1),
        ({"max_tokens": None}, None),
        ({}, None),
    ],
)
def test_the_output_limit_has_three_names(fields: dict[str, Any], expected: int | None) -> None:
    """The newest name that is given counts."""
    assert parsed(**fields).params.max_tokens == expected


@pytest.mark.parametrize(
    ("stop", "expected"), [("x", ("x",)), (["x", "y"], ("x", "y")), ([], ()), (None, ()), ("", ()), (["", "x"], ("x",))]
)
def test_stop_is_a_string_or_a_list(stop: Any, expected: tuple[str, ...]) -> None:
    """Empty sequences stop nothing and are left out."""
    assert parsed(stop=stop).params.stop == expected


@pytest.mark.parametrize(
    ("fields", "stream", "usage"),
    [
        ({}, False, False),
        ({"stream": True}, True, False),
        ({"stream": None}, False, False),
        ({"stream": True, "stream_options": {"include_usage": True}}, True, True),
        ({"stream": True, "stream_options": {"include_usage": False}}, True, False),
        ({"stream": True, "stream_options": {"include_obfuscation": False}}, True, False),
        ({"stream": True, "stream_options": None}, True, False),
    ],
)
def test_a_stream_may_ask_for_usage(fields: dict[str, Any], stream: bool, usage: bool) -> None:  # noqa: FBT001
    """`stream_options.include_usage` asks for one more chunk."""
    request = parsed(**fields)

    assert (request.stream, request.include_usage) == (stream, usage)


def test_numbers_may_be_whole() -> None:
    """`1` is as good a temperature as `1.0`."""
    params = parsed(temperature=1, top_p=0).params

    assert (params.temperature, params.top_p) == (1.0, 0.0)


@pytest.mark.parametrize("seed", [0, -1, 42, 2**31, 2**63 - 1, -(2**63)])
def test_a_seed_is_a_parameter(seed: int) -> None:
    """Any number of 32 bits, below zero too."""
    assert parsed(seed=seed).params.seed == seed


@pytest.mark.parametrize("effort", [*EFFORTS, 0, 1, 16000])
def test_an_effort_is_a_word_or_a_budget(effort: str | int) -> None:
    """It is handed on as it was said."""
    assert parsed(reasoning_effort=effort).params.reasoning_effort == effort


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"model": 1}, "model", "must be a string, not 1"),
    ({"stream": "yes"}, "stream", "must be true or false, not a string"),
    ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage", "must be true or false, not 1"),
    ({"temperature": 2.1}, "temperature", "must be from 0 to 2, not 2.1"),
    ({"temperature": "1"}, "temperature", "must be a number, not a string"),
    ({"temperature": True}, "temperature", "must be a number, not true"),
    ({"top_p": -0.1}, "top_p", "must be from 0 to 1"),
    ({"max_tokens": 0}, "max_tokens", "must be from 1 to 2147483647, not 0"),
    ({"max_tokens": 1.5}, "max_tokens", "must be a whole number, not 1.5"),
    ({"max_completion_tokens": -1}, "max_completion_tokens", "must be from 1 to"),
    ({"n": 2}, "n", "must be 1, as a request gets one answer, not 2"),
    ({"stop": 1}, "stop", "must be a string or a list of strings"),
    ({"stop": ["x", 1]}, "stop", "must be a string or a list of strings"),
    ({"stop": {}}, "stop", "must be a string or a list of strings, not an object"),
    ({"stop": list("abcdef")}, "stop", "must hold at most 5 strings, not 6"),
    ({"seed": 2**63}, "seed", "must be from -9223372036854775808 to 9223372036854775807, not 9223372036854775808"),
    ({"seed": True}, "seed", "must be a whole number, not true"),
    ({"seed": 0.5}, "seed", "must be a whole number, not 0.5"),
    ({"seed": "1"}, "seed", "must be a whole number, not a string"),
    (
        {"reasoning_effort": "extreme"},
        "reasoning_effort",
        "must be one of none, minimal, low, medium, high, xhigh, max",
    ),
    ({"reasoning_effort": -1}, "reasoning_effort", "must be from 0 to"),
    ({"reasoning_effort": 0.5}, "reasoning_effort", "must be a whole number, not 0.5"),
    ({"reasoning_effort": True}, "reasoning_effort", "must be a whole number, not true"),
    ({"reasoning_effort": {}}, "reasoning_effort", "or a budget in tokens"),
    ({"n": "1"}, "n", "must be a whole number, not a string"),
    ({"n": True}, "n", "must be a whole number, not true"),
    ({"tools": {}}, "tools", "must be a list, not an object"),
    ({"parallel_tool_calls": 1}, "parallel_tool_calls", "must be true or false, not 1"),
    ({"attachments": "u"}, "attachments", "must be a list, not a string"),
    ({"mcp_endpoint": 1}, "mcp_endpoint", "must be a string, not 1"),
    ({"user": 1}, "user", "must be a string, not 1"),
    ({"frequency_penalty": 2.1}, "frequency_penalty", "must be from -2 to 2, not 2.1"),
    ({"presence_penalty": -3}, "presence_penalty", "must be from -2 to 2, not -3"),
    ({"logprobs": 1}, "logprobs", "must be true or false, not 1"),
    ({"top_logprobs": 21}, "top_logprobs", "must be from 0 to 20, not 21"),
    ({"logit_bias": []}, "logit_bias", "must be an object, not a list"),
    ({"logit_bias": {"7": "x"}}, "logit_bias[7]", "must be a number, not a string"),
    ({"logit_bias": {"7": 101}}, "logit_bias[7]", "must be from -100 to 100, not 101"),
    ({"service_tier": 1}, "service_tier", "must be a string, not 1"),
    ({"store": "yes"}, "store", "must be true or false, not a string"),
    ({"verbosity": "loud"}, "verbosity", "must be one of low, medium, high"),
    ({"modalities": "text"}, "modalities", "must be a list, not a string"),
    ({"modalities": [1]}, "modalities[0]", "must be a string, not 1"),
    ({"audio": 1}, "audio", "must be an object, not 1"),
    ({"prediction": "x"}, "prediction", "must be an object, not a string"),
    ({"web_search_options": []}, "web_search_options", "must be an object, not a list"),
    ({"metadata": []}, "metadata", "must be an object, not a list"),
]
"""A field, its place, and what is said of it."""


@pytest.mark.parametrize(("fields", "param", "message"), WRONG)
def test_a_wrong_value_is_refused_by_its_place(fields: dict[str, Any], param: str, message: str) -> None:
    """`param` names the place as the client would write it; the message says what would be right."""
    with pytest.raises(InvalidRequest) as refusal:
        parsed(**fields)

    assert refusal.value.param == param
    assert refusal.value.message.startswith(f"{param}: ")
    assert message in refusal.value.message
