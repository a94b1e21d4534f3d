import asyncio
from typing import Any

import httpx
import pytest

from studiogate_simulator.faults import FAULTS

from .harness import Running, running


async def turn(client: httpx.AsyncClient, text: str, page: str = "p") -> list[str]:
    """Ask as a page does for the faults of what was typed in it; gives their names."""
    answer = await client.post("/__sim/faults/turn", json={"page": page, "text": text})
    return [planned["fault"] for planned in answer.json()]


async def test_the_list(simulator: Running) -> None:
    """All faults are listed, with where and when they can happen."""
    async with simulator.client() as client:
        listed = (await client.get("/__sim/faults")).json()

    assert [row["name"] for row in listed] == list(FAULTS)
    assert {row["where"] for row in listed} == {"page", "wire", "account"}
    assert set(listed[0]) == {"name", "description", "where", "moments", "parameters"}


async def test_posted_once(simulator: Running) -> None:
    """A fault waits, happens once to the prompt that it is for, and is told of."""
    async with simulator.client() as client:
        posted = await client.post("/__sim/faults", json={"fault": "cookie_bar", "when": "otter"})
        waiting = (await client.get("/__sim/faults/waiting")).json()
        met = [await turn(client, text) for text in ("seal", "otters", "otters")]
        [shown] = (await client.get("/__sim/faults/shown")).json()

        assert (posted.status_code, [posted.json()]) == (201, waiting)
        assert met == [[], ["cookie_bar"], []]
        assert (shown["fault"], shown["at"], shown["text"]) == ("cookie_bar", "typed", "otters")
        assert (await client.get("/__sim/faults/waiting")).json() == []


async def test_forgotten(simulator: Running) -> None:
    """What waits and what has happened."""
    async with simulator.client() as client:
        for _ in range(2):
            await client.post("/__sim/faults", json={"fault": "cookie_bar"})
        await turn(client, "x")
        await client.delete("/__sim/faults")

        assert await turn(client, "x") == []
        assert (await client.get("/__sim/faults/shown")).json() == []


@pytest.mark.parametrize(
    ("path", "posted", "says"),
    [
        ("/__sim/faults", [], "a JSON object"),
        ("/__sim/faults", {"fault": "nonsense"}, "fault must be one of"),
        ("/__sim/faults", {"fault": "cookie_bar", "times": 0}, "times"),
        ("/__sim/faults", {"fault": "cookie_bar", "wehn": "x"}, "wehn"),
        ("/__sim/scenarios", {"page": {"fault": "nonsense"}}, "fault must be one of"),
        ("/__sim/scenarios", {"page": {"fault": "cookie_bar", "at": "load"}}, "POST /__sim/faults"),
        ("/__sim/scenarios", {"page": {"fault": "region_page"}}, "not at 'load'"),
        ("/__sim/faults/turn", {"page": "p"}, "text"),
        ("/__sim/faults/now", {"page": "p", "after": -1, "armed": True}, "after"),
    ],
)
async def test_wrong_ones(simulator: Running, path: str, posted: Any, says: str) -> None:
    """Each is a 400 that names what is wrong."""
    async with simulator.client() as client:
        answer = await client.post(path, json=posted)

    assert answer.status_code == 400
    assert says in answer.json()["error"]


async def test_a_scenarios_fault_is_told_to_as_many_pages(simulator: Running) -> None:
    """As it has turns, once to each; what has no fault in the page is not told to it."""
    async with simulator.client() as client:
        await client.post("/__sim/scenarios", json={"when": "b", "times": 1, "page": {"fault": "rpc_500"}})
        await client.post("/__sim/scenarios", json={"times": 2, "page": {"fault": "survey"}})

        assert await turn(client, "b", "first") == []
        assert await turn(client, "a", "second") == ["survey"]
        assert await turn(client, "a", "second") == []
        assert await turn(client, "a", "first") == ["survey"]
        assert await turn(client, "a", "third") == []


async def test_a_listed_scenario_shows_its_fault(simulator: Running) -> None:
    """With everything that it says."""
    async with simulator.client() as client:
        await client.post("/__sim/scenarios", json={"page": {"fault": "stuck_spinner"}})
        [listed] = (await client.get("/__sim/scenarios")).json()

    assert listed == {"page": {"fault": "stuck_spinner", "at": "submitted", "for_ms": None}}


async def test_pages_are_told_first() -> None:
    """Who posts the first fault is answered when the open pages know that there are any, or won't listen."""
    with running() as fresh:
        async with fresh.client() as client:
            page = {"page": "p", "after": 0, "armed": False}
            listening = asyncio.create_task(client.post("/__sim/faults/now", json=page))
            await asyncio.sleep(0.2)
            await client.post("/__sim/faults", json={"fault": "cookie_bar"})

            assert (await listening).json() == {"after": 1, "armed": True, "faults": []}
