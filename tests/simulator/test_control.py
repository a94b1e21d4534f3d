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


async def test_uploads(simulator: Running) -> None:
    """Upload scenarios are posted, listed, used up by the files that match, and cleared."""
    async with simulator.client() as client:
        scenario = {"when": ".png", "times": 1, "fail": "chip", "message": "No."}
        posted = await client.post("/__sim/uploads", json=scenario)
        listed = (await client.get("/__sim/uploads")).json()
        taken = [(await client.post("/__sim/uploads/next", json={"name": name})).json() for name in ("a.pdf", "b.png")]
        left = (await client.get("/__sim/uploads")).json()
        await client.post("/__sim/uploads", json={})
        await client.delete("/__sim/uploads")

        assert (posted.status_code, posted.json()) == (201, scenario)
        assert (listed, left) == ([scenario], [])
        assert [each["fail"] for each in taken] == [None, "chip"]
        assert (await client.get("/__sim/uploads")).json() == []


async def test_page_options(simulator: Running) -> None:
    """The next page's options are put as a whole and reset."""
    async with simulator.client() as client:
        usual = (await client.get("/__sim/page")).json()
        put = await client.put("/__sim/page", json={"file_input": "menu", "multiple": False})
        await client.delete("/__sim/page")

        assert put.json() == usual | {"file_input": "menu", "multiple": False}
        assert (await client.get("/__sim/page")).json() == usual


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("uploads", {"fail": "loud"}, "chip, toast"),
        ("uploads", {"upload_ms": -1}, "upload_ms"),
        ("uploads", {"wehn": "x"}, "wehn"),
        ("page", {"file_input": "drawer"}, "'box', 'menu'"),
        ("page", {"multiple": 1}, "multiple"),
        ("page", [], "object"),
    ],
)
async def test_wrong_uploads_and_options(simulator: Running, path: str, body: object, named: str) -> None:
    """What is wrong is a 400 that names it."""
    async with simulator.client() as client:
        answer = await client.request("PUT" if path == "page" else "POST", f"/__sim/{path}", json=body)

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
