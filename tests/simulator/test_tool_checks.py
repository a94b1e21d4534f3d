from typing import Any

import pytest

from studiogate_simulator.jspb import Json
from studiogate_simulator.models import find_model
from studiogate_simulator.status import INVALID_ARGUMENT, RpcFailure
from studiogate_simulator.submission import read_submission
from studiogate_simulator.tool_checks import check_tools

STRING: list[Json] = [1]
LOOK: list[Json] = ["look", "Look.", [6, None, None, None, None, None, [["at", STRING]]]]
SEARCH: list[Json] = [None, None, None, []]
JSON_CONFIG: list[Json] = [None, None, None, None, None, None, None, "application/json"]


def declaring(*declarations: Json) -> list[Json]:
    """Return the entry of the tools that declares functions."""
    return [None, list(declarations)]


def check(
    *tools: Json, model_id: str = "gemini-2.5-pro", config: Json = None, tool_config: Json = None
) -> list[dict[str, Any]]:
    """Check the tools of a request and return them by name."""
    content: Json = [[[None, "hi"]], "user"]
    request: list[Json] = [f"models/{model_id}", [content], None, config, "!p", None, list(tools)]
    submission = read_submission([*request, *[None] * 6, tool_config], lambda _: None)
    model = find_model(model_id)
    assert model
    check_tools(submission, model)
    return [tool for tool in submission.tools if isinstance(tool, dict)]


def refusal(*tools: Json, model_id: str = "gemini-2.5-pro", config: Json = None, tool_config: Json = None) -> str:
    """Return why tools are refused."""
    with pytest.raises(RpcFailure) as raised:
        check(*tools, model_id=model_id, config=config, tool_config=tool_config)
    assert raised.value.status.code == INVALID_ARGUMENT
    return raised.value.status.message


def test_functions_that_upstream_takes() -> None:
    """With parameters and without."""
    (tool,) = check(declaring(LOOK, ["now", ""]))

    look, now = tool["function_declarations"]
    assert look["parameters"] == {"type": "object", "properties": {"at": {"type": "string"}}}
    assert now == {"name": "now", "description": ""}


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        (["1st", ""], "declarations[0].name: Invalid function name"),
        (["a b", ""], "Invalid function name"),
        (["a" * 65, ""], "Invalid function name"),
        (["", ""], "Invalid function name"),
        (["f", "", [1]], "declarations[0].parameters: schema should be of type OBJECT"),
        (["f", "", [6]], "parameters.properties: should be non-empty for OBJECT type"),
        (
            ["f", "", [6, None, None, None, None, None, [["a", [5]]]]],
            "declarations[0].parameters.properties[a].items: missing field",
        ),
    ],
)
def test_functions_that_upstream_refuses(declaration: Json, message: str) -> None:
    """The message names the place."""
    assert message in refusal(declaring(declaration))


def test_a_function_is_declared_once() -> None:
    """In whichever entry."""
    assert refusal(declaring(LOOK), declaring(["look", ""])) == "Duplicate function declaration found: look"


def test_some_models_can_not_call_functions() -> None:
    """Whatever is declared."""
    assert refusal(declaring(LOOK), model_id="gemma-3-27b-it") == (
        "Function calling is not enabled for models/gemma-3-27b-it"
    )


def test_functions_beside_a_search() -> None:
    """Only newer models can have both, and only when the request says that it means it."""
    both = (SEARCH, declaring(LOOK))
    mixed: Json = [None, None, 1]

    assert refusal(*both, tool_config=mixed) == "Tool use with function calling is unsupported"
    assert "include_server_side_tool_invocations" in refusal(*both, model_id="gemini-3-pro-preview")
    assert len(check(*both, model_id="gemini-3-pro-preview", tool_config=mixed)) == 2
    assert check(SEARCH) == [{"google_search": {}}]


def test_functions_beside_json() -> None:
    """Only newer models can be held to JSON and call functions."""
    assert refusal(declaring(LOOK), config=JSON_CONFIG) == (
        "Function calling with a response mime type: 'application/json' is unsupported"
    )
    assert check(declaring(LOOK), model_id="gemini-3-pro-preview", config=JSON_CONFIG)


def test_tools_that_nobody_knows() -> None:
    """Are refused, not overlooked."""
    assert "tools" in refusal([None, None, {}])
