"""Every status of the error table, produced through the real server, with the one body that all errors have."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from studiogate import Declined, Unavailable, hookimpl
from studiogate.errors import ClientError

from .backends import CHAT_PATH, Held, Script, Served, Unreadable, backend, says, serving, until, yields
from .openai_shapes import ErrorShape

MODEL = "test-model"

type Ask = Callable[[Served], Awaitable[httpx.Response]]


@attrs.frozen(kw_only=True)
class Row:
    """A row of the table: how to get there, and what comes."""

    status: int
    type: str
    code: str | None = None
    param: str | None = None
    script: Script = attrs.field(factory=lambda: says("Hello"))
    gateway: dict[str, Any] = attrs.field(factory=dict[str, Any])
    ask: Ask


def chat(**fields: Any) -> Ask:
    """Ask for a completion."""
    return lambda served: served.chat(**fields)


def call(method: str, path: str, **options: Any) -> Ask:
    """Send any request."""
    return lambda served: served.http.request(method, path, **options)


async def cancelled(served: Served) -> httpx.Response:
    """Ask, and cancel from elsewhere."""
    asking = asyncio.create_task(served.chat())
    await until(lambda: bool(served.gateway.queue.running))
    served.gateway.queue.running[0].cancel()
    return await asking


async def one_too_many(served: Served) -> httpx.Response:
    """Ask while one runs and one waits."""
    others = [asyncio.create_task(served.chat()) for _ in range(2)]
    await until(lambda: len(served.gateway.queue.waiting) == 1)
    try:
        return await served.chat()
    finally:
        for exchange in (*served.gateway.queue.running, *served.gateway.queue.waiting):
            exchange.cancel()
        await asyncio.gather(*others)


TABLE = [
    Row(status=400, type="invalid_request_error", ask=call("POST", CHAT_PATH, content=b"{")),
    Row(status=400, type="invalid_request_error", param="temperature", ask=chat(temperature=2.1)),
    Row(status=403, type="permission_error", code="forbidden", ask=call("GET", "/health", headers={"host": "evil"})),
    Row(status=404, type="not_found_error", code="not_found", ask=call("GET", "/v2/nothing")),
    Row(status=405, type="invalid_request_error", code="method_not_allowed", ask=call("DELETE", "/v1/models")),
    Row(
        status=413,
        type="invalid_request_error",
        code="too_large",
        gateway={"max_body_bytes": 100},
        ask=chat(user="x" * 1000),
    ),
    Row(
        status=422,
        type="invalid_request_error",
        code="model_not_found",
        param="model",
        ask=chat(model="test-modell"),
    ),
    Row(
        status=429,
        type="rate_limit_error",
        code="rate_limit_exceeded",
        script=yields(Unavailable("quota", status=429, retry_after_s=30)),
        ask=chat(),
    ),
    Row(
        status=429,
        type="rate_limit_error",
        code="rate_limit_exceeded",
        script=Held(),
        gateway={"slots": 1, "queue_limit": 1},
        ask=one_too_many,
    ),
    Row(status=499, type="client_closed_request", code="cancelled", script=Held(), ask=cancelled),
    Row(
        status=502,
        type="upstream_error",
        code="upstream_error",
        script=yields(Unavailable("the stream broke")),
        ask=chat(),
    ),
    Row(status=502, type="upstream_error", code="upstream_error", script=yields(Declined("not mine")), ask=chat()),
    Row(status=502, type="upstream_error", code="upstream_error", script=yields(ValueError("bug")), ask=chat()),
    Row(
        status=503,
        type="service_unavailable",
        code="service_unavailable",
        script=yields(Unavailable("signed out", status=503, retry_after_s=5)),
        ask=chat(),
    ),
    Row(
        status=504,
        type="timeout_error",
        code="timeout",
        script=Held(first=""),
        gateway={"deadline_s": 0.1},
        ask=chat(),
    ),
    Row(
        status=504,
        type="timeout_error",
        code="timeout",
        script=Held(first=""),
        gateway={"first_event_s": 0.1},
        ask=chat(stream=True),
    ),
]


def check(response: httpx.Response, row: Row) -> None:
    """Hold a response against its row."""
    body = ErrorShape.model_validate_json(response.content)
    found = (response.status_code, body.error.type, body.error.code, body.error.param)
    assert found == (row.status, row.type, row.code, row.param)
    assert body.detail == body.error.message
    assert response.headers["content-type"] == "application/json"
    assert "Traceback" not in response.text


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.status}")
async def test_a_status_comes_with_its_body(row: Row) -> None:
    """Status, type, code and param are the table's, and the gateway answers the next request."""
    async with serving({"a": backend(row.script, MODEL)}, **row.gateway) as served:
        check(await row.ask(served), row)

        assert (await served.http.get("/v1/models")).status_code == 200


async def test_401_comes_with_its_body(tmp_path: Path) -> None:
    """Where there are keys, one is asked for."""
    (tmp_path / "key.txt").write_text("sk-0123456789\n")
    row = Row(status=401, type="authentication_error", code="invalid_api_key", ask=chat())
    async with serving({"a": backend(says("Hello"), MODEL)}, keys_file=str(tmp_path / "key.txt")) as served:
        response = await row.ask(served)

    check(response, row)
    assert response.headers["www-authenticate"] == "Bearer"


async def test_500_comes_with_its_body() -> None:
    """A bug of the gateway's own."""

    class Broken:
        @hookimpl
        def list_models(self) -> list[Unreadable]:
            return [Unreadable(id="x", display_name="x")]

    row = Row(status=500, type="internal_error", code="internal_error", ask=call("GET", "/v1/models"))
    async with serving({"broken": Broken}) as served:
        check(await row.ask(served), row)


@pytest.mark.parametrize("status", [429, 503])
async def test_how_long_to_wait_is_said(status: int) -> None:
    """`Retry-After` in whole seconds, where the upstream said it."""
    script = yields(Unavailable("later", status=status, retry_after_s=29.2))
    async with serving({"a": backend(script, MODEL)}) as served:
        response = await served.chat()

    assert response.headers["retry-after"] == "30"


def test_the_table_holds_every_error() -> None:
    """No leaf of the error tree goes without a row."""
    leaves = {kind.status for kind in _leaves(ClientError)}

    assert leaves == {row.status for row in TABLE} | {401, 500}


def _leaves(kind: type[ClientError]) -> set[type[ClientError]]:
    below = set(kind.__subclasses__())
    return below.union(*(_leaves(each) for each in below)) if below else {kind}
