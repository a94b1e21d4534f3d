"""What a helper service doesn't tell is read in the page, where the prompt was submitted once."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.house import running_simulator
from tests.helper_service import Fault

from .stage import Stage, standing


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """Run a gateway with the page behind the service."""
    folder: Path = tmp_path_factory.mktemp("gateway")
    with (
        running_simulator(tmp_path_factory.mktemp("simulator")) as simulator,
        standing(folder, simulator, ["helper_backend", "dom_scrape"]) as stage,
    ):
        yield stage


@pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.STALL, Fault.GARBAGE, Fault.HALF, Fault.EARLY, Fault.RESET])
def test_the_page_has_what_the_service_does_not_tell(running: Stage, fault: Fault) -> None:
    """One that refuses is found out before anything is submitted; the others leave the answer in the page."""
    stage = running.ready()
    stage.helper.fail(fault)
    stage.simulator.play(text=["One ", "answer."])
    response = stage.gateway.ask("Hello?")

    assert response.json()["choices"][0]["message"]["content"] == "One answer."
    assert stage.attempts(response).endswith("dom_scrape=ok")
    assert len(stage.simulator.log()) == 1
