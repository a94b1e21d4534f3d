import time
from typing import Any

import httpx

from studiogate_simulator.hosts import ACCOUNTS_HOST, PAGE_HOST

from .harness import Running, generate_request, method

NEW_CHAT = "/prompts/new_chat"


async def post(simulator: Running, name: str, **fields: Any) -> None:
    """Have a fault hold."""
    async with simulator.client() as client:
        (await client.post("/__sim/faults", json={"fault": name, **fields})).raise_for_status()


async def generated(rpc: httpx.AsyncClient, model: str = "gemini-2.5-pro") -> int:
    """Ask and give the status."""
    return (await rpc.post(method("GenerateContent"), json=generate_request("x", model=model))).status_code


async def models(rpc: httpx.AsyncClient) -> list[str]:
    """List the ids of the models."""
    [rows] = (await rpc.post(method("ListModels"), json=[])).json()
    return [row[0].removeprefix("models/") for row in rows]


async def test_signed_out_until_somebody_signs_in(simulator: Running, rpc: httpx.AsyncClient) -> None:
    """Pages lead away and RPCs are refused; the log has the turn that was."""
    await post(simulator, "signed_out")
    async with simulator.client(host=PAGE_HOST, cookie=simulator.cookie) as page:
        away = await page.get(NEW_CHAT)
        refused = [await generated(rpc), (await rpc.post(method("CountTokens"), json=[])).status_code]
        async with simulator.client(host=ACCOUNTS_HOST) as accounts:
            await accounts.post("/ServiceLogin")

        assert away.headers["location"].startswith("https://accounts.google.com/ServiceLogin?")
        assert refused == [401, 401]
        assert (await page.get(NEW_CHAT)).status_code == 200
        log = (await page.get("/__sim/log")).json()
        assert [record["status"] for record in log] == [401]


async def test_signed_out_for_some_requests(simulator: Running, rpc: httpx.AsyncClient) -> None:
    """Loads and turns count; assets are served and small calls refused without being counted."""
    await post(simulator, "signed_out", times=2)
    async with simulator.client(host=PAGE_HOST, cookie=simulator.cookie) as page:
        assert (await page.get("/static/app.js")).status_code == 200
        assert (await rpc.post(method("ListModels"), json=[])).status_code == 401
        assert (await page.get(NEW_CHAT)).status_code == 302
        assert await generated(rpc) == 401
        assert (await page.get(NEW_CHAT)).status_code == 200
        assert len(await models(rpc)) > 5


async def test_signed_out_in_the_middle(simulator: Running, rpc: httpx.AsyncClient) -> None:
    """A scenario's turn is the last that is received, and is refused itself."""
    async with simulator.client() as client:
        await client.post("/__sim/scenarios", json={"times": 1, "page": {"fault": "signed_out", "times": 2}})

    assert [await generated(rpc) for _ in range(3)] == [401, 401, 200]


async def test_a_model_has_gone(simulator: Running, rpc: httpx.AsyncClient) -> None:
    """It isn't listed and doesn't answer; others do."""
    before = await models(rpc)
    await post(simulator, "model_gone", model="gemini-2.5-pro")
    await post(simulator, "model_gone", model="gemma-3-27b-it")

    assert await models(rpc) == [each for each in before if each not in {"gemini-2.5-pro", "gemma-3-27b-it"}]
    assert [await generated(rpc), await generated(rpc, "gemini-2.5-flash")] == [404, 200]


async def test_a_model_goes_in_the_middle(simulator: Running, rpc: httpx.AsyncClient) -> None:
    """The turn that was submitted is a 404."""
    plan = {"fault": "model_gone", "model": "gemini-2.5-pro"}
    async with simulator.client() as client:
        await client.post("/__sim/scenarios", json={"times": 1, "when": "x", "page": plan})

    assert "gemini-2.5-pro" in await models(rpc)
    assert await generated(rpc) == 404
    assert "gemini-2.5-pro" not in await models(rpc)


async def test_the_models_fail_once(simulator: Running, rpc: httpx.AsyncClient) -> None:
    """Or as often as was asked."""
    await post(simulator, "models_failing", times=1, http_status=503)
    await post(simulator, "models_empty", times=1)

    assert (await rpc.post(method("ListModels"), json=[])).status_code == 503
    assert await models(rpc) == []
    assert len(await models(rpc)) > 5


async def test_the_models_are_late(simulator: Running, rpc: httpx.AsyncClient) -> None:
    """By what was asked."""
    await post(simulator, "models_late", times=1, delay_ms=300)
    started = time.monotonic()
    await models(rpc)

    assert time.monotonic() - started >= 0.3
