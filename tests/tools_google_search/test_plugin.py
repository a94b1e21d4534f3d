from typing import Any

import pytest

from studiogate.chat import ChatRequest, Message, Role
from studiogate.params import Params
from studiogate.tools import ToolPlan, ToolSpec
from studiogate_tools_google_search import GoogleSearchTools, GoogleSearchToolsSettings

PLUGIN = GoogleSearchTools(GoogleSearchToolsSettings())


def request(*tools: dict[str, Any], choice: Any = None, **other: Any) -> ChatRequest:
    """Make a request with tools, and parameters of OpenAI's."""
    return ChatRequest(
        messages=(Message(role=Role.USER, text="Who won?"),),
        tools=tuple(ToolSpec(index=index, spec=spec) for index, spec in enumerate(tools)),
        tool_choice=choice,
        params=Params(other=other),
    )


async def plan(made: ChatRequest) -> ToolPlan:
    """Ask the plugin as the gateway does."""
    return await PLUGIN.map_tools(tools=made.tools, choice=made.tool_choice, request=made)


def took(indices: set[int], *switches: str) -> ToolPlan:
    """Return the plan of who took these tools and switched something on for them."""
    return ToolPlan(taken=frozenset(indices), upstream=frozenset(indices), switches={switch: {} for switch in switches})


def function(name: str) -> dict[str, Any]:
    """Declare a function."""
    return {"type": "function", "function": {"name": name}}


@pytest.mark.parametrize(
    ("tool", "switch"),
    [
        ({"google_search_retrieval": {}}, "google_search"),
        ({"google_search": {}}, "google_search"),
        ({"googleSearch": {}}, "google_search"),
        ({"type": "web_search"}, "google_search"),
        ({"type": "web_search", "search_context_size": "low"}, "google_search"),
        ({"type": "web_search_preview"}, "google_search"),
        ({"type": "web_search_preview_2025_03_11"}, "google_search"),
        (function("googleSearch"), "google_search"),
        (function("google_search"), "google_search"),
        ({"url_context": {}}, "url_context"),
        ({"type": "url_context"}, "url_context"),
        ({"code_execution": {}}, "code_execution"),
        ({"type": "code_interpreter", "container": {"type": "auto"}}, "code_execution"),
    ],
)
async def test_every_name_of_a_tool_switches_it_on(tool: dict[str, Any], switch: str) -> None:
    """Clients of Google's, OpenAI's and nobody's API ask in their own words."""
    assert await plan(request(tool)) == took({0}, switch)


@pytest.mark.parametrize(
    "tool", [function("get_weather"), {"type": "function"}, {"type": "function", "function": "google_search"}]
)
async def test_tools_of_others_are_left(tool: dict[str, Any]) -> None:
    """Another plugin may take them; if none does, the gateway refuses them."""
    assert await plan(request(tool)) == ToolPlan()


async def test_a_request_without_tools_has_none() -> None:
    """Off is what a request gets that doesn't ask."""
    assert await plan(request()) == ToolPlan()


async def test_several_are_taken_by_their_place() -> None:
    """The indices are the request's, also when others stand between them."""
    found = await plan(request({"google_search": {}}, function("f"), {"url_context": {}}, {"type": "web_search"}))

    assert found == took({0, 2, 3}, "google_search", "url_context")


async def test_tool_choice_none_keeps_them_off() -> None:
    """Taken all the same: the client knows that it named them."""
    found = await plan(request({"google_search": {}}, choice="none", web_search_options={}))

    assert found == ToolPlan(taken=frozenset({0}))


async def test_openais_search_options_switch_search_on() -> None:
    """OpenAI's search models need no tool for it."""
    assert (await plan(request(web_search_options={}))).switches == {"google_search": {}}


@pytest.mark.parametrize(
    ("options", "ignored"),
    [
        ({}, {}),
        (
            {"search_context_size": "low"},
            {"web_search_options": "search is on, but search_context_size can't be set"},
        ),
    ],
)
def test_search_options_are_taken_and_what_they_hold_is_reported(
    options: dict[str, Any], ignored: dict[str, str]
) -> None:
    """Nothing is dropped silently, and a service that knows them gets them."""
    fitted = PLUGIN.apply_params(params=Params(other={"web_search_options": options}))

    assert fitted == Params(passed={"web_search_options": options}, ignored=ignored)


def test_other_parameters_are_left_alone() -> None:
    """None says so."""
    assert PLUGIN.apply_params(params=Params(other={"store": True})) is None


@pytest.mark.parametrize(
    ("tool", "listed"), [({"google_search": {}}, True), ({"code_execution": {}}, False), (function("f"), False)]
)
async def test_the_operator_may_want_sources_listed(tool: dict[str, Any], *, listed: bool) -> None:
    """In the text of every answer with a search, and no other's."""
    plugin = GoogleSearchTools(GoogleSearchToolsSettings(list_sources=True))
    made = request(tool)

    assert (await plugin.map_tools(tools=made.tools, choice=None, request=made)).list_sources is listed
