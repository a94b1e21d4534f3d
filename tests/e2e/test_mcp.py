"""Tools that the gateway runs, called by the model behind the page, on both tiers that read it."""

import sys
from collections.abc import Generator

import pytest

from .house import ROOT, Gateway, Simulator, deltas, running_gateway, write_config

COMMAND = [sys.executable, "-m", "tests.mcp.server", "stdio"]


@pytest.fixture(scope="module", params=["stream_intercept", "dom_scrape"])
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shared_simulator: Simulator
) -> Generator[Gateway]:
    """Run a gateway with the plugin and one backend."""
    folder = tmp_path_factory.mktemp("mcp")
    tables = {"studio": {"tabs": 1}, "mcp.servers.tests": {"command": COMMAND}}
    with pytest.MonkeyPatch.context() as patch:
        # The server is found from the checkout.
        patch.chdir(ROOT)
        config = write_config(folder, shared_simulator, tables, backends=("mcp", request.param))
        with running_gateway(config) as gateway:
            yield gateway


def test_the_page_is_asked_again_with_the_results(gateway: Gateway, simulator: Simulator) -> None:
    """In a chat of its own, with one tab: calls and results are turns of the conversation."""
    simulator.play(when="How much is it?", calls=[{"name": "add", "args": {"a": 20, "b": 22}}], times=1)
    simulator.play(when="result of", text=["It is ", "42."], times=1)

    answer = gateway.ask("How much is it?")

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

    with gateway.streaming("Try it.") as response:
        assert response.status_code == 200
        texts = [chunk["choices"][0]["delta"].get("content") or "" for chunk in deltas(response)]

    assert "".join(texts) == "Let me see. It failed."
    assert "luck" in simulator.log()[1]["prompt"]
