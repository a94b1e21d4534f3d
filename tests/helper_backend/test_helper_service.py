"""The stand-in of the helper service, without a gateway: what it retells and what it asks for."""

import ssl
from collections.abc import Generator

import httpx
import pytest

from tests.e2e.house import Simulator, running_simulator
from tests.helper_service import Fault, HelperService, Kept, running_helper


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Generator[Simulator]:
    """Run one simulator for this module."""
    with running_simulator(tmp_path_factory.mktemp("simulator")) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Generator[HelperService]:
    """Run one service for this module."""
    folder = tmp_path_factory.mktemp("helper")
    with running_helper(
        folder, simulator=simulator.port, simulator_ca=simulator.ca, storage_state=simulator.storage_state
    ) as helper:
        yield helper


@pytest.fixture
def helper(running: HelperService) -> HelperService:
    """Return the service, which has seen nothing."""
    running.reset()
    return running


def fetch(helper: HelperService, cookie: str | None = None) -> httpx.Response:
    """Fetch a whole stream."""
    cookies = {"Cookie": cookie or f"SAPISID={helper.sapisid}"}
    return httpx.get(helper.endpoint, headers=cookies, trust_env=False, timeout=5)


def test_the_pages_traffic_passes(helper: HelperService) -> None:
    """Under the service's own certificate, for whatever host is named."""
    trust = ssl.create_default_context(cafile=helper.ca)
    with httpx.Client(proxy=f"http://{helper.proxy}", verify=trust, trust_env=False) as browser:
        page = browser.get("https://aistudio.google.com/prompts/new_chat")
        again = browser.get("https://aistudio.google.com/prompts/new_chat")

    assert (page.status_code, again.status_code) == (302, 302)
    assert helper.tunnels == ["aistudio.google.com:443"]


def test_only_the_account_is_told(helper: HelperService) -> None:
    """By its cookie."""
    helper.plant("secret")
    refused = fetch(helper, "SAPISID=somebody-else")
    told = fetch(helper)

    assert refused.status_code == 401
    assert '"content": "secret"' in told.text
    assert told.text.endswith("data: [DONE]\n\n")


def test_an_answer_is_told_once(helper: HelperService) -> None:
    """The oldest first; who asks when nothing is left gets the next, or nothing at once."""
    helper.plant("one")
    helper.plant("two")
    helper.kept = Kept.AT_ONCE
    told = [fetch(helper).text for _ in range(3)]

    assert '"one"' in told[0]
    assert '"two"' in told[1]
    assert told[2] == "data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(Fault.GARBAGE, "<html>"), (Fault.EARLY, '"content": "whole"'), (Fault.HALF, '"content": "whole"')],
)
def test_faults_come_after_as_many_chunks(helper: HelperService, fault: Fault, expected: str) -> None:
    """What is told before them is right."""
    helper.plant("whole")
    helper.fail(fault, after=1)
    told = fetch(helper).text

    assert '"content": "whole"' in told
    assert expected in told
    assert not told.rstrip().endswith('"finish_reason": "stop"}]}')
