"""Bad input over real HTTP: each gets the documented status and its place, and the server goes on answering."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from .backends import CHAT_PATH, HELLO, Served, backend, says, serving

SECRET = "hunter2-is-no-text-for-an-error"
USER: dict[str, Any] = {"role": "user", "content": SECRET}
CALL: dict[str, Any] = {"id": "c", "function": {"name": "f", "arguments": SECRET}}
JSON = {"content-type": "application/json"}


def body(**fields: Any) -> bytes:
    """Encode a request; a question unless it brings messages."""
    return json.dumps({"messages": [USER], **fields}).encode()


def about(*messages: Any) -> bytes:
    """Encode a request with these messages."""
    return json.dumps({"messages": messages}).encode()


def nested(depth: int) -> bytes:
    """Encode a request with a list so deep."""
    return body(metadata={}).replace(b"{}", b'{"a": ' + b"[" * depth + b"]" * depth + b"}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncGenerator[Served]:
    """Serve a gateway that answers hello to everything."""
    async with serving({"a": backend(says("hello"), "test-model")}) as running:
        yield running


async def asked(served: Served, content: bytes, headers: dict[str, str]) -> httpx.Response:
    """Send a body; then make sure that the next request is answered as ever, and that no error tells too much."""
    answer = await served.http.post(CHAT_PATH, content=content, headers=headers)
    after = await served.http.post(CHAT_PATH, json=HELLO)
    assert after.json()["choices"][0]["message"]["content"] == "hello"
    if answer.status_code != 200:
        assert set(answer.json()) == {"error", "detail"}
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
        assert len(answer.text) < 10_000
    assert SECRET not in answer.text
    assert not re.search(r"Traceback|\.py\b|File \"|/core/|site-packages|object at 0x", answer.text)
    return answer


BAD: dict[str, tuple[bytes, int, str | None, str]] = {
    "nothing": (b"", 400, None, "The body is not JSON"),
    "not JSON": (b'{"messages": [', 400, None, "The body is not JSON"),
    "form data": (b"messages=hello", 400, None, "The body is not JSON"),
    "two documents": (body() + body(), 400, None, "The body is not JSON"),
    "a list": (b"[]", 400, None, "must be a JSON object"),
    "a string": (b'"hello"', 400, None, "must be a JSON object"),
    "invalid UTF-8": (body().replace(b"hunter2", b"\xff\xfe"), 400, None, "The body is not JSON"),
    "UTF-16": (body().decode().encode("utf-16"), 400, None, "The body is not JSON"),
    "an encoded surrogate": (body().replace(b"hunter2", b"\xed\xa0\x80"), 400, None, "The body is not JSON"),
    "a lone surrogate": (body().replace(b"hunter2", b"\\ud800"), 400, None, "The body is not JSON"),
    "NaN": (body(temperature=float("nan")), 400, "temperature", "must be a number; NaN is none in JSON"),
    "Infinity": (body(top_p=float("inf")), 400, "top_p", "must be a number; Infinity is none in JSON"),
    "a number beyond numbers": (b'{"temperature": 1e999}', 400, None, "The body is not JSON"),
    "a whole number beyond numbers": (b'{"seed": 1%s}' % (b"0" * 100), 400, "messages", "messages: is required"),
    "deep nesting": (nested(100), 400, None, "nested too deep"),
    "nesting without end": (b'{"messages": ' + b"[" * 1_000_000, 400, None, "The body is not JSON"),
    "nesting without end, closed": (nested(1_000_000), 400, None, "The body is not JSON"),
    "nested text": (about({"role": "user", "content": [[[SECRET]]]}), 400, "messages[0].content[0]", "or an object"),
    "no messages": (b"{}", 400, "messages", "is required"),
    "null messages": (body(messages=None), 400, "messages", "must be a list"),
    "empty messages": (body(messages=[]), 400, "messages", "at least one message"),
    "only a system message": (about({**USER, "role": "system"}), 400, "messages", "not a system message"),
    "nothing said": (about({"role": "user", "content": " "}), 400, "messages", "no text and no attachment"),
    "messages as text": (body(messages=SECRET), 400, "messages", "must be a list, not a string"),
    "a message as text": (about(SECRET), 400, "messages[0]", "must be an object, not a string"),
    "an unknown role": (about(USER, {**USER, "role": SECRET}), 400, "messages[1].role", "must be one of system"),
    "no role": (about({"content": SECRET}), 400, "messages[0].role", "is required"),
    "content as a number": (about({**USER, "content": 1}), 400, "messages[0].content", "must be a string, a list"),
    "an unknown item": (
        about({**USER, "content": [{"type": SECRET}]}),
        400,
        "messages[0].content[0].type",
        "must be one of text",
    ),
    "an image without a source": (
        about({**USER, "content": ["x", {"type": "image_url", "image_url": {"detail": "low"}}]}),
        400,
        "messages[0].content[1].image_url",
        "must name its source",
    ),
    "an attachment nobody takes": (
        about({**USER, "images": ["x"]}),
        400,
        "messages[0].images[0]",
        "takes no attachments",
    ),
    "arguments that are no JSON": (
        about({"role": "assistant", "tool_calls": [CALL]}),
        400,
        "messages[0].tool_calls[0].function.arguments",
        "must be a string that holds a JSON object",
    ),
    "a result with a number for a call": (
        about(USER, {"role": "tool", "tool_call_id": 7}),
        400,
        "messages[1].tool_call_id",
        "must be a string, not 7",
    ),
    "temperature 2.1": (body(temperature=2.1), 400, "temperature", "must be from 0 to 2, not 2.1"),
    "temperature as text": (body(temperature=SECRET), 400, "temperature", "must be a number, not a string"),
    "top_p -1": (body(top_p=-1), 400, "top_p", "must be from 0 to 1, not -1"),
    "max_tokens 0": (body(max_tokens=0), 400, "max_tokens", "must be from 1 to"),
    "two answers": (body(n=2), 400, "n", "must be 1"),
    "six stops": (body(stop=list("abcdef")), 400, "stop", "must hold at most 5 strings, not 6"),
    "a fractional seed": (body(seed=0.5), 400, "seed", "must be a whole number, not 0.5"),
    "an unknown effort": (body(reasoning_effort=SECRET), 400, "reasoning_effort", "must be one of none, minimal"),
    "no schema": (body(response_format={"type": "json_schema"}), 400, "response_format.json_schema", "is required"),
    "a tool without a name": (body(tools=[{"type": "function", "function": {}}]), 400, "tools[0].function.name", "is"),
    "a tool nobody takes": (body(tools=[{"teleport": {}}]), 400, "tools[0]", "takes tools of type 'teleport'"),
    "a tool of an endless type": (
        body(tools=[{"type": "x" * 100_000}]),
        400,
        "tools[0]",
        f"of type '{'x' * 200}…'.",
    ),
    "a choice of nothing": (
        body(tool_choice={"type": "function", "function": {"name": "f"}}),
        400,
        "tool_choice.function.name",
        "must be one of the functions among the tools",
    ),
    "a model that isn't": (body(model="test-modal"), 422, "model", "Nearest: test-model"),
    "a body over the limit": (b" " * (64 * 1024 * 1024 + 1), 413, None, "larger than this gateway takes"),
}
"""What is sent, the status, the param, and words of the message."""


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("content", "status", "param", "words"), BAD.values(), ids=BAD)
async def test_bad_input_is_refused_by_its_place(
    served: Served, content: bytes, status: int, param: str | None, words: str
) -> None:
    """The documented status, the place, and what would be right; nobody else notices."""
    answer = await asked(served, content, JSON)

    assert answer.status_code == status
    assert answer.json()["error"]["param"] == param
    assert words in answer.json()["error"]["message"]


@pytest.mark.asyncio(loop_scope="module")
async def test_several_problems_are_told_together(served: Served) -> None:
    """A client that has much wrong needs one try to learn it."""
    answer = await asked(served, body(messages=[USER, {"role": SECRET}], temperature=9, stop=[1], n=0), JSON)

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "messages[1].role"
    assert answer.json()["error"]["message"] == (
        "messages[1].role: must be one of system, developer, user, assistant, tool, function."
        " temperature: must be from 0 to 2, not 9. n: must be 1, as a request gets one answer, not 0."
        " stop: must be a string or a list of strings."
    )


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/json ;charset=UTF-8", 200),
        (None, 200),
        ("", 400),
        ("text/plain", 400),
        ("application/x-www-form-urlencoded", 400),
        ("multipart/form-data; boundary=x", 400),
        ("application/jsonx", 400),
    ],
)
async def test_the_body_must_be_called_json(served: Served, kind: str | None, status: int) -> None:
    """A client that doesn't say is trusted; one that says something else is told."""
    answer = await asked(served, body(), {} if kind is None else {"content-type": kind})

    assert answer.status_code == status
    if status == 400:
        assert "Content-Type: application/json" in answer.json()["error"]["message"]


LARGE: dict[str, bytes] = {
    "a string of 10 MB": about({**USER, "content": "x" * 10_000_000}),
    "10,000 messages": about(*({**USER, "role": role} for _ in range(5_000) for role in ("user", "assistant"))),
    "10,000 items": about({**USER, "content": ["x"] * 10_000}),
    "100 levels": nested(97),
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("content", LARGE.values(), ids=LARGE)
async def test_much_is_not_too_much(served: Served, content: bytes) -> None:
    """Large requests are answered like small ones."""
    answer = await asked(served, content, JSON)

    assert answer.status_code == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_a_large_wrong_request_is_answered_shortly(served: Served) -> None:
    """10,000 wrong messages are counted, not listed."""
    answer = await asked(served, about(*[SECRET] * 10_000), JSON)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].endswith("And 9980 more problems.")


@pytest.mark.asyncio(loop_scope="module")
async def test_many_bad_requests_at_once_hold_nobody_up(served: Served) -> None:
    """Threads, slots and connections are free again."""
    contents = [content for content, status, *_ in BAD.values() if status != 413] * 3

    answers = await asyncio.gather(*(asked(served, content, JSON) for content in contents))

    assert {answer.status_code for answer in answers} == {400, 422}
    assert not served.gateway.queue.running
