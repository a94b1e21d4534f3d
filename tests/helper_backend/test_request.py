import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from studiogate import hookimpl
from studiogate.attachments import Attachment, AttachmentRef
from studiogate.tools import FunctionDeclaration, ToolPlan, ToolSpec
from studiogate_tools_google_search import GoogleSearchTools

from .house import asking
from .standin import says, streams

PNG = b"\x89PNG..."
FILTERED = {"type": "object", "properties": {"city": {"type": "string"}}}


async def sent(
    *, others: Mapping[str, type] | None = None, settings: Mapping[str, Any] | None = None, **fields: Any
) -> Any:
    """Return what the service gets for a request with these fields."""
    async with asking(others=others, **(settings or {})) as house:
        if fields.get("stream"):
            house.service.reply(streams(*says("Hello")))
        answer = await house.chat(**fields)
        assert answer.status_code == 200, answer.text
        return house.service.last.body


async def test_the_least_request() -> None:
    """The operator's defaults go with it, as they do to every backend."""
    assert await sent() == {
        "model": "test-model",
        "messages": [{"role": "user", "content": "Hello"}],
        "temperature": 1.0,
        "top_p": 0.95,
        "max_tokens": 8192,
    }


async def test_defaults_may_be_left_to_the_service() -> None:
    """What the client said goes, what it didn't say stays away: some models take no temperature."""
    assert await sent(settings={"send_defaults": False}, top_p=0.5) == {
        "model": "test-model",
        "messages": [{"role": "user", "content": "Hello"}],
        "top_p": 0.5,
    }


async def test_every_parameter_is_passed_on() -> None:
    """Those that the gateway knows and those it doesn't, with the values that the client gave."""
    asked: dict[str, Any] = {
        "temperature": 0.1,
        "top_p": 0.2,
        "max_tokens": 30,
        "stop": ["a", "b"],
        "seed": 7,
        "reasoning_effort": "high",
        "frequency_penalty": 0.5,
        "presence_penalty": -0.5,
        "logit_bias": {"50256": -100},
        "service_tier": "flex",
        "store": True,
        "verbosity": "low",
        "parallel_tool_calls": False,
        "prediction": {"type": "content", "content": "x"},
        "web_search_options": {"search_context_size": "low"},
        "modalities": ["text", "image"],
        "user": "u",
        "metadata": {"k": "v"},
        "prompt_cache_key": "p",
        "safety_identifier": "s",
    }
    body = await sent(**asked)

    assert body == {"model": "test-model", "messages": [{"role": "user", "content": "Hello"}], **asked}


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("stop", "a", ["a"]),
        ("reasoning_effort", 5000, 5000),
        ("reasoning_effort", "none", "none"),
        ("response_format", {"type": "text"}, None),
        ("response_format", {"type": "json_object"}, {"type": "json_object"}),
        (
            "response_format",
            {
                "type": "json_schema",
                "json_schema": {"name": "n", "description": "d", "schema": FILTERED, "strict": True},
            },
            {
                "type": "json_schema",
                "json_schema": {"name": "n", "description": "d", "schema": FILTERED, "strict": True},
            },
        ),
        (
            "response_format",
            {"type": "json_schema", "schema": FILTERED},
            {"type": "json_schema", "json_schema": {"name": "answer", "schema": FILTERED}},
        ),
    ],
)
async def test_parameters_are_written_as_openai_does(field: str, value: Any, expected: Any) -> None:
    """Whatever form the client chose; a schema has to have a name."""
    assert (await sent(**{field: value})).get(field) == expected


async def test_the_output_limit_goes_by_the_services_name() -> None:
    """Older services know one name, newer models take only the other."""
    body = await sent(settings={"limit_field": "max_completion_tokens"}, max_tokens=5)

    assert body["max_completion_tokens"] == 5
    assert "max_tokens" not in body


async def test_what_has_no_place_in_answers_is_reported() -> None:
    """Logprobs and spoken answers couldn't be handed on, so they aren't asked for, and the client is told."""
    async with asking() as house:
        answer = await house.chat(
            logprobs=True, top_logprobs=2, modalities=["text", "audio"], audio={"voice": "x", "format": "mp3"}
        )

    assert not {"logprobs", "top_logprobs", "modalities", "audio"} & set(house.service.last.body)
    for name in ("logprobs", "top_logprobs", "modalities", "audio"):
        assert f"{name}: not supported by helper_backend" in answer.headers["x-studiogate-ignored"]


async def test_unknown_fields_are_passed_on_by_name() -> None:
    """The operator says which of them the service knows; the others may be for plugins."""
    fields: dict[str, Any] = {"top_k": 5, "mcp_endpoint": "http://127.0.0.1/mcp", "user": "u", "min_p": 0.1}

    assert not {"top_k", "mcp_endpoint", "min_p"} & set(await sent(**fields))
    body = await sent(settings={"pass_fields": ["top_k"]}, **fields)
    assert body["top_k"] == 5
    assert not {"mcp_endpoint", "min_p", "user"} & set(body)


async def test_models_are_called_by_the_services_names() -> None:
    """Ids that the operator maps are translated, others pass as they are; the client sees its own."""
    async with asking(models={"test-model": "vendor/model:free"}) as house:
        mapped = await house.chat(model="test-model")
        translated = house.service.last.body["model"]

    assert translated == "vendor/model:free"
    assert mapped.json()["model"] == "test-model"
    assert (await sent(settings={"models": {}}, model="anything"))["model"] == "anything"


async def test_a_request_without_any_model_names_none() -> None:
    """Some services serve one model only."""
    async with asking() as house:
        await house.chat(model=None)

    assert "model" not in house.service.last.body


async def test_a_stream_is_asked_for_as_the_client_does() -> None:
    """And token counts in it, which not every service knows, only for who wants them."""
    plain = await sent(stream=True)
    counted = await sent(stream=True, stream_options={"include_usage": True})

    assert plain["stream"] is True
    assert "stream_options" not in plain
    assert counted["stream_options"] == {"include_usage": True}


CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}


async def test_the_conversation_is_sent_message_by_message() -> None:
    """With roles, names, calls and their results."""
    messages = [
        {"role": "developer", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Warm"}, {"type": "text", "text": "there?"}],
            "name": "bo",
        },
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "content": "24 °C", "tool_call_id": "call_1", "name": "weather"},
        {"role": "assistant", "content": "24 °C."},
        {"role": "assistant", "content": "More?", "tool_calls": [CALL]},
        {"role": "tool", "content": "", "tool_call_id": "call_1"},
        {"role": "user", "content": ""},
    ]
    body = await sent(messages=messages)

    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Warm\nthere?", "name": "bo"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "content": "24 °C", "tool_call_id": "call_1"},
        {"role": "assistant", "content": "24 °C."},
        {"role": "assistant", "content": "More?", "tool_calls": [CALL]},
        {"role": "tool", "content": "", "tool_call_id": "call_1"},
        {"role": "user", "content": ""},
    ]


WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {"name": "weather", "description": "Tell it.", "parameters": FILTERED, "strict": True},
}


class Adds:
    """Take a tool of a type of its own and offer functions for it, which the gateway runs."""

    @hookimpl
    async def map_tools(self, tools: Sequence[ToolSpec]) -> ToolPlan:
        """Add two functions, one of the client's name."""
        functions = (
            FunctionDeclaration(name="weather", description="another"),
            FunctionDeclaration(name="read", description="Read.", parameters=FILTERED),
            FunctionDeclaration(name="now"),
        )
        return ToolPlan(taken=frozenset(t.index for t in tools if t.type == "mcp"), functions=functions)


class Switches:
    """Switch a tool on upstream."""

    @hookimpl
    async def map_tools(self, tools: Sequence[ToolSpec], choice: Any) -> ToolPlan:
        """Take searches."""
        taken = frozenset(t.index for t in tools if t.type == "web_search")
        upstream = frozenset[int]() if choice == "none" else taken
        return ToolPlan(taken=taken, upstream=upstream, switches={"google_search": {}} if upstream else {})


async def test_tools_are_sent_as_the_client_wrote_them() -> None:
    """Down to fields that the gateway doesn't know; a type that is left out is put in."""
    untyped = {"function": {"name": "time"}}
    body = await sent(tools=[WEATHER, untyped], tool_choice="required")

    assert body["tools"] == [WEATHER, {"type": "function", **untyped}]
    assert body["tool_choice"] == "required"


async def test_the_older_functions_are_tools() -> None:
    """`functions` and `function_call` are sent by their newer names."""
    body = await sent(functions=[WEATHER["function"]], function_call={"name": "weather"})

    assert body["tools"] == [WEATHER]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}


async def test_functions_that_plugins_add_are_declared() -> None:
    """What they stand for is not sent; of equal names the client's own stands."""
    body = await sent(others={"adds": Adds}, tools=[WEATHER, {"type": "mcp", "server_url": "https://example.com"}])

    assert body["tools"] == [
        WEATHER,
        {"type": "function", "function": {"name": "read", "description": "Read.", "parameters": FILTERED}},
        {"type": "function", "function": {"name": "now", "description": ""}},
    ]


async def test_a_tool_that_is_switched_on_upstream_is_sent_too() -> None:
    """The service may know it; what is switched off isn't asked for, nor what another plugin has taken."""
    assert (await sent(others={"s": Switches}, tools=[{"type": "web_search"}]))["tools"] == [{"type": "web_search"}]
    assert "tools" not in await sent(others={"s": Switches}, tools=[{"type": "web_search"}], tool_choice="none")
    secret = {"type": "mcp", "server_url": "https://example.com", "authorization": "secret"}
    both = await sent(others={"s": Switches, "a": Adds}, tools=[secret, {"type": "web_search"}])
    assert "secret" not in json.dumps(both)
    assert both["tools"][0] == {"type": "web_search"}


SPELLINGS: list[dict[str, Any]] = [
    {"google_search_retrieval": {}},
    {"google_search": {}},
    {"type": "web_search"},
    {"type": "web_search_preview"},
    {"type": "function", "function": {"name": "googleSearch"}},
]


async def test_searches_go_to_the_service_as_the_client_wrote_them() -> None:
    """Each spelling that the plugin for searches takes, and OpenAI's parameter with all that stands in it."""
    options = {"search_context_size": "low"}
    async with asking(others={"search": GoogleSearchTools}) as house:
        answer = await house.chat(tools=SPELLINGS, web_search_options=options)
        body = house.service.last.body
        await house.chat(tools=SPELLINGS, tool_choice="none")
        off = house.service.last.body

    assert (body["tools"], body["web_search_options"]) == (SPELLINGS, options)
    assert "x-studiogate-ignored" not in answer.headers
    assert "tools" not in off


async def test_without_tools_there_is_nothing_to_choose() -> None:
    """Services refuse a choice among nothing."""
    assert "tool_choice" not in await sent(tool_choice="auto")


class Files:
    """Take references of the form `kind/of:name`."""

    @hookimpl
    async def resolve_attachments(
        self, refs: Sequence[AttachmentRef], workdir: Path
    ) -> Mapping[AttachmentRef, Attachment]:
        """Make a file of each, equal references sharing one."""
        made: dict[str, Attachment] = {}
        for ref in refs:
            mime, _, name = ref.source.partition(":")
            path = workdir / name
            path.write_bytes(PNG)
            made.setdefault(ref.source, Attachment(ref=ref, path=path, mime=mime, filename=name, size=len(PNG)))
        return {ref: made[ref.source] for ref in refs}


async def test_files_become_parts_of_the_content() -> None:
    """Images, sounds and all others in the form that OpenAI has for them, in the message to which they belong."""
    encoded = base64.b64encode(PNG).decode()
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded}"}}
    messages = [
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "image/png:a.png", "detail": "low"}},
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": "image/png:a.png"},
                {"type": "input_audio", "input_audio": {"data": "audio/mpeg:b.mp3", "format": "mp3"}},
                {"type": "input_audio", "input_audio": {"data": "audio/ogg:b.ogg"}},
            ],
        },
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": [{"type": "file", "file": {"file_data": "application/pdf:c.pdf"}}]},
    ]
    body = await sent(others={"files": Files}, messages=messages)

    first, _, last = body["messages"]
    assert first["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {**image["image_url"], "detail": "low"}},  # type: ignore[dict-item]
        image,
        {"type": "input_audio", "input_audio": {"data": encoded, "format": "mp3"}},
        {"type": "input_audio", "input_audio": {"data": encoded, "format": "ogg"}},
    ]
    assert last["content"] == [
        {"type": "file", "file": {"filename": "c.pdf", "file_data": f"data:application/pdf;base64,{encoded}"}}
    ]


async def test_a_long_conversation_arrives_whole() -> None:
    """It is written in a thread, and is none the less what the client sent."""
    long = "long " * 200_000

    assert (await sent(messages=[{"role": "user", "content": long}]))["messages"][0]["content"] == long


async def test_the_key_and_the_name_of_the_asker_go_with_it() -> None:
    """As a bearer; without a key there is no such header."""
    async with asking() as house:
        await house.chat()
        with_key = house.service.last
    async with asking(api_key=None) as house:
        await house.chat()
        without = house.service.last

    assert with_key.path == "/v1/chat/completions"
    assert with_key.headers["authorization"] == "Bearer sk-very-secret-0123456789"
    assert with_key.headers["user-agent"].startswith("studiogate/")
    assert "authorization" not in without.headers
