import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from litestar.routes import HTTPRoute
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from studiogate.errors import ERRORS, ModelNotFound, error_response
from studiogate.events import Event, TextDelta, ThoughtDelta
from studiogate.keys import ApiKeys
from studiogate.web.app import create_app
from studiogate.web.openapi import openapi

from .backends import CHAT_PATH, STOP, Held, asked, backend, living, says, serving, until
from .test_openai_response import CALL, CALLS, PIXEL, SOURCE, TOKENS, streamed, whole

DOCUMENT = openapi(["test-model"], key_required=False)
COMPONENTS = DOCUMENT["components"]["schemas"]
METHODS = {"get", "post", "put", "patch", "delete", "head", "trace"}


def judge(name: str) -> jsonschema_rs.Draft202012Validator:
    """Return what judges values by one of the document's schemas."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": COMPONENTS}}
    return jsonschema_rs.Draft202012Validator(schema)


@pytest.mark.parametrize("models", [[], ["a", "b"]])
@pytest.mark.parametrize("key_required", [True, False])
def test_the_document_is_valid(models: list[str], key_required: bool) -> None:  # noqa: FBT001
    """Whatever the gateway offers: OpenAPI 3.1, every reference and every schema in it included."""
    validate(openapi(models, key_required=key_required), cls=OpenAPIV31SpecValidator)


async def test_every_route_is_described_and_nothing_else() -> None:
    """Path by path and method by method, in both directions."""
    async with living({"a": backend(says("x"))}) as gateway:
        app = create_app(gateway, ApiKeys(gateway.settings))
        served = {
            (route.path_format, method.lower())
            for route in app.routes
            if isinstance(route, HTTPRoute)
            for method in route.methods - {"OPTIONS"}
        }

    described = {(path, method) for path, item in DOCUMENT["paths"].items() for method in item if method in METHODS}
    assert described == served


def operations() -> Iterator[Any]:
    """Yield every operation."""
    for item in DOCUMENT["paths"].values():
        yield from (operation for method, operation in item.items() if method in METHODS)


def references(value: Any) -> Iterator[str]:
    """Yield the names of all schemas that a part of the document refers to."""
    yield from re.findall(r"'#/components/schemas/(\w+)'", repr(value))


def test_every_schema_is_used() -> None:
    """What no operation leads to describes nothing."""
    found, left = set[str](), list(references(DOCUMENT["paths"]))
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left.extend(references(COMPONENTS[name]))

    assert found == set(COMPONENTS)


def test_operations_have_names_of_their_own() -> None:
    """Generated clients call their methods so."""
    names = [operation["operationId"] for operation in operations()]

    assert len(set(names)) == len(names)
    assert all(operation["summary"].endswith(".") for operation in operations())


def test_the_statuses_are_those_of_the_table() -> None:
    """A chat can end in every way but those of paths and methods; every operation can be refused to foreign pages."""
    chat = DOCUMENT["paths"][CHAT_PATH]["post"]["responses"]

    assert set(chat) == {"200", *(str(status) for status in ERRORS if status not in {404, 405})}
    assert all({"403", "500"} <= set(operation["responses"]) for operation in operations())
    assert chat["422"]["description"] == "The model is unknown or excluded."


@pytest.mark.parametrize(
    "events",
    [
        [STOP],
        [TextDelta(text="Hello"), TOKENS, STOP],
        [ThoughtDelta(text="Hm."), TextDelta(text="Hello"), SOURCE, PIXEL, STOP, TOKENS],
        [CALL, CALLS],
    ],
)
def test_answers_are_as_described(events: list[Event]) -> None:
    """Whole or in chunks, with everything that a model can say."""
    judge("ChatCompletion").validate(whole(*events))
    for chunk in streamed(*events, include_usage=True)[:-1]:
        judge("ChatCompletionChunk").validate(chunk)


def test_errors_are_as_described() -> None:
    """With param and code, or null for them."""
    for error in (ModelNotFound("x", param="model"), *(kind("x") for kind in ERRORS.values())):
        judge("Error").validate(error_response(error).body)


async def test_the_gateway_serves_the_document() -> None:
    """With the models that are offered now."""
    async with serving({"a": backend(says("x"), "m1", "m2")}) as served:
        answer = await served.http.get("/openapi.json")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == openapi(["m1", "m2"], key_required=False)


async def test_keys_are_optional_until_there_are_some(tmp_path: Path) -> None:
    """The document says what the gateway asks for now."""
    keys = tmp_path / "keys.txt"
    async with serving({"a": backend(says("x"))}, keys_file=str(keys)) as served:
        before = (await served.http.get("/openapi.json")).json()
        keys.write_text("sk-first-key-1234\n")
        after = (await served.http.get("/openapi.json")).json()

    assert before["paths"][CHAT_PATH]["post"]["security"] == [{}, {"bearer": []}, {"apiKey": []}]
    assert after["paths"][CHAT_PATH]["post"]["security"] == [{"bearer": []}, {"apiKey": []}]
    assert "security" not in after["paths"]["/v1/models"]["get"]


async def test_a_busy_gateway_is_as_described() -> None:
    """Items of the queue, running and waiting ones, and what health and info say meanwhile."""
    held = Held()
    async with serving({"a": backend(held, "m")}, slots=1) as served, asked(served, stream=True, model="m"):
        await held.begun.wait()
        async with asked(served, model="m"):
            await until(lambda: len(served.gateway.queue.waiting) == 1)
            queue, health, info = [
                (await served.http.get(path)).json() for path in ("/v1/queue", "/health", "/api/info")
            ]
            cancelled = (await served.http.post(f"/v1/cancel/{queue['items'][0]['req_id']}")).json()

    assert (len(queue["items"]), len(queue["running"])) == (1, 1)
    for name, body in (("Queue", queue), ("Health", health), ("Info", info), ("Cancelled", cancelled)):
        judge(name).validate(body)
