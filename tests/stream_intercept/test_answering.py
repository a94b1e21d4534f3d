"""What an answer's bytes mean, whole or not."""

import asyncio
import json
from typing import Any

import attrs
import pytest

from studiogate.chat import ChatRequest, Message, Role
from studiogate.errors import InvalidRequest, Unavailable
from studiogate.events import Event, Finish, FinishReason, TextDelta
from studiogate.exchange import Exchange
from studiogate.models import Model, Thinking
from studiogate.params import Params, ResponseFormat
from studiogate.prompt import build_prompt
from studiogate.thinking import ThinkingChoice
from studiogate_stream_intercept import StreamIntercept
from studiogate_stream_intercept.answering import carries, read_answer, read_refusal, request_patch
from studiogate_stream_intercept.errors import StreamBroken
from studiogate_stream_intercept.refusals import refuse_status
from studiogate_stream_intercept.settings import StreamInterceptSettings
from studiogate_stream_intercept.stream import AnswerStream
from studiogate_studio.functions import fit_functions
from studiogate_studio.wire import JSON_MIME, RequestPatch, Status, Unset, patch_request

TEXT = [[[[[[None, "Hi"]], "model"]]]]
FINISH = [[[[[[None, "!"]], "model"], 1]]]
WHOLE = json.dumps([[TEXT, FINISH]]).encode()
SAID = [TextDelta(text="Hi"), TextDelta(text="!"), Finish(reason=FinishReason.STOP)]


def came(
    *chunks: bytes, status: int = 200, encoding: str = "identity", broken: str | None = None, ended: bool = True
) -> AnswerStream:
    """Return a stream that has already come."""

    async def nothing() -> None:
        """Stand for the abort."""

    stream = AnswerStream(status=status, headers={"content-encoding": encoding}, limit=10_000, abort=nothing)
    for chunk in chunks:
        stream.feed(chunk, 0.0)
    if ended:
        stream.end(broken)
    return stream


async def events_of(stream: AnswerStream) -> list[Event]:
    """Read an answer."""
    return [event async for event in read_answer(stream, tail_s=0.1)]


@pytest.mark.parametrize(
    "stream",
    [
        came(WHOLE),
        came(WHOLE[:-2], broken="gone"),
        came(WHOLE[:-2], b",[nonsense]]]"),
        came(WHOLE[:-2] + b",[nonsense]]]"),
    ],
    ids=["ended", "broke", "bad frame", "bad frame in the same chunk"],
)
async def test_a_finished_answer_is_whole(stream: AnswerStream) -> None:
    """Whatever becomes of the stream after its finish reason, the client gets the answer."""
    assert await events_of(stream) == SAID


async def test_a_finished_answer_does_not_wait_for_ever() -> None:
    """A stream that stays open after its finish reason ends with its tail."""
    async with asyncio.timeout(5):
        assert await events_of(came(WHOLE[:-2], ended=False)) == SAID


async def test_an_answer_that_breaks_before_its_end() -> None:
    """Without a finish reason the break is told."""
    with pytest.raises(StreamBroken, match="gone"):
        await events_of(came(WHOLE[:10], broken="gone"))


@pytest.mark.parametrize("stream", [came(b"[[[nonsense]]]"), came(WHOLE, encoding="rot13")], ids=["frame", "encoding"])
async def test_what_can_not_be_read_is_unavailable(stream: AnswerStream) -> None:
    """Bytes that make no sense are the upstream's fault, not the plugin's; another backend may do better."""
    with pytest.raises(Unavailable, match="could not be read"):
        await events_of(stream)


async def test_a_refusal_says_what_upstream_said() -> None:
    """Status, words and wait come from the body."""
    details = [["type.googleapis.com/google.rpc.RetryInfo", [[37]]]]
    error = await read_refusal(came(json.dumps([None, [8, "quota", details]]).encode(), status=429))

    assert isinstance(error, Unavailable)
    assert (error.status, error.retry_after_s) == (429, 37)
    assert "quota (RESOURCE_EXHAUSTED)" in error.reason


@pytest.mark.parametrize(
    "stream",
    [came(b'[,[8,"quo', status=429, broken="gone"), came(b"?", status=429, encoding="rot13")],
    ids=["cut", "encoding"],
)
async def test_a_refusal_whose_body_can_not_be_read(stream: AnswerStream) -> None:
    """The HTTP status stands by itself."""
    error = await read_refusal(stream)

    assert isinstance(error, Unavailable)
    assert error.status == 429


def test_an_unknown_model_may_be_anothers() -> None:
    """A 404 that names a model leaves it to the next backend; if none has it, it is the client's to change."""
    error = refuse_status(404, Status(code=5, message="models/gemini-0 is not found for this API version."))

    assert isinstance(error, Unavailable)
    assert error.status == 422


@pytest.mark.parametrize("status", [None, Status(code=5, message="Ambiguous request for service ''")])
def test_other_404s_pass_by_themselves(status: Status | None) -> None:
    """The service is at fault: the next backend may try."""
    error = refuse_status(404, status)

    assert isinstance(error, Unavailable)
    assert error.status == 502


def test_a_bad_request_is_final() -> None:
    """No other backend would do better with it."""
    assert isinstance(refuse_status(400, Status(code=3, message="Bad field.")), InvalidRequest)


@pytest.mark.parametrize("tail_s", [0.0, 5.0])
def test_the_tail_fits_the_gateways_patience(tail_s: float) -> None:
    """The gateway drops what comes 5 s after a finish, so a longer tail would lose the counts."""
    with pytest.raises(ValueError, match=r"from 0\.1 to 4"):
        StreamInterceptSettings(tail_s=tail_s)


FLASH = Model(
    id="flash",
    display_name="Flash",
    output_token_limit=65536,
    default_temperature=0.7,
    default_top_p=0.9,
    default_top_k=40,
    thinking=Thinking(min_budget=0, max_budget=24576, can_turn_off=True),
)
GEMMA = attrs.evolve(FLASH, id="gemma", thinking=None)


def patch_for(params: Params, model: Model | None = FLASH) -> RequestPatch:
    """Return the patch for an exchange with these parameters, as they are."""
    request = ChatRequest(messages=(Message(role=Role.USER, text="Hi"),))
    prompt = build_prompt(request.messages)
    exchange = Exchange(id="req_0", request=request, prompt=prompt, deadline=float("inf"), model=model, params=params)
    return request_patch(exchange, model, fit_functions(exchange, model, mixing=True))


def test_everything_the_client_asks_is_patched() -> None:
    """Each parameter has its slot."""
    schema: Any = {"type": "object", "properties": {"a": {"type": "string"}}}
    patch = patch_for(
        Params(
            temperature=0.1,
            top_p=0.2,
            max_tokens=3,
            stop=("x",),
            seed=4,
            thinking=ThinkingChoice(budget=5),
            response_format=ResponseFormat(schema=schema),
        )
    )

    assert patch == RequestPatch(
        model="flash",
        system="",
        temperature=0.1,
        top_p=0.2,
        top_k=40,
        max_tokens=3,
        stop=("x",),
        seed=4,
        response_mime=JSON_MIME,
        response_schema=schema,
        thinks=True,
        thinking_budget=5,
        media_resolution="",
        tools=(),
    )


def test_what_the_parameters_leave_open_is_the_models_own() -> None:
    """And what the page may have saved is cleared."""
    assert patch_for(Params()) == RequestPatch(
        model="flash",
        system="",
        temperature=0.7,
        top_p=0.9,
        top_k=40,
        max_tokens=65536,
        stop=(),
        seed=Unset.UNSET,
        response_mime="",
        response_schema={},
        thinks=True,
        media_resolution="",
        tools=(),
    )


def test_json_without_a_schema_clears_the_pages_schema() -> None:
    """Any JSON will do."""
    patch = patch_for(Params(response_format=ResponseFormat()))

    assert (patch.response_mime, patch.response_schema) == (JSON_MIME, {})


@pytest.mark.parametrize(
    ("params", "model", "config"),
    [
        (Params(), FLASH, [1]),
        (Params(thinking=ThinkingChoice(budget=0)), FLASH, [None, 0]),
        (Params(thinking=ThinkingChoice(budget=9)), FLASH, [1, 9]),
        (Params(thinking=ThinkingChoice(level="low")), FLASH, [1, None, None, 1]),
        (Params(), GEMMA, None),
    ],
)
def test_the_pages_way_of_thinking_is_replaced(params: Params, model: Model, config: list[Any] | None) -> None:
    """The flag for thoughts is cleared where there are none to be; nothing of the page's level stays."""
    body = json.dumps(
        ["models/page", [[[[None, "hi"]], "user"]], None, [*[None] * 16, [1, 77, None, 3]], "!p"]
    ).encode()

    assert json.loads(patch_request(body, patch_for(params, model)))[3][16] == config


@pytest.mark.parametrize(("effort", "budget"), [("none", 0), ("low", 1000), (50000, 24576)])
def test_the_backend_fits_the_parameters_to_the_model(effort: str | int, budget: int) -> None:
    """Its hook does what the studio says."""
    fitted = StreamIntercept(StreamInterceptSettings()).apply_params(Params(reasoning_effort=effort), FLASH)

    assert fitted.thinking == ThinkingChoice(budget=budget)


@pytest.mark.parametrize(
    ("typed", "files", "carried"),
    [("look", 2, True), ("look", 1, False), ("look", 3, False), ("look", 0, False), ("", 2, False)],
)
def test_a_request_is_known_by_its_text_and_the_number_of_its_files(typed: str, files: int, *, carried: bool) -> None:
    """A file too many or too few makes it a stranger's, whatever its text."""
    parts = [[None, None, ["image/png", "QUJD"]], [None, None, None, None, None, ["1drive"]], [None, " look\n"]]
    body = json.dumps(["models/m", [[parts, "user"]], None, None, "!proof"]).encode()

    assert carries(body, typed, files) is carried


def test_files_without_text_are_a_request() -> None:
    """The page may send no text part, or an empty one."""
    for text in ([], [[None, ""]]):
        body = json.dumps(["models/m", [[[[None, None, ["image/png", "QUJD"]], *text], "user"]]]).encode()

        assert carries(body, "", 1)
