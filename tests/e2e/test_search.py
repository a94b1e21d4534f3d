"""Google Search and what an answer rests on, from the client's tools to AI Studio and back."""

from typing import Any

from .house import Gateway, Simulator, deltas

SEARCH: list[dict[str, Any]] = [{"google_search_retrieval": {}}]
SOURCE = {"url": "https://a.example/x", "title": "A", "passage": "Paris"}


ON: list[dict[str, Any]] = [{"google_search": {}}]
ASKED: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    ({"tools": SEARCH}, ON),
    ({"tools": [{"google_search": {}}]}, ON),
    ({"tools": [{"type": "web_search"}]}, ON),
    ({"tools": [{"type": "web_search_preview"}]}, ON),
    ({"tools": [{"type": "function", "function": {"name": "googleSearch"}}]}, ON),
    ({"tools": [{"type": "function", "function": {"name": "google_search"}}]}, ON),
    ({"web_search_options": {}}, ON),
    (
        {"tools": [{"url_context": {}}, {"type": "code_interpreter", "container": {"type": "auto"}}]},
        [{"code_execution": {}}, {"url_context": {}}],
    ),
    ({"tools": SEARCH, "tool_choice": "none"}, []),
    ({}, []),
]


def test_tools_are_on_for_who_asks(each_tier: Gateway, simulator: Simulator) -> None:
    """What AI Studio receives is what the request names, whatever the page has on, by whatever name it asks."""
    for number, (fields, tools) in enumerate(ASKED):
        response = each_tier.ask(f"Who won {number}?", **fields)

        assert response.status_code == 200, fields
        sent = simulator.turn(f"Who won {number}?")["tools"]
        assert sorted(sent, key=str) == tools, fields


def test_code_and_its_output_are_fenced(gateway: Gateway, simulator: Simulator) -> None:
    """Before the text, over the wire as in the page (`test_dom_scrape.py`)."""
    simulator.play(code=[{"code": "print(1)\n", "output": "1\n"}], text=["It ", "is *one*."])

    message = gateway.ask("Run it", tools=[{"code_execution": {}}]).json()["choices"][0]["message"]

    assert message["content"] == "\n```python\nprint(1)\n```\n\n```\n1\n```\nIt is *one*."


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
