from typing import Any

import pytest

from studiogate.errors import InvalidRequest
from studiogate.tools import ToolSpec

from .test_openai_request import parsed

FUNCTION = {"name": "f", "description": "d", "parameters": {"type": "object"}}
TOOL = {"type": "function", "function": FUNCTION}
CHOICE = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    "tool",
    [
        TOOL,
        {"function": {"name": "f"}},
        {"type": "function", "function": {"name": "a.b:c-D_9", "parameters": None, "strict": False}},
        {"google_search_retrieval": {}},
        {"type": "mcp", "server_url": "https://mcp.example"},
        {"type": None, "anything": 1},
        {},
    ],
)
def test_a_tool_is_kept_as_sent(tool: dict[str, Any]) -> None:
    """Functions are checked; whatever else a tool is, its plugin knows."""
    assert parsed(tools=[tool]).tools == (ToolSpec(index=0, spec=tool),)


@pytest.mark.parametrize(
    ("tool", "place", "message"),
    [
        (1, "", "must be an object, not 1"),
        ({"type": 1}, ".type", "must be a string, not 1"),
        ({"type": "function"}, ".function", "is required"),
        ({"type": "function", "name": "f"}, ".function", "is required"),
        ({"function": []}, ".function", "must be an object, not a list"),
        ({"type": "function", "function": {}}, ".function.name", "is required"),
        ({"type": "function", "function": {"name": ""}}, ".function.name", "must be 1 to 64 of letters"),
        ({"type": "function", "function": {"name": "a b"}}, ".function.name", "must be 1 to 64 of letters"),
        ({"type": "function", "function": {"name": "a" * 65}}, ".function.name", "must be 1 to 64 of letters"),
        ({"type": "function", "function": {"name": "é"}}, ".function.name", "must be 1 to 64 of letters"),
        ({"type": "function", "function": {"name": "f", "parameters": []}}, ".function.parameters", "an object"),
        ({"type": "function", "function": {"name": "f", "description": 1}}, ".function.description", "a string"),
        ({"type": "function", "function": {"name": "f", "strict": "yes"}}, ".function.strict", "true or false"),
    ],
)
def test_a_wrong_tool_is_refused_by_its_place(tool: Any, place: str, message: str) -> None:
    """The place is the one in the client's own list."""
    with pytest.raises(InvalidRequest, match=message) as refusal:
        parsed(tools=[TOOL, tool])

    assert refusal.value.param == f"tools[1]{place}"


@pytest.mark.parametrize("choice", ["auto", "none", "required", CHOICE, None])
def test_a_choice_is_kept_as_sent(choice: Any) -> None:
    """Plugins know OpenAI's values."""
    request = parsed(tools=[TOOL], tool_choice=choice)

    assert request.tool_choice == choice
    assert request.chosen_function == ("f" if choice == CHOICE else None)


@pytest.mark.parametrize(
    ("choice", "place", "message"),
    [
        ("any", "", "must be one of auto, none, required, or an object that names a function"),
        (1, "", "must be one of auto, none, required"),
        (["auto"], "", "must be one of auto, none, required"),
        ({}, ".type", "is required"),
        ({"type": "custom", "function": {"name": "f"}}, ".type", "must be one of function"),
        ({"type": "function"}, ".function", "is required"),
        ({"type": "function", "function": {}}, ".function.name", "is required"),
        ({"type": "function", "function": {"name": 1}}, ".function.name", "must be a string"),
    ],
)
def test_a_wrong_choice_is_refused_by_its_place(choice: Any, place: str, message: str) -> None:
    """Whether the function exists is asked later, when plugins have added theirs."""
    with pytest.raises(InvalidRequest, match=message) as refusal:
        parsed(tools=[TOOL], tool_choice=choice)

    assert refusal.value.param == f"tool_choice{place}"


@pytest.mark.parametrize(
    ("older", "newer"), [("auto", "auto"), ("none", "none"), ({"name": "f"}, CHOICE), (None, None)]
)
def test_functions_are_the_older_form_of_tools(older: Any, newer: Any) -> None:
    """Plugins see one form only."""
    request = parsed(functions=[FUNCTION], function_call=older)

    assert request.tools == (ToolSpec(index=0, spec=TOOL),)
    assert request.tools[0].function == "f"
    assert request.tool_choice == newer
    assert request.extra == {}
    assert request.params.other == {}


def test_the_newer_form_stands_where_both_are_given() -> None:
    """Functions come after the tools; of two choices the newer one counts."""
    request = parsed(tools=[TOOL], functions=[{"name": "g"}], tool_choice="required", function_call="none")

    assert [tool.function for tool in request.tools] == ["f", "g"]
    assert request.tool_choice == "required"


WRONG_FORMS: list[tuple[dict[str, Any], str]] = [
    ({"functions": {}}, "functions"),
    ({"functions": [1]}, "functions[0]"),
    ({"functions": [FUNCTION, {"parameters": {}}]}, "functions[1].name"),
    ({"function_call": "required"}, "function_call"),
    ({"function_call": {}}, "function_call.name"),
    ({"function_call": {"name": ""}}, "function_call.name"),
]
"""A field and its wrong place."""


@pytest.mark.parametrize(("fields", "place"), WRONG_FORMS)
def test_a_wrong_older_form_is_refused_by_its_own_place(fields: dict[str, Any], place: str) -> None:
    """Not by that of the form it stands for."""
    with pytest.raises(InvalidRequest) as refusal:
        parsed(**fields)

    assert refusal.value.param == place


@pytest.mark.parametrize(
    ("spec", "kind"), [({"type": "x", "y": 1}, "x"), ({"x": {}}, "x"), ({"x": 1, "y": 2}, "unknown"), ({}, "unknown")]
)
def test_a_tools_type_is_its_type_or_its_only_key(spec: dict[str, Any], kind: str) -> None:
    """Google writes a tool as an object with one key."""
    assert ToolSpec(index=0, spec=spec).type == kind
