"""Tier 3 through everything: what a client gets that is read from the page alone, and what AI Studio was sent."""

import json
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psutil
import pytest

from tests.attachments.samples import b64, data_url, png

from .house import Gateway, Simulator, deltas, running_gateway, texts, wait_until, write_config

pytestmark = pytest.mark.timeout(180)

MARKDOWN = """\
# Sorting: sort(some_items: list | None)

A *stable* sort keeps **equal** items in order; `sorted` is one. See [the manual](https://docs.python.org/3/).

```python
def smallest(items: list[int]) -> int:
    \"\"\"Return the smallest & first.\"\"\"
    return min(item for item in items if item < 10)
```

1. First
2. Second

- one, with 3 * 4
- two

Done."""

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture(scope="module")
def page_gateway(tmp_path_factory: pytest.TempPathFactory, shared_simulator: Simulator) -> Generator[Gateway]:
    """Run a gateway whose only backend is dom_scrape."""
    shared_simulator.reset()
    config = write_config(tmp_path_factory.mktemp("page"), shared_simulator, backends=["dom_scrape"])
    with running_gateway(config) as gateway:
        yield gateway


@pytest.fixture
def gateway(page_gateway: Gateway) -> Gateway:
    """Return the gateway, idle, with both tabs ready."""
    wait_until(lambda: page_gateway.tabs_ready() == 2, "both tabs ready")
    return page_gateway


def test_it_needs_no_proxy(gateway: Gateway) -> None:
    """Its only children are the browser and its driver, and mitmproxy is in none of its files."""
    answer = gateway.ask("Hi")
    loaded = [entry.path for entry in psutil.Process(gateway.process.pid).memory_maps()]

    assert answer.headers["x-studiogate-attempts"] == "dom_scrape=ok"
    assert not [path for path in loaded if "mitmproxy" in path]


def test_a_whole_answer_is_its_source(gateway: Gateway, simulator: Simulator) -> None:
    """Thoughts and text apart, each to the letter, with the counts of the page's own request."""
    thoughts, text = (
        ["**Plan**\n\nThink.\n\n\n", "**Next**\n\n* more"],
        ["* one\n* two\n\n\n__Not__ what ", "is *rendered*."],
    )
    simulator.play(thoughts=thoughts, text=text)

    answer = gateway.ask("Hi", model="gemini-2.5-pro")

    message = answer.json()["choices"][0]["message"]
    assert (message["reasoning_content"], message["content"]) == ("".join(thoughts), "".join(text))
    assert answer.json()["choices"][0]["finish_reason"] == "stop"
    assert answer.json()["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
    assert "x-studiogate-usage" not in answer.headers
    assert len(simulator.log()) == 1


@pytest.mark.parametrize("size", [5, 17])
def test_markdown_is_streamed(gateway: Gateway, simulator: Simulator, size: int) -> None:
    """However it is cut, what comes in pieces is the source."""
    simulator.play(text=[MARKDOWN[at : at + size] for at in range(0, len(MARKDOWN), size)], chunk_delay_ms=size)

    with gateway.streaming("Explain") as response:
        pieces = list(texts(response))

    assert "".join(pieces) == MARKDOWN
    assert len(pieces) > 1


def test_pieces_arrive_while_the_page_generates(gateway: Gateway, simulator: Simulator) -> None:
    """Thoughts and text reach the client while the upstream still holds back the rest; leaving stops it."""
    simulator.play(
        when="hold on", thoughts=["Thinking it over."], text=["first ", "second ", "third"], hang_after_frames=3
    )

    with gateway.streaming("hold on") as response:
        chunks = deltas(response)
        seen = ""
        while not seen.endswith("second"):
            delta = next(chunks)["choices"][0]["delta"]
            seen += (delta.get("reasoning_content") or "") + (delta.get("content") or "")
        unfinished = simulator.turn("hold on")["finished_at"]

    assert (seen, unfinished) == ("Thinking it over.first second", None)
    wait_until(lambda: simulator.turn("hold on")["aborted_at"], "the abort upstream")
    assert gateway.ask("afterwards").status_code == 200


def test_a_cancelled_answer_is_stopped(gateway: Gateway, simulator: Simulator) -> None:
    """The client gets the error, upstream the abort, and the tab is whole."""
    simulator.play(when="stop me", text=["one ", "two"], hang_after_frames=1)

    with gateway.streaming("stop me") as response:
        chunks = deltas(response)
        while not next(chunks)["choices"][0]["delta"].get("content"):
            pass
        gateway.cancel(response.headers["x-request-id"])
        rest = list(chunks)

    assert [chunk["error"]["type"] for chunk in rest] == ["client_closed_request"]
    wait_until(lambda: simulator.turn("stop me")["aborted_at"], "the abort upstream")
    assert gateway.ask("afterwards").status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_calls_of_functions(gateway: Gateway, simulator: Simulator, *, stream: bool) -> None:
    """They are read from the page, each with an id of its own."""
    simulator.play(calls=[{"name": "get_weather", "args": {"city": city}} for city in ("Rome", "Oslo")])

    calls: list[dict[str, Any]]
    if stream:
        with gateway.streaming("How warm is it?", tools=[WEATHER]) as response:
            choices = [chunk["choices"][0] for chunk in deltas(response)]
        calls = [call for choice in choices for call in choice["delta"].get("tool_calls") or () if call.get("id")]
        finish = choices[-1]["finish_reason"]
    else:
        choice = gateway.ask("How warm is it?", tools=[WEATHER]).json()["choices"][0]
        calls, finish = choice["message"]["tool_calls"], choice["finish_reason"]
        cities = [json.loads(call["function"]["arguments"]) for call in calls]
        assert cities == [{"city": "Rome"}, {"city": "Oslo"}]

    assert finish == "tool_calls"
    assert [call["function"]["name"] for call in calls] == ["get_weather"] * 2
    assert len({call["id"] for call in calls}) == 2
    assert len(simulator.log()) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_code_that_was_run(gateway: Gateway, simulator: Simulator, *, stream: bool) -> None:
    """It and its output stand before the text as fenced blocks, as over the wire."""
    simulator.play(code=[{"code": "print(1)\n", "output": "1\n"}], text=["It ", "is *one*."])

    if stream:
        with gateway.streaming("Run it") as response:
            text = "".join(texts(response))
    else:
        text = gateway.ask("Run it").json()["choices"][0]["message"]["content"]

    assert text == "\n```python\nprint(1)\n```\n\n```\n1\n```\nIt is *one*."


def test_json_is_not_taken_for_markdown(gateway: Gateway, simulator: Simulator) -> None:
    """What a machine reads comes to the letter, streamed or not."""
    simulator.play(text=['{"a_b_c": "*x* _y_ ', '# no"}'])

    with gateway.streaming("As JSON", response_format={"type": "json_object"}) as response:
        assert "".join(texts(response)) == '{"a_b_c": "*x* _y_ # no"}'


def test_what_the_page_is_set_to(gateway: Gateway, simulator: Simulator) -> None:
    """Parameters arrive by way of its controls; what it has none for is reported."""
    answer = gateway.ask(
        "Hi", model="gemini-2.5-pro", temperature=0.35, top_p=0.5, max_tokens=1234, stop=["END"], seed=7
    )

    (turn,) = simulator.log()
    config = {key: turn["config"][key] for key in ("temperature", "top_p", "max_output_tokens", "stop_sequences")}
    assert turn["model"] == "gemini-2.5-pro"
    assert config == {"temperature": 0.35, "top_p": 0.5, "max_output_tokens": 1234, "stop_sequences": ["END"]}
    assert answer.headers["x-studiogate-ignored"] == "seed: the page has no control for it"


def test_files_go_along(gateway: Gateway, simulator: Simulator) -> None:
    """They are uploaded before the prompt."""
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": data_url(png())}}]

    answer = httpx.post(
        f"{gateway.url}/v1/chat/completions", json={"messages": [{"role": "user", "content": content}]}, timeout=60
    )

    (turn,) = simulator.log()
    assert answer.status_code == 200, answer.text
    assert (turn["prompt"], [file["mime"] for file in turn["files"]]) == ("What is it?", ["image/png"])


def test_long_prompts_and_answers(gateway: Gateway, simulator: Simulator) -> None:
    """Some hundred thousand characters either way; the page shows an answer of that length as its source."""
    prompt = "Read this. " + "A sentence of the prompt. " * 8000
    paragraphs = [f"Paragraph {number}: *{'words ' * 30}*\n\n" for number in range(600)]
    simulator.play(text=paragraphs, chunk_delay_ms=0)

    with gateway.streaming(prompt) as response:
        answer = "".join(texts(response))

    assert answer.rstrip() == "".join(paragraphs).rstrip()
    assert [turn["prompt"].strip() for turn in simulator.log()] == [prompt.strip()]


def test_quota_is_quota(gateway: Gateway, simulator: Simulator) -> None:
    """The page's words for it become a 429."""
    simulator.play(when="too much", http_status=429, status=[8, "Resource has been exhausted"])

    answer = gateway.ask("too much")

    assert answer.status_code == 429
    assert "quota" in answer.json()["error"]["message"]
    assert len(simulator.log()) == 1
    simulator.reset()
    assert gateway.ask("afterwards").status_code == 200


def test_an_answer_that_breaks_off(gateway: Gateway, simulator: Simulator) -> None:
    """What the page shows instead is an error, not an answer."""
    simulator.play(when="breaks", text=["one ", "two"], cut_after_frames=0)

    answer = gateway.ask("breaks")

    assert answer.status_code == 502
    assert "internal error" in answer.json()["error"]["message"]


def test_a_blocked_answer(gateway: Gateway, simulator: Simulator) -> None:
    """It ends as it does over the wire."""
    simulator.play(text=["Well, "], finish=3)

    choice = gateway.ask("Hi").json()["choices"][0]

    assert (choice["finish_reason"], choice["message"]["content"]) == ("content_filter", "Well, ")


def test_an_answer_cut_at_the_limit(gateway: Gateway, simulator: Simulator) -> None:
    """The page doesn't say so, its own request does."""
    simulator.play(text=["One, two,", " three"], finish=2)

    choice = gateway.ask("Count").json()["choices"][0]

    assert (choice["finish_reason"], choice["message"]["content"]) == ("length", "One, two, three")


def test_sources(gateway: Gateway, simulator: Simulator) -> None:
    """They come with the places in the text that rest on them."""
    source = {"url": "https://example.org/ants", "title": "Ants", "passage": "Ants *carry* much"}
    simulator.play(text=["Well. Ants *carry* much."], sources=[source])

    message = gateway.ask("What of ants?", tools=[{"google_search": {}}]).json()["choices"][0]["message"]

    cited = message["annotations"][0]["url_citation"]
    assert message["content"][cited["start_index"] : cited["end_index"]] == "Ants *carry* much"
    assert (cited["url"], cited["title"]) == ("https://example.org/ants", "Ants")
    assert [list(tool) for tool in simulator.log()[0]["tools"]] == [["google_search"]]


def test_media_of_an_answer(gateway: Gateway, simulator: Simulator) -> None:
    """An image is handed over byte by byte."""
    simulator.play(text=["Here."], media=[{"mime": "image/png", "data": b64(png())}])

    message = gateway.ask("Draw it").json()["choices"][0]["message"]

    assert message["content"].startswith("Here.")
    assert b64(png()) in json.dumps(message)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "fault",
    [
        "alert_in_answer",
        "callout_error",
        "composer_recreated",
        "footer_only",
        "large_container",
        "preference_vote",
        "stop_gone_early",
        "stuck_spinner",
        "toast_error",
        "virtual_scroll",
    ],
)
def test_an_answer_in_a_page_that_misbehaves(
    gateway: Gateway, simulator: Simulator, fault: str, *, stream: bool
) -> None:
    """Whatever the page does about it, the answer is whole and nothing but the answer."""
    text = ["It *is* ", "a whole ", "answer ", "with an ", "end."]
    simulator.play(text=text, chunk_delay_ms=30, page={"fault": fault, "at": "submitted"})

    if stream:
        with gateway.streaming("Well?") as response:
            answer = "".join(texts(response))
    else:
        answer = gateway.ask("Well?").json()["choices"][0]["message"]["content"]

    assert answer == "".join(text)
    assert len(simulator.log()) == 1


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ("error_as_text", 502, "internal error"),
        ("model_error", 502, "internal error"),
        ("rpc_403", 502, "permission"),
        ("sign_in_redirect", 503, "signed in"),
        ("stream_garbage", 502, "internal error"),
    ],
)
def test_an_answer_that_the_page_has_lost(
    gateway: Gateway, simulator: Simulator, fault: str, status: int, words: str
) -> None:
    """The client is told what the page says, and the next request is served."""
    simulator.play(when="lost", text=["one ", "two ", "three"], chunk_delay_ms=400, page={"fault": fault})

    answer = gateway.ask("lost")

    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert gateway.ask("afterwards").status_code == 200


def test_answers_side_by_side(gateway: Gateway, simulator: Simulator) -> None:
    """Two tabs at once, each client gets its own answer."""
    for name in ("A", "B"):
        text = [f"*{name}{number}* and " for number in range(40)]
        simulator.play(when=f"for {name}", text=text)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(gateway.ask, ["for A", "for B"]))

    for name, answer in zip("AB", answers, strict=True):
        expected = "".join(f"*{name}{number}* and " for number in range(40))
        assert answer.json()["choices"][0]["message"]["content"] == expected
