import pytest
from attrs import evolve
from litestar.testing import AsyncTestClient

from studiogate_simulator.control import build_control
from studiogate_simulator.hosts import PAGE_HOST
from studiogate_simulator.simulation import Simulation

from .harness import Running


async def test_scenarios(simulator: Running) -> None:
    """Scenarios are posted, listed and cleared."""
    async with simulator.client() as client:
        posted = await client.post("/__sim/scenarios", json={"text": ["a"], "times": 2})
        listed = await client.get("/__sim/scenarios")
        await client.delete("/__sim/scenarios")

        assert (posted.status_code, posted.json()) == (201, {"text": ["a"], "times": 2})
        assert listed.json() == [{"text": ["a"], "times": 2}]
        assert (await client.get("/__sim/scenarios")).json() == []


@pytest.mark.parametrize(("body", "named"), [('{"txet": []}', "txet"), ("{", "JSON"), ("[]", "object")])
async def test_wrong_scenario(simulator: Running, body: str, named: str) -> None:
    """A wrong scenario is a 400 that names what is wrong."""
    async with simulator.client() as client:
        answer = await client.post("/__sim/scenarios", content=body)

    assert answer.status_code == 400
    assert named in answer.json()["error"]


async def test_any_host(simulator: Running) -> None:
    """The control channel is there on every host."""
    async with simulator.client(host=PAGE_HOST) as client:
        assert (await client.get("/__sim/log")).json() == []


async def test_loopback_only() -> None:
    """A client from elsewhere is refused."""
    async with AsyncTestClient(build_control(Simulation())) as client:
        # The test client calls itself "testclient", which is no address of this machine.
        assert (await client.get("/__sim/log")).status_code == 403


def test_simulations_are_apart() -> None:
    """Two simulations share nothing."""
    first, second = Simulation(), Simulation()
    first.scenarios.add({})

    assert second.scenarios.waiting() == []
    assert evolve(first, hydration_ms=1).scenarios is first.scenarios
