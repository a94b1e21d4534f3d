"""The whole way through the real gateway, asked by the official client."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from opentelemetry.sdk.trace import TracerProvider

from studiogate.events import (
    Citation,
    Event,
    Finish,
    FinishReason,
    Media,
    TextDelta,
    ThoughtDelta,
    ToolCall,
    Usage,
)
from studiogate.exchange import Exchange
from studiogate.otel import OtelTracing
from tests.core.backends import backend, serving, sse, yields

from .house import asking, soon
from .standin import (
    DONE,
    HANG,
    USAGE,
    StandIn,
    answer,
    at_once,
    bytewise,
    chunk,
    completion,
    hangs,
    says,
    streams,
    whole,
)

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
WEATHER: ChatCompletionToolParam = {"type": "function", "function": {"name": "weather", "parameters": {}}}


async def test_a_whole_answer() -> None:
    """The service's text, reason and token counts reach the client, which is told who answered."""
    async with asking() as house:
        house.service.reply(whole("Hello there", "length"))
        raw = await house.openai.chat.completions.with_raw_response.create(model="m", messages=ASK)

    made = raw.parse()
    assert made.choices[0].message.content == "Hello there"
    assert made.choices[0].finish_reason == "length"
    assert made.usage is not None
    assert (made.usage.prompt_tokens, made.usage.completion_tokens) == (7, 5)
    assert raw.headers["x-studiogate-backend"] == "helper_backend"
    assert "x-studiogate-usage" not in raw.headers


@pytest.mark.parametrize("split", [list[bytes], bytewise, at_once])
async def test_a_streamed_answer(split: Any) -> None:
    """Piece by piece, however the network cuts it."""
    events = [
        b": keep-alive\n\n",
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "Hm."}),
        chunk({"content": "Hel"}),
        b": keep-alive\r\n\r\n",
        chunk({"content": "lö 🙂"}).replace(b"\n", b"\r\n"),
        chunk({}, "stop"),
        b'data: {"choices": [], "usage": ' + json.dumps(USAGE).encode() + b"}\n\n",
        DONE,
    ]
    async with asking() as house:
        house.service.reply(streams(*split(events)))
        stream = await house.openai.chat.completions.create(
            model="m", messages=ASK, stream=True, stream_options={"include_usage": True}
        )
        chunks = [each async for each in stream]

    deltas = [each.choices[0].delta for each in chunks if each.choices]
    assert "".join(delta.content or "" for delta in deltas) == "Hellö 🙂"
    assert "".join((delta.model_extra or {}).get("reasoning_content", "") for delta in deltas) == "Hm."
    assert [each.choices[0].finish_reason for each in chunks if each.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 12


async def test_a_stream_comes_while_it_is_made() -> None:
    """The client has the first piece before the service has the second."""
    second = asyncio.Event()

    async def reply(asked: Any) -> None:
        await asked.head(200, content_type="text/event-stream", connection="close")
        await asked.send(chunk({"content": "first"}))
        await second.wait()
        await asked.send(chunk({"content": "second"}, "stop") + DONE)
        asked.writer.close()

    async with asking() as house:
        house.service.reply(reply)
        stream = await house.openai.chat.completions.create(model="m", messages=ASK, stream=True)
        texts: list[str] = []
        async for each in stream:
            if each.choices[0].delta.content:
                texts.append(each.choices[0].delta.content)
                second.set()

    assert texts == ["first", "second"]


@pytest.mark.parametrize("stream", [True, False])
async def test_what_comes_is_taken_as_what_it_is(stream: bool) -> None:  # noqa: FBT001
    """A service that doesn't stream, or always does, answers all the same."""
    async with asking() as house:
        house.service.reply(whole("Hello") if stream else streams(*says("Hel", "lo")))
        answered = await house.chat(stream=stream)

    if stream:
        deltas = [each["choices"][0]["delta"] for each in sse(answered.text)[:-1]]
        assert "".join(delta.get("content", "") for delta in deltas) == "Hello"
    else:
        assert answered.json()["choices"][0]["message"]["content"] == "Hello"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "reply",
    [
        streams(chunk({"content": ""}, "stop"), DONE),
        streams(chunk({"role": "assistant"}), DONE),
        answer(200, completion({"content": None})),
    ],
)
async def test_an_empty_answer_is_one(reply: Any, stream: bool) -> None:  # noqa: FBT001
    """Nothing was said, and the end was."""
    async with asking() as house:
        house.service.reply(reply)
        answered = await house.chat(stream=stream)

    assert answered.status_code == 200
    if stream:
        assert sse(answered.text)[-1] == "[DONE]"
    else:
        assert answered.json()["choices"][0]["message"]["content"] == ""


@pytest.mark.parametrize(
    "ending",
    [
        (DONE,),
        (),
        (b"data: [DONE]",),
        (HANG,),
        (DONE, HANG),
        (b"data: {garbage\n\n",),
        (b'data: {"choices": [], "usage": {"prompt_tokens": 7}}\n\n', b""),
    ],
)
async def test_after_the_finish_reason_an_answer_is_whole(ending: tuple[bytes | None, ...]) -> None:
    """However its stream ends, if it does."""
    async with asking() as house:
        house.service.reply(streams(chunk({"content": "Hello"}), chunk({}, "stop"), *ending))
        answered = await house.chat(stream=True)

    assert sse(answered.text)[-1] == "[DONE]"


async def test_tools_are_called_and_their_results_sent_back() -> None:
    """The loop that every client of tools runs, streamed or not."""
    pieces = [
        {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"city":'}},
        {"index": 0, "function": {"arguments": ' "Rome"}'}},
    ]
    called = streams(*(chunk({"tool_calls": [piece]}) for piece in pieces), chunk({}, "tool_calls"), DONE)
    async with asking() as house:
        house.service.reply(called, whole("24 °C"))
        stream = await house.openai.chat.completions.create(model="m", messages=ASK, tools=[WEATHER], stream=True)
        calls = [call async for each in stream for call in each.choices[0].delta.tool_calls or ()]
        arguments = "".join(call.function.arguments or "" for call in calls if call.function)
        result: list[ChatCompletionMessageParam] = [
            *ASK,
            {
                "role": "assistant",
                "tool_calls": [
                    {
                        "id": calls[0].id or "",
                        "type": "function",
                        "function": {"name": "weather", "arguments": arguments},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": calls[0].id or "", "content": "24 °C"},
        ]
        last = await house.openai.chat.completions.create(model="m", messages=result, tools=[WEATHER])

    assert arguments == '{"city": "Rome"}'
    assert house.service.last.body["messages"] == [
        {"role": "user", "content": "Hello"},
        *[{"content": None, **message} if message["role"] == "assistant" else message for message in result[1:]],
    ]
    assert last.choices[0].message.content == "24 °C"


async def test_images_come_back() -> None:
    """As a service that makes some sends them."""
    url = f"data:image/png;base64,{base64.b64encode(b'PNG').decode()}"
    async with asking() as house:
        message = {"content": "Look:", "images": [{"type": "image_url", "image_url": {"url": url}}]}
        house.service.reply(answer(200, completion(message)))
        body = (await house.chat()).json()

    assert body["choices"][0]["message"]["images"] == [{"type": "image_url", "image_url": {"url": url}}]


EVERYTHING: tuple[Event, ...] = (
    ThoughtDelta(text="Hm."),
    TextDelta(text="Hel"),
    TextDelta(text="lo"),
    Citation(url="https://example.com", title="Example", start=0, end=3),
    Media(mime="image/png", data=b"PNG"),
    ToolCall(id="call_1", name="weather", arguments='{"city":"Rome"}'),
    ToolCall(id="call_2", name="weather", arguments="{}"),
    Finish(reason=FinishReason.TOOL_CALLS),
    Usage(prompt=70, completion=50, reasoning=20, cached=30),
)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_gateway_may_stand_behind_another(stream: bool) -> None:  # noqa: FBT001
    """All that a backend can say comes through two of them as through one."""
    asked = {"tools": [WEATHER], "stream": stream, **({"stream_options": {"include_usage": True}} if stream else {})}
    seen: list[Exchange] = []

    async def script(exchange: Exchange) -> AsyncGenerator[Event]:
        seen.append(exchange)
        async for event in yields(*EVERYTHING)(exchange):
            yield event

    async with serving({"a": backend(script)}) as behind, asking(StandIn(url=f"{behind.url}/v1")) as front:
        direct = await behind.chat(**asked)
        through = await front.chat(**asked)

    def answered(response: Any) -> Any:
        if not stream:
            body = response.json()
            return body["choices"], body["usage"]
        chunks = [each for each in sse(response.text) if each != "[DONE]"]
        deltas = [each["choices"][0]["delta"] for each in chunks if each["choices"]]
        joined = {name: "".join(delta.get(name) or "" for delta in deltas) for name in ("content", "reasoning_content")}
        rest = {name: [each for delta in deltas for each in delta.get(name, [])] for name in ("images", "annotations")}
        calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
        return (
            joined,
            rest,
            calls,
            chunks[-1]["usage"],
            [c["choices"][0]["finish_reason"] for c in chunks if c["choices"]][-1],
        )

    assert answered(through) == answered(direct)
    assert seen[0].plan == seen[1].plan


async def test_connections_are_used_again() -> None:
    """After whole answers and after streams, whether they end with their last event or a moment later."""
    async with asking() as house:
        house.service.reply(whole("a"), streams(*says("b")), streams(*says("c"), b": bye\n\n"), whole("d"))
        for _ in range(4):
            assert (await house.chat()).status_code == 200

    assert house.service.connections == 1


async def test_no_more_requests_at_once_than_allowed() -> None:
    """A small service isn't overrun: the others wait."""
    async with asking(connections=1) as house:
        service = house.service
        service.reply(hangs, whole("second"))
        first = asyncio.create_task(house.chat())
        await soon(service.came)
        second = asyncio.create_task(house.chat())
        while len(house.served.gateway.queue.running) < 2:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
        house.served.gateway.queue.running[0].cancel()
        answers = [await first, await second]

    assert [each.status_code for each in answers] == [499, 200]
    assert [asked.gone.is_set() for asked in service.asked] == [True, True]


@pytest.mark.parametrize("reply", [hangs, streams(chunk({"content": "first"}), HANG), streams(HANG)])
async def test_a_cancelled_request_is_left_at_once(reply: Any) -> None:
    """Closing the connection is how the service learns of it; before its answer as well as in the middle."""
    async with asking() as house:
        house.service.reply(reply)
        asking_ = asyncio.create_task(house.chat(stream=True))
        await soon(house.service.came)
        house.served.gateway.queue.running[0].cancel()
        await soon(house.service.last.gone)
        await asking_
        house.service.reply(whole("next"))
        following = await house.chat()

    assert following.status_code == 200
    assert len(house.service.asked) == 2


async def test_a_client_that_leaves_is_told_to_the_service() -> None:
    """The official client closes its stream in the middle."""
    async with asking() as house:
        house.service.reply(streams(chunk({"content": "first"}), HANG))
        stream = await house.openai.chat.completions.create(model="m", messages=ASK, stream=True)
        async for each in stream:
            if each.choices[0].delta.content:
                break
        await stream.close()

        await soon(house.service.last.gone)


async def test_the_next_backend_answers_where_the_service_cant() -> None:
    """The reason is in the trace."""
    async with asking(
        others={"b": backend(yields(TextDelta(text="b says"), Finish(reason=FinishReason.STOP)))}
    ) as house:
        house.service.reply(answer(500, {"error": {"message": "Out of luck."}}))
        answered = await house.chat()

    assert answered.json()["choices"][0]["message"]["content"] == "b says"
    assert answered.headers["x-studiogate-attempts"] == (
        "helper_backend=unavailable: the service failed (HTTP 500): Out of luck., b=ok"
    )


async def test_a_trace_goes_on_in_the_service() -> None:
    """The service hears of the attempt's span, in the client's trace."""
    async with asking() as house:
        house.served.gateway.tracing = OtelTracing(TracerProvider())
        house.service.reply(whole("Hello there"))
        trace = f"{7:032x}"
        await house.openai.chat.completions.create(
            model="m", messages=ASK, extra_headers={"traceparent": f"00-{trace}-{9:016x}-01"}
        )

    (asked,) = house.service.asked
    assert asked.headers["traceparent"].startswith(f"00-{trace}-")
    assert not asked.headers["traceparent"].endswith(f"{9:016x}-01")
