import json
from typing import Any

import httpx
import pytest

from .harness import Running, frames_of, generate_request, method, text_of


async def afflicted(simulator: Running, rpc: httpx.AsyncClient, name: str, **fields: Any) -> httpx.Response:
    """Have a fault happen in a scenario, and ask."""
    scenario = {"text": ["one ", "two"], "times": 1, "page": {"fault": name, **fields}}
    async with simulator.client() as client:
        (await client.post("/__sim/scenarios", json=scenario)).raise_for_status()
    return await rpc.post(method("GenerateContent"), json=generate_request("x"))


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("rpc_429", 429, "quota"),
        ("rpc_403", 403, "permission"),
        ("rpc_500", 500, "Internal"),
        ("rpc_503", 503, "overloaded"),
        ("stream_garbage", 200, "<!doctype html>"),
        ("blocked_prompt", 200, "could not be submitted"),
    ],
)
async def test_refusals(simulator: Running, rpc: httpx.AsyncClient, name: str, status: int, says: str) -> None:
    """Each in its own words; the turn after it is answered."""
    answer = await afflicted(simulator, rpc, name)
    next_one = await rpc.post(method("GenerateContent"), json=generate_request("y"))

    assert answer.status_code == status
    assert says in answer.text
    assert next_one.status_code == 200


async def test_a_quota_can_name_a_wait(simulator: Running, rpc: httpx.AsyncClient) -> None:
    """In seconds."""
    answer = await afflicted(simulator, rpc, "rpc_429", retry_s=37)

    assert "RetryInfo" in answer.text
    assert "[[37]]" in answer.text


@pytest.mark.parametrize(("name", "fields"), [("stream_cut_early", {}), ("stream_cut", {"frames": 1})])
async def test_cuts(simulator: Running, rpc: httpx.AsyncClient, name: str, fields: dict[str, Any]) -> None:
    """The stream is reset."""
    with pytest.raises(httpx.RemoteProtocolError):
        await afflicted(simulator, rpc, name, **fields)


@pytest.mark.parametrize("name", ["stream_hang_early", "stream_hang"])
async def test_hangs(simulator: Running, rpc: httpx.AsyncClient, name: str) -> None:
    """Nothing more comes."""
    rpc.timeout = httpx.Timeout(5, read=0.5)
    with pytest.raises(httpx.ReadTimeout):
        await afflicted(simulator, rpc, name)


async def test_an_error_at_the_end(simulator: Running, rpc: httpx.AsyncClient) -> None:
    """After the whole text."""
    answer = await afflicted(simulator, rpc, "stream_error", code=14)

    assert text_of(frames_of(answer.content)) == "one two"
    assert json.loads(answer.content)[1][0] == 14


@pytest.mark.parametrize(("name", "text", "finish"), [("empty_answer", "", 1), ("blocked_answer", "one two", 3)])
async def test_finishes(simulator: Running, rpc: httpx.AsyncClient, name: str, text: str, finish: int) -> None:
    """With a reason."""
    frames = frames_of((await afflicted(simulator, rpc, name)).content)

    assert text_of(frames) == text
    assert [frame[0][0][1] for frame in frames if frame[0] and len(frame[0][0]) > 1] == [finish]


async def test_posted_for_a_prompt(simulator: Running, rpc: httpx.AsyncClient) -> None:
    """Without a scenario a fault meets the default answer, and says that it did."""
    async with simulator.client() as client:
        await client.post("/__sim/faults", json={"fault": "rpc_503", "when": "otter"})
        statuses = [
            (await rpc.post(method("GenerateContent"), json=generate_request(prompt))).status_code
            for prompt in ("seal", "otter", "otter")
        ]
        [shown] = (await client.get("/__sim/faults/shown")).json()

    assert statuses == [200, 503, 200]
    assert (shown["fault"], shown["text"]) == ("rpc_503", "otter")
