"""Tools that the gateway runs, called by the model behind the page, on both tiers that read it."""

from typing import Any

import pytest

from .house import Gateway, Simulator, deltas

SERVER: dict[str, Any] = {"type": "mcp", "server_label": "tests"}
MINE: dict[str, Any] = {"type": "function", "function": {"name": "mine"}}


@pytest.fixture
def gateway(each_tier: Gateway) -> Gateway:
    """Return a gateway of each tier."""
    return each_tier


def test_the_page_is_asked_again_with_the_results(gateway: Gateway, simulator: Simulator) -> None:
    """In a chat of its own, with one tab: calls and results are turns of the conversation."""
    simulator.play(when="How much is it?", calls=[{"name": "add", "args": {"a": 20, "b": 22}}], times=1)
    simulator.play(when="result of", text=["It is ", "42."], times=1)

    answer = gateway.ask("How much is it?", tools=[SERVER])

    assert answer.status_code == 200, answer.text
    choice = answer.json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("It is 42.", "stop")
    first, second = simulator.log()
    assert first["prompt"] == "How much is it?"
    assert second["prompt"].rstrip().endswith("\n42")
    assert "assistant calls add" in second["prompt"]


def test_a_stream(gateway: Gateway, simulator: Simulator) -> None:
    """What the model says before it calls is streamed too; a tool that fails is its business."""
    simulator.play(when="Try it.", text=["Let me see. "], calls=[{"name": "fail", "args": {"why": "luck"}}], times=1)
    simulator.play(when="Error", text=["It failed."], times=1)

    with gateway.streaming("Try it.", tools=[SERVER]) as response:
        assert response.status_code == 200
        texts = [chunk["choices"][0]["delta"].get("content") or "" for chunk in deltas(response)]

    assert "".join(texts) == "Let me see. It failed."
    assert "luck" in simulator.log()[1]["prompt"]


def test_calls_of_both_kinds(gateway: Gateway, simulator: Simulator) -> None:
    """The client gets its own; the model calls the gateway's again once it has the client's results."""
    add = {"name": "add", "args": {"a": 20, "b": 22}}
    simulator.play(when="Both.", calls=[add, {"name": "mine", "args": {}}], times=1)
    simulator.play(when="my result", calls=[add], times=1)
    simulator.play(when="42", text=["All of it."], times=1)
    conversation: list[Any] = [{"role": "user", "content": "Both."}]

    first = gateway.ask("", messages=conversation, tools=[SERVER, MINE]).json()["choices"][0]
    (call,) = first["message"]["tool_calls"]
    conversation += [first["message"], {"role": "tool", "tool_call_id": call["id"], "content": "my result"}]
    second = gateway.ask("", messages=conversation, tools=[SERVER, MINE]).json()["choices"][0]

    assert (call["function"]["name"], first["finish_reason"]) == ("mine", "tool_calls")
    assert (second["message"]["content"], second["finish_reason"]) == ("All of it.", "stop")
    assert len(simulator.log()) == 3
