"""`GET /health` over HTTP."""

from collections.abc import Mapping
from typing import Any

import pytest

from studiogate import hookimpl
from studiogate.health import Health

from .backends import Held, asked, backend, says, serving, until

NO_FLAGS = {"playwright_ready": False, "browser_connected": False, "page_ready": False}


def tells(health: Health, base: type = object) -> type:
    """Make a plugin class, on top of a backend's if it is to answer too, that fares so."""

    @hookimpl
    def tell(_: object) -> Health:
        return health

    return type("Tells", (base,), {"health": tell})


ANSWERS = backend(says("x"))
CLOSED = {"state": "closed", "failures": 0, "again_in_s": 0.0}
TIRED = Health(ready=False, status="tired", advice="Make coffee.", details={"cups": 0})


async def test_health_tells_what_is_up() -> None:
    """A ready gateway is a 200 with every field that older clients know, and its plugins, backends and queue."""
    async with serving({"a": ANSWERS}, slots=3) as served:
        answer = await served.http.get("/health")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "message": None,
        **NO_FLAGS,
        "worker_running": True,
        "queue_length": 0,
        "plugins": {},
        "backends": ["a"],
        "breakers": {"a": CLOSED},
        "queue": {"slots": 3, "running": 0, "waiting": 0},
    }


async def test_health_counts_who_waits_and_who_runs() -> None:
    """It is the queue's state in three numbers."""
    held = Held()
    async with serving({"a": backend(held)}, slots=1) as served, asked(served):
        await held.begun.wait()
        async with asked(served), asked(served):
            await until(lambda: len(served.gateway.queue.waiting) == 2)
            health = (await served.http.get("/health")).json()

    assert health["queue"] == {"slots": 1, "running": 1, "waiting": 2}
    assert health["queue_length"] == 2


async def test_health_tells_what_is_wrong_and_what_to_do() -> None:
    """When the only backend needs a plugin in trouble, it is a 503, with the advice at the top too."""
    async with serving({"ill": tells(TIRED, ANSWERS)}) as served:
        answer = await served.http.get("/health")

    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "message": "No backend can answer. ill: tired. Make coffee.",
        **NO_FLAGS,
        "worker_running": True,
        "queue_length": 0,
        "plugins": {"ill": {"ready": False, "status": "tired", "advice": "Make coffee.", "details": {"cups": 0}}},
        "backends": ["ill"],
        "breakers": {"ill": CLOSED},
        "queue": {"slots": 8, "running": 0, "waiting": 0},
    }


async def test_every_plugin_in_the_way_is_named_once() -> None:
    """Also one that two backends require; one that no backend requires is in nobody's way."""
    shared, bystander = tells(TIRED), tells(Health(ready=False, status="asleep"))
    one = type("One", (ANSWERS,), {"requires": ("shared",)})
    two = type("Two", (tells(Health(ready=False, status="broken"), ANSWERS),), {"requires": ("shared",)})
    async with serving({"bystander": bystander, "shared": shared, "one": one, "two": two}) as served:
        health = (await served.http.get("/health")).json()

    assert health["message"] == "No backend can answer. shared: tired. Make coffee. two: broken."


async def test_one_backend_that_can_answer_is_enough() -> None:
    """The other's trouble is shown, and nothing more."""
    async with serving({"ill": tells(TIRED, ANSWERS), "well": ANSWERS}) as served:
        answer = await served.http.get("/health")

    assert (answer.status_code, answer.json()["status"], answer.json()["message"]) == (200, "ok", None)
    assert answer.json()["plugins"]["ill"]["ready"] is False


async def test_without_a_backend_nothing_can_be_answered() -> None:
    """The operator is told where to put one."""
    async with serving({"a": tells(Health(ready=True, status="ready"))}) as served:
        answer = await served.http.get("/health")

    assert (answer.status_code, answer.json()["message"]) == (503, "No backend is enabled in plugins.toml.")


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ([{"page_ready": True}], {**NO_FLAGS, "page_ready": True}),
        ([{"page_ready": True}, {"page_ready": False}], {**NO_FLAGS, "page_ready": True}),
        ([{"page_ready": False}, {"page_ready": True}], {**NO_FLAGS, "page_ready": True}),
        ([{"page_ready": False}], NO_FLAGS),
        ([{"helper_ready": True}, {"playwright_ready": True}],
         {**NO_FLAGS, "helper_ready": True, "playwright_ready": True}),
        ([{"status": True, "queue": False, "worker_running": False}], NO_FLAGS),
    ],
)  # fmt: skip
async def test_plugins_set_fields_at_the_top(told: list[Mapping[str, bool]], shown: Mapping[str, bool]) -> None:
    """A flag is true if any plugin says so, false where none does, and can't replace what the gateway says."""
    plugins = {
        f"p{number}": tells(Health(ready=True, status="ready", flags=flags), ANSWERS)
        for number, flags in enumerate(told)
    }
    async with serving(plugins) as served:
        health: dict[str, Any] = (await served.http.get("/health")).json()

    own = {"status", "message", "worker_running", "queue_length", "plugins", "backends", "breakers", "queue"}
    assert {name: value for name, value in health.items() if name not in own} == shown
    assert (health["status"], health["worker_running"]) == ("ok", True)
    assert "flags" not in health["plugins"]["p0"]


async def test_a_stopping_gateway_is_unavailable() -> None:
    """Whoever spreads requests over several gateways asks another one."""
    async with serving({"a": ANSWERS}) as served:
        await served.gateway.drain(1)
        answer = await served.http.get("/health")

    assert answer.status_code == 503
    assert (answer.json()["message"], answer.json()["worker_running"]) == ("The gateway is stopping.", False)
