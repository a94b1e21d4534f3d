import hashlib
import json
from importlib.metadata import version
from typing import Any

import attrs
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from studiogate.errors import DeadlineExceeded
from studiogate.events import Citation, Event, Finish, FinishReason, Media, TextDelta, ThoughtDelta, ToolCall, Usage
from studiogate.exchange import Exchange
from studiogate.models import Model
from studiogate.openai.models import model_list
from studiogate.openai.response import DONE, KEEP_ALIVE, ChunkStream, Completion

from .backends import STOP, ask, exchange_of, sse
from .openai_shapes import ChunkShape, CompletionShape

CALL = ToolCall(id="c1", name="f", arguments='{"a": 1}')
CALLS = Finish(reason=FinishReason.TOOL_CALLS)
PIXEL = Media(mime="image/png", data=b"\x89PNG")
PIXEL_URL = "data:image/png;base64,iVBORw=="
SOURCE = Citation(url="https://example.org", title="Example", start=1, end=4)
TOKENS = Usage(prompt=10, completion=7, reasoning=3, cached=2)


def exchange(*, include_usage: bool = False) -> Exchange:
    """Make an exchange with a known model."""
    model = Model(id="m", display_name="M")
    return exchange_of(ask(include_usage=include_usage), model=model, model_name="m", created=1700000000.9)


def whole(*events: Event) -> dict[str, Any]:
    """Return the JSON of a completion, which the official client's type and OpenAI's published shape must accept."""
    completion = Completion(exchange())
    for event in events:
        completion.add(event)
    ChatCompletion.model_validate_json(completion.body(), strict=True)
    CompletionShape.model_validate_json(completion.body())
    body: dict[str, Any] = json.loads(completion.body())
    return body


def streamed(*events: Event, include_usage: bool = False) -> list[Any]:
    """Return the chunks of a stream, which the official client's type and OpenAI's published shape must accept.

    `[DONE]` stands as it is.
    """
    chunks = ChunkStream(exchange(include_usage=include_usage))
    data = [chunks.start(), *(chunks.add(event) for event in events), chunks.end()]
    found = sse(b"".join(data).decode())
    for chunk in found[:-1]:
        ChatCompletionChunk.model_validate_json(json.dumps(chunk), strict=True)
        ChunkShape.model_validate_json(json.dumps(chunk))
    return found


def deltas(*events: Event) -> list[dict[str, Any]]:
    """Return what events put into `delta`, without the chunk that opens the stream."""
    return [chunk["choices"][0]["delta"] for chunk in streamed(*events)[1:-1]]


def test_a_completion_is_exactly_openais() -> None:
    """The whole object of a plain answer, nothing more and nothing less."""
    assert whole(TextDelta(text="Hel"), TextDelta(text="lo"), Usage(prompt=1, completion=2), STOP) == {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "m",
        "system_fingerprint": "fp_" + hashlib.sha256(f"{version('studiogate')} m".encode()).hexdigest()[:10],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 1,
            "completion_tokens": 2,
            "total_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
    }


def test_thoughts_are_kept_apart_from_the_answer() -> None:
    """Reasoning goes under the name that reasoning models' clients read."""
    message = whole(ThoughtDelta(text="Hm"), ThoughtDelta(text="m."), TextDelta(text="Yes."), STOP)["choices"][0]

    assert message["message"]["reasoning_content"] == "Hmm."
    assert message["message"]["content"] == "Yes."


@pytest.mark.parametrize(("before", "content"), [((), None), ((TextDelta(text="Wait."),), "Wait.")])
def test_a_completion_of_calls_has_content_only_if_there_was_text(
    before: tuple[Event, ...], content: str | None
) -> None:
    """OpenAI says null where the model only called tools."""
    (choice,) = whole(*before, CALL, CALLS)["choices"]

    assert choice["message"]["content"] == content
    assert choice["message"]["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    ]
    assert choice["finish_reason"] == "tool_calls"


def test_an_answer_without_text_is_empty_not_null() -> None:
    """Null content belongs to calls."""
    assert whole(STOP)["choices"][0]["message"]["content"] == ""


@pytest.mark.parametrize("reason", FinishReason)
def test_every_reason_to_finish_is_openais(reason: FinishReason) -> None:
    """The client's type knows each of them."""
    assert whole(Finish(reason=reason))["choices"][0]["finish_reason"] == reason
    assert streamed(Finish(reason=reason))[1]["choices"][0]["finish_reason"] == reason


def test_media_stand_in_the_text_and_beside_it() -> None:
    """A client that only shows text shows the image; one that knows images needn't parse Markdown."""
    message = whole(TextDelta(text="Look: "), PIXEL, STOP)["choices"][0]["message"]

    assert message["content"] == f"Look: ![image]({PIXEL_URL})"
    assert message["images"] == [{"type": "image_url", "image_url": {"url": PIXEL_URL}}]


def test_audio_is_a_link() -> None:
    """What Markdown can't show it links to."""
    content = whole(Media(mime="audio/wav", data=b"x"), STOP)["choices"][0]["message"]["content"]

    assert content == "[audio](data:audio/wav;base64,eA==)"


def test_citations_are_annotations() -> None:
    """Sources have OpenAI's shape, with zeros where the backend can't tell the place."""
    message = whole(TextDelta(text="x"), SOURCE, Citation(url="u", title="t"), STOP)["choices"][0]["message"]
    first, second = message["annotations"]

    assert first == {
        "type": "url_citation",
        "url_citation": {"url": "https://example.org", "title": "Example", "start_index": 1, "end_index": 4},
    }
    assert (second["url_citation"]["start_index"], second["url_citation"]["end_index"]) == (0, 0)


def test_the_last_usage_counts() -> None:
    """Tokens come as running totals."""
    usage = whole(Usage(prompt=1), TextDelta(text="x"), TOKENS, STOP)["usage"]

    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (10, 7, 17)
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 3
    assert usage["prompt_tokens_details"]["cached_tokens"] == 2


def test_a_stream_is_exactly_openais() -> None:
    """The chunks of a plain answer: role, text, reason, end."""

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {
            "id": "chatcmpl-0",
            "object": "chat.completion.chunk",
            "created": 1700000000,
            "model": "m",
            "system_fingerprint": "fp_" + hashlib.sha256(f"{version('studiogate')} m".encode()).hexdigest()[:10],
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}],
        }

    assert streamed(TextDelta(text="Hel"), TextDelta(text="lo"), STOP) == [
        chunk({"role": "assistant", "content": "", "refusal": None}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        chunk({}, "stop"),
        "[DONE]",
    ]


def test_a_call_is_streamed_as_openai_does() -> None:
    """First who is called, then with what; each call has its index."""
    second = ToolCall(id="c2", name="g", arguments="{}")

    assert [delta["tool_calls"][0] for delta in deltas(CALL, second)] == [
        {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"a": 1}'}},
        {"index": 1, "id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}},
    ]


def test_thoughts_media_and_citations_are_deltas_of_their_own() -> None:
    """Each event is one chunk, with the fields of the whole message."""
    thought, image, cited = deltas(ThoughtDelta(text="Hm"), PIXEL, SOURCE)

    assert thought == {"reasoning_content": "Hm"}
    assert image["content"] == f"![image]({PIXEL_URL})"
    assert image["images"][0]["image_url"]["url"] == PIXEL_URL
    assert cited["annotations"][0]["url_citation"]["title"] == "Example"


def test_usage_nobody_counted_is_estimated() -> None:
    """A client that budgets by usage gets a guess rather than nothing, and can tell that it is one."""
    completion = Completion(exchange())
    for event in (ThoughtDelta(text="1234" * 2), TextDelta(text="1234" * 3), STOP):
        completion.add(event)
    usage = json.loads(completion.body())["usage"]

    assert completion.usage_is_estimated
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (2, 5)
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 2


def test_streamed_usage_nobody_counted_is_marked_by_a_comment() -> None:
    """Headers are out by then; a comment before the chunk says what a header would have."""
    chunks = ChunkStream(exchange(include_usage=True))
    data = b"".join([chunks.start(), chunks.add(TextDelta(text="12345")), chunks.add(STOP), chunks.end()]).decode()

    (*_, last, done) = sse(data)
    assert data.split("\n\n")[-4] == ": usage is estimated"
    assert (last["usage"]["completion_tokens"], done) == (2, "[DONE]")


def test_the_fingerprint_tells_models_apart_and_stays() -> None:
    """Clients compare it to see whether what answers has changed."""
    other = exchange_of(ask(), model=Model(id="other", display_name="O"))
    prints = [json.loads(Completion(each).body())["system_fingerprint"] for each in (exchange(), exchange(), other)]

    assert prints[0] == prints[1] != prints[2]


def test_usage_is_streamed_only_when_asked_for() -> None:
    """With `include_usage` every chunk says null and one more, without choices, says how much."""
    without = streamed(TextDelta(text="x"), TOKENS, STOP)
    *chunks, last, done = streamed(TextDelta(text="x"), TOKENS, STOP, include_usage=True)

    assert all("usage" not in chunk for chunk in without[:-1])
    assert [chunk["usage"] for chunk in chunks] == [None] * 3
    assert (last["choices"], last["usage"]["total_tokens"], done) == ([], 17, "[DONE]")


def test_a_broken_stream_ends_with_the_error() -> None:
    """Clients that read `error` raise, and no `[DONE]` pretends that all is well."""
    (data,) = sse(ChunkStream(exchange()).fail(DeadlineExceeded("Too late.")).decode())

    assert data["error"] == {"message": "Too late.", "type": "timeout_error", "param": None, "code": "timeout"}


def test_lines_of_the_answer_dont_break_the_stream() -> None:
    """Whatever is said, one chunk is one line of data."""
    text = 'a\n\ndata: [DONE]\r\n\u2028"'

    assert ChunkStream(exchange()).add(TextDelta(text=text)).count(b"\n") == 2
    assert deltas(TextDelta(text=text)) == [{"content": text}]


def test_comments_and_the_end_are_whole_events() -> None:
    """Each ends with a blank line."""
    assert KEEP_ALIVE.startswith(b":")
    assert KEEP_ALIVE.endswith(b"\n\n")
    assert DONE == b"data: [DONE]\n\n"


def test_an_alias_answers_under_its_own_name() -> None:
    """The client's own word comes back, whoever answers; the fingerprint is the model's."""
    model = Model(id="m", display_name="M")
    body = json.loads(Completion(exchange_of(ask(), model=model, model_name="mine")).body())

    assert body["model"] == "mine"
    assert body["system_fingerprint"] == json.loads(Completion(exchange()).body())["system_fingerprint"]


def test_the_list_of_models_is_openais_and_more() -> None:
    """What OpenAI's clients need, and the limits that the gateway knows."""
    listed = model_list([Model(id="m", display_name="M", input_token_limit=9)], created=7)

    assert listed["object"] == "list"
    (model,) = listed["data"]
    assert {key: model[key] for key in ("id", "object", "created", "owned_by", "input_token_limit")} == {
        "id": "m",
        "object": "model",
        "created": 7,
        "owned_by": "google",
        "input_token_limit": 9,
    }


LEGACY = exchange_of(ask(legacy_functions=True), model=Model(id="m", display_name="M"), model_name="m")


def test_a_legacy_completion_has_one_function_call() -> None:
    """Who asked with `functions` knows neither `tool_calls` nor several calls."""
    completion = Completion(LEGACY)
    for event in (CALL, attrs.evolve(CALL, id="c2"), CALLS):
        completion.add(event)

    ChatCompletion.model_validate_json(completion.body(), strict=True)
    (choice,) = json.loads(completion.body())["choices"]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"] == {"name": "f", "arguments": '{"a": 1}'}
    assert choice["message"]["content"] is None
    assert "tool_calls" not in choice["message"]


def test_a_legacy_stream_has_one_function_call() -> None:
    """First who is called, then with what."""
    chunks = ChunkStream(LEGACY)
    found = sse(b"".join(chunks.add(event) for event in (CALL, attrs.evolve(CALL, id="c2"), CALLS)).decode())

    for chunk in found:
        ChatCompletionChunk.model_validate_json(json.dumps(chunk), strict=True)
    assert [(chunk["choices"][0]["delta"], chunk["choices"][0]["finish_reason"]) for chunk in found] == [
        ({"function_call": {"name": "f", "arguments": ""}}, None),
        ({"function_call": {"arguments": '{"a": 1}'}}, None),
        ({}, "function_call"),
    ]
