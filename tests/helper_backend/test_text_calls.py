"""Functions for services that have no calls: `[gateway] function_calling = "emulated"`."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from .house import House, asking
from .standin import CUT, says, streams, whole

ADD: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add.",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
    },
}
NOW: dict[str, Any] = {"type": "function", "function": {"name": "now"}}
TEXT = """\
Let me see.

```function_call
{"name": "add", "arguments": {"a": 1}}
```

```function_call
{"name": "now", "arguments": {}}
```
"""


@asynccontextmanager
async def house(**gateway: Any) -> AsyncGenerator[House]:
    """Serve the plugin with all functions called in text."""
    async with asking(gateway={"function_calling": "emulated", **gateway}) as made:
        yield made


async def ask(made: House, *, stream: bool, **fields: Any) -> tuple[dict[str, Any], str]:
    """Ask by OpenAI's client; return the message, put together where it was streamed, and how it ended."""
    if not stream:
        (choice,) = (await made.chat(**fields)).json()["choices"]
        return choice["message"], choice["finish_reason"]
    hello = [{"role": "user", "content": "Hello"}]
    completions: Any = made.openai.chat.completions
    async with completions.stream(**{"model": "test-model", "messages": hello, **fields}) as events:
        final = await events.get_final_completion()
    (last,) = final.choices
    return last.message.model_dump(exclude_none=True), last.finish_reason


@pytest.mark.parametrize("stream", [False, True])
async def test_the_loop_of_calls_results_and_answer(*, stream: bool) -> None:
    """The service gets no tools, only text: what there is to call, what was called, and the results in their order."""
    pieces = [TEXT[at : at + 7] for at in range(0, len(TEXT), 7)]
    async with house() as made:
        made.service.reply(streams(*says(*pieces)) if stream else whole(TEXT))
        message, finish = await ask(made, stream=stream, tools=[ADD, NOW], parallel_tool_calls=True)
        first = made.service.last.body
        add, now = message["tool_calls"]
        messages = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello\n### tool add"},
            {"role": "assistant", "content": message["content"], "tool_calls": [add, now]},
            {"role": "tool", "tool_call_id": now["id"], "content": "12:00"},
            {"role": "tool", "tool_call_id": add["id"], "content": "2"},
            {"role": "user", "content": "Well?"},
        ]
        made.service.reply(streams(*says("Two.")) if stream else whole("Two."))
        answer, end = await ask(made, stream=stream, tools=[ADD, NOW], messages=messages)
        second = made.service.last.body

    assert (message["content"], finish) == ("Let me see.", "tool_calls")
    assert (add["function"]["name"], json.loads(add["function"]["arguments"])) == ("add", {"a": 1})
    assert (now["function"]["name"], add["id"] != now["id"]) == ("now", True)
    assert (answer["content"], end) == ("Two.", "stop")
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & (first.keys() | second.keys())
    system, user = first["messages"]
    assert (system["role"], user) == ("system", {"role": "user", "content": "Hello"})
    assert '{"name": "add", "description": "Add.", "parameters": {"type": "object"' in system["content"]
    roles = [said["role"] for said in second["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    said = [said["content"] for said in second["messages"]]
    assert said[0] == f"Be brief.\n\n{system['content']}"
    assert said[1] == "Hello\n ### tool add"
    assert said[2] == TEXT.rstrip().replace('"a": 1', '"a":1')
    results = f"### tool add, result of {add['id']}\n2\n\n### tool now, result of {now['id']}\n12:00\n\nWell?"
    assert said[3] == results


@pytest.mark.parametrize(
    ("choice", "described", "told"),
    [
        ("required", ["add", "now"], "must call at least one"),
        ({"type": "function", "function": {"name": "now"}}, ["now"], "must call the function now"),
        ("none", [], ""),
    ],
)
async def test_the_choice_is_made_in_words(choice: Any, described: list[str], told: str) -> None:
    """As where AI Studio is asked; nothing of it is said to the service otherwise."""
    async with house() as made:
        made.service.reply(whole("Hm."))
        await made.chat(tools=[ADD, NOW], tool_choice=choice)
        body = made.service.last.body

    instruction = body["messages"][0]["content"] if described else ""
    assert [name for name in ("add", "now") if f'"name": "{name}"' in instruction] == described
    assert told in instruction
    assert "tool_choice" not in body
    assert [said["role"] for said in body["messages"]] == (["system", "user"] if described else ["user"])


async def test_json_is_asked_for_in_words() -> None:
    """What is held to JSON couldn't write a call; the client is told. Without functions the service sees to it."""
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    async with house() as made:
        made.service.reply(whole("{}"))
        answer = await made.chat(tools=[ADD], response_format=form)
        beside = made.service.last.body
        await made.chat(response_format=form)
        alone = made.service.last.body

    assert "response_format: asked for in words" in answer.headers["x-studiogate-ignored"]
    assert "response_format" not in beside
    assert '{"type":"object"}' in beside["messages"][0]["content"]
    assert alone["response_format"] == form


async def test_what_is_no_call_stays_text() -> None:
    """A function that isn't there, and a block that isn't closed."""
    text = 'So:\n```function_call\n{"name": "other", "arguments": {}}\n```\nand\n```function_call\n{"name": "add"'
    async with house() as made:
        made.service.reply(whole(text))
        (choice,) = (await made.chat(tools=[ADD])).json()["choices"]

    assert (choice["message"]["content"], choice["finish_reason"]) == (text, "stop")


async def test_a_broken_stream_is_an_error_all_the_same() -> None:
    """A half call is never handed on."""
    async with house() as made:
        made.service.reply(streams(*says(TEXT)[:-2], CUT))
        answer = await made.chat(tools=[ADD, NOW])

    assert answer.status_code == 502
