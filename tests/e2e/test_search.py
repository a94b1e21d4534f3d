"""Google Search and what an answer rests on, from the client's tools to AI Studio and back."""

from typing import Any

import pytest

from .house import Gateway, Simulator, deltas

SEARCH: list[dict[str, Any]] = [{"google_search_retrieval": {}}]
SOURCE = {"url": "https://a.example/x", "title": "A", "passage": "Paris"}


ASKED: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    ({"tools": SEARCH}, [{"google_search": {}}]),
    ({"tools": [{"type": "web_search_preview"}]}, [{"google_search": {}}]),
    ({"web_search_options": {}}, [{"google_search": {}}]),
    (
        {"tools": [{"url_context": {}}, {"type": "code_interpreter", "container": {"type": "auto"}}]},
        [{"code_execution": {}}, {"url_context": {}}],
    ),
    ({"tools": SEARCH, "tool_choice": "none"}, []),
    ({}, []),
]


@pytest.mark.parametrize(
    ("fields", "tools"),
    ASKED,
    ids=["search", "openai's", "options", "others", "none", "nothing asked"],
)
def test_tools_are_on_for_who_asks(
    gateway: Gateway, simulator: Simulator, fields: dict[str, Any], tools: list[dict[str, Any]]
) -> None:
    """What AI Studio receives is what the request names, whatever the page has switched on."""
    response = gateway.ask("Who won?", **fields)

    assert response.status_code == 200
    assert simulator.turn("Who won?")["tools"] == tools


def test_sources_become_annotations(gateway: Gateway, simulator: Simulator) -> None:
    """The cited passage is named by its characters, whole and streamed."""
    simulator.play(text=["Grüße aus ", "Paris."], sources=[SOURCE])
    wanted = {
        "type": "url_citation",
        "url_citation": {"url": "https://a.example/x", "title": "A", "start_index": 10, "end_index": 15},
    }

    message = gateway.ask("Where?", tools=SEARCH).json()["choices"][0]["message"]
    with gateway.streaming("Where?", tools=SEARCH) as response:
        streamed = [chunk["choices"][0]["delta"].get("annotations") for chunk in deltas(response)]

    assert message["annotations"] == [wanted]
    assert message["content"][10:15] == "Paris"
    assert [each for each in streamed if each] == [[wanted]]


def test_generated_images_are_shown_and_given(gateway: Gateway, simulator: Simulator) -> None:
    """An image is a markdown data URL in the text and an object beside it."""
    simulator.play(text=["Here: "], media=[{"mime": "image/png", "data": "iVBORw=="}])

    message = gateway.ask("Draw").json()["choices"][0]["message"]

    assert message["content"] == "Here: ![image](data:image/png;base64,iVBORw==)"
    assert [image["image_url"]["url"] for image in message["images"]] == ["data:image/png;base64,iVBORw=="]
