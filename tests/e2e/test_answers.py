"""What a client gets, and what AI Studio got: through the gateway, a real browser and a real proxy."""

import asyncio
from itertools import islice
from typing import Any

import pytest
from openai import AsyncOpenAI

from .house import Gateway, Simulator, texts, wait_until

TEXT = ["Grüße, 世界 🌍!\n", 'A "quoted" \\ line\t', "\u2028<b>&amp;</b> \u0000 end"]


def test_whole_answer(gateway: Gateway, simulator: Simulator) -> None:
    """The official client gets text, reasoning, finish reason and usage, and the headers say who answered."""
    simulator.play(thoughts=["**Plan**\n\nThink."], text=["Hello ", "there."])

    raw = gateway.client.chat.completions.with_raw_response.create(
        model="gemini-2.5-pro", messages=[{"role": "user", "content": "Hi"}]
    )

    answer = raw.parse()
    choice = answer.choices[0]
    assert (choice.message.content, choice.finish_reason) == ("Hello there.", "stop")
    assert choice.message.model_extra == {"reasoning_content": "**Plan**\n\nThink."}
    assert answer.model == "gemini-2.5-pro"
    assert answer.usage
    assert answer.usage.completion_tokens_details
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert 0 < (answer.usage.completion_tokens_details.reasoning_tokens or 0) < answer.usage.completion_tokens
    assert raw.headers["x-studiogate-backend"] == "stream_intercept"
    assert raw.headers["x-studiogate-attempts"] == "stream_intercept=ok"


def test_streamed_answer(gateway: Gateway, simulator: Simulator) -> None:
    """The official client gets each thought and each piece of text as a delta, then the usage it asked for."""
    simulator.play(thoughts=["One.", "Two."], text=["a", "b", "c"])

    chunks = list(
        gateway.client.chat.completions.create(
            model="gemini-2.5-flash",
            messages=[{"role": "user", "content": "Hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    parts = [chunk.choices[0] for chunk in chunks if chunk.choices]
    thoughts = [part.delta.model_extra.get("reasoning_content") for part in parts if part.delta.model_extra]
    assert [thought for thought in thoughts if thought] == ["One.", "Two."]
    assert [part.delta.content for part in parts if part.delta.content] == ["a", "b", "c"]
    assert [part.finish_reason for part in parts if part.finish_reason] == ["stop"]
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens_details
    assert chunks[-1].usage.completion_tokens_details.reasoning_tokens


def test_pieces_arrive_as_they_are_sent(gateway: Gateway, simulator: Simulator) -> None:
    """The first pieces reach the client while the upstream still holds back the rest."""
    simulator.play(text=["first ", "second ", "third"], hang_after_frames=2)

    with gateway.streaming("hold on") as response:
        received = list(islice(texts(response), 2))
        unfinished = simulator.turn("hold on")["finished_at"]

    assert received == ["first ", "second "]
    assert unfinished is None


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens", "max_output_tokens"])
def test_parameters_arrive_exactly(gateway: Gateway, simulator: Simulator, limit: str) -> None:
    """Model, system message and every sampling parameter stand in what AI Studio received, prompt and all."""
    body: dict[str, Any] = {
        "model": "gemini-2.5-pro",
        "messages": [
            {"role": "system", "content": "Answer in rhymes. «Ünïcode»"},
            {"role": "user", "content": "The prompt\nhas lines"},
        ],
        "temperature": 0.35,
        "top_p": 0.81,
        "stop": ["\n\nUser:", "###"],
        limit: 321,
    }

    gateway.client.post("/chat/completions", body=body, cast_to=object)

    turn = simulator.turn("The prompt")
    config = turn["config"]
    assert turn["model"] == "gemini-2.5-pro"
    assert turn["prompt"] == "The prompt\nhas lines"
    assert turn["system"] == "Answer in rhymes. «Ünïcode»"
    assert (config["temperature"], config["top_p"], config["max_output_tokens"]) == (0.35, 0.81, 321)
    assert config["stop_sequences"] == ["\n\nUser:", "###"]


def test_nothing_leaks_from_one_request_to_the_next(gateway: Gateway, simulator: Simulator) -> None:
    """A request without parameters gets the gateway's defaults, no system instruction, no search."""
    for text in ("first", "second", "third"):
        gateway.ask(text, temperature=0.1, stop=["x"], messages=_with_system(text, "Be brief."))
    gateway.ask("plain one")
    gateway.ask("plain two")

    for text in ("plain one", "plain two"):
        turn = simulator.turn(text)
        assert turn["system"] is None
        assert turn["tools"] in (None, [])
        assert turn["config"]["temperature"] == 1
        assert not turn["config"].get("stop_sequences")


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_any_split_of_the_bytes_gives_the_same_answer(gateway: Gateway, simulator: Simulator, size: int) -> None:
    """Network writes may cut characters, escapes and frames anywhere."""
    simulator.play(thoughts=TEXT, text=TEXT, write_bytes=size)

    answer = gateway.ask("split").json()["choices"][0]

    assert answer["message"]["content"] == "".join(TEXT)
    assert answer["message"]["reasoning_content"] == "".join(TEXT)
    assert answer["finish_reason"] == "stop"


def test_unusual_bodies_are_read(gateway: Gateway, simulator: Simulator) -> None:
    """Elided nulls, a signed part, an escape cut in two and two parts in a frame are all the same answer."""
    thought = r'[,"pl\u0061n",,,,,,,,,,,1]'
    signed = r'[,"Gr\u00fc\u00dfe ",,,,,,,,,,,,,"c2ln"]'
    frames = [
        f'[[[[[{thought},{signed}],"model"]]],,[4,1,10,,,,,,,5]]',
        '[[[[[[,"\\ud83c\\udf0d"]],"model"]]],,[4,2,11,,,,,,,5]]',
        '[[[[[[,""]],"model"],1]],,[4,3,12,,,,,,,5]]',
        '[,,,["1771000000000000",1,2]]',
    ]
    simulator.play(raw=f"[[{','.join(frames)}]]", write_bytes=3)

    answer = gateway.ask("raw").json()

    message = answer["choices"][0]["message"]
    assert (message["reasoning_content"], message["content"]) == ("plan", "Grüße 🌍")
    assert answer["usage"]["completion_tokens"] == 8
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] == 5


@pytest.mark.parametrize(("finish", "reason"), [(1, "stop"), (2, "length"), (3, "content_filter")])
def test_finish_reasons(gateway: Gateway, simulator: Simulator, finish: int, reason: str) -> None:
    """The wire's number becomes OpenAI's word."""
    simulator.play(text=["so far"], finish=finish)

    answer = gateway.ask("finish").json()["choices"][0]

    assert (answer["message"]["content"], answer["finish_reason"]) == ("so far", reason)


@pytest.mark.timeout(300)
async def test_two_clients_get_their_own_answers(gateway: Gateway, simulator: Simulator) -> None:
    """Two clients at once on two tabs, fifty times over: nobody gets the other's answer, nothing is sent twice."""

    async def ask(client: AsyncOpenAI, text: str) -> None:
        answer = await client.chat.completions.create(
            model="gemini-2.5-flash", messages=[{"role": "user", "content": f"{text}."}]
        )
        assert f'"{text}."' in (answer.choices[0].message.content or "")

    async with gateway.async_client() as client:
        for number in range(50):
            async with asyncio.TaskGroup() as group:
                group.create_task(ask(client, f"left {number}"))
                group.create_task(ask(client, f"right {number}"))

    prompts = [turn["prompt"] for turn in simulator.log()]
    assert sorted(prompts) == sorted(f"{side} {number}." for side in ("left", "right") for number in range(50))


async def test_a_full_queue_is_first_in_first_out(gateway: Gateway, simulator: Simulator) -> None:
    """Requests beyond the tabs are submitted in the order they came."""
    simulator.play(when="hold", text=["on and "] * 1200, chunk_delay_ms=50)
    simulator.play(text=["slowly "] * 4, chunk_delay_ms=50)
    names = [f"number {number:02}" for number in range(6)]

    async with gateway.async_client() as client, asyncio.TaskGroup() as group:
        # One tab is kept busy: two that are free at once type side by side, and either may be done first.
        holding = await client.chat.completions.create(
            model="gemini-2.5-flash", messages=[{"role": "user", "content": "hold"}], stream=True
        )
        async with holding:
            await anext(aiter(holding))
            asked: list[asyncio.Task[Any]] = []
            for name in names:
                message: Any = {"role": "user", "content": name}
                asking = client.chat.completions.create(model="gemini-2.5-flash", messages=[message])
                asked.append(group.create_task(asking))
                await asyncio.to_thread(wait_until, lambda: _received(gateway, asked) == len(asked) + 1, "it to queue")
            await asyncio.wait(asked)

    assert [turn["prompt"] for turn in simulator.log()] == ["hold", *names]


def test_models_come_from_the_page(gateway: Gateway) -> None:
    """The list is what the page's own ListModels answered, with limits and thinking ranges."""
    models = {model.id: model for model in gateway.client.models.list()}

    pro = models["gemini-2.5-pro"].model_dump()
    assert pro["object"] == "model"
    assert pro["input_token_limit"] == 1048576
    assert (pro["thinking"]["min_budget"], pro["thinking"]["max_budget"]) == (128, 32768)


def test_every_listed_model_answers(gateway: Gateway, simulator: Simulator) -> None:
    """The page's settings are for the model chosen there; each other model gets its own limits and way of thinking."""
    models = {model.id: model.model_dump() for model in gateway.client.models.list()}

    statuses = {name: gateway.ask(f"to {name}.", model=name).status_code for name in models}

    assert statuses == dict.fromkeys(models, 200)
    for name, model in models.items():
        config = simulator.turn(f"to {name}.")["config"]
        assert config["max_output_tokens"] == min(8192, model["output_token_limit"])
        assert ("thinking" in config) == (model["thinking"] is not None)


def test_an_unknown_model_is_refused_before_anything_is_sent(gateway: Gateway, simulator: Simulator) -> None:
    """The error names the nearest models that exist."""
    answer = gateway.ask("to whom", model="gemini-2.5-prx")

    assert answer.status_code == 422
    assert answer.json()["error"]["param"] == "model"
    assert "gemini-2.5-pro" in answer.json()["error"]["message"]
    assert simulator.log() == []


def _with_system(text: str, system: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": text}]


def _received(gateway: Gateway, asked: "list[asyncio.Task[Any]]") -> int:
    """Return how many of the test's requests the gateway has taken in; on a slow machine some are answered already."""
    answered = sum(task.done() for task in asked)
    queue = gateway.health()["queue"]
    return answered + int(queue["running"]) + int(queue["waiting"])
