import gzip
import hashlib
import json
import zlib
from typing import Any

import httpx
import pytest

from .harness import Running, drive_client, frames_of, generate_request, method, text_of, until_logged, upload

GENERATE = method("GenerateContent")


async def log_of(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Fetch the log."""
    records: list[dict[str, Any]] = (await client.get("/__sim/log")).json()
    return records


async def play(client: httpx.AsyncClient, **scenario: Any) -> None:
    """Post a scenario."""
    (await client.post("/__sim/scenarios", json=scenario)).raise_for_status()


@pytest.mark.parametrize("http2", [True, False])
async def test_default_answer(simulator: Running, *, http2: bool) -> None:
    """Over both HTTP versions the answer tells what was received, thoughts first, and ends with reason 1."""
    async with simulator.rpc(http2=http2) as client:
        answer = await client.post(GENERATE, json=generate_request("Tell me of otters"))

    frames = frames_of(answer.content)
    assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert answer.headers["content-type"] == "application/json+protobuf; charset=UTF-8"
    assert frames[0][0][0][0][0][0][12] == 1
    assert "gemini-2.5-pro" in text_of(frames)
    assert "Tell me of otters" in text_of(frames)
    assert frames[-2][0][0][1] == 1
    assert frames[-1][:3] == [None, None, None]


async def test_log(rpc: httpx.AsyncClient) -> None:
    """The log names what was received and when it was answered."""
    await rpc.post(GENERATE, json=generate_request("otters"))

    [record] = await log_of(rpc)
    assert record["model"] == "gemini-2.5-pro"
    assert record["prompt"] == "otters"
    assert record["config"]["temperature"] == 0.5
    assert record["config"]["thinking"] == {"include_thoughts": True}
    assert record["status"] == 200
    assert record["received_at"] <= record["first_byte_at"] <= record["finished_at"]
    assert record["aborted_at"] is None
    assert record["frame_times"] == sorted(record["frame_times"])


async def test_log_can_be_cleared(rpc: httpx.AsyncClient) -> None:
    """DELETE empties the log."""
    await rpc.post(GENERATE, json=generate_request("otters"))
    await rpc.delete("/__sim/log")

    assert await log_of(rpc) == []


async def test_gzip_is_flushed_per_frame(rpc: httpx.AsyncClient) -> None:
    """Every network message can be inflated to whole frames before the stream ends."""
    await play(rpc, text=["one", "two"], chunk_delay_ms=0)
    inflate = zlib.decompressobj(wbits=47)
    messages: list[bytes] = []
    async with rpc.stream("POST", GENERATE, json=generate_request("x")) as answer:
        messages = [inflate.decompress(piece) async for piece in answer.aiter_raw()]

    assert answer.headers["content-encoding"] == "gzip"
    assert messages[0].startswith(b"[[[[[")
    assert b'"one"' in messages[0]
    assert b'"two"' not in messages[0]


async def test_identity_where_gzip_is_not_offered(rpc: httpx.AsyncClient) -> None:
    """Without an offer of gzip the body is plain."""
    answer = await rpc.post(GENERATE, json=generate_request("x"), headers={"accept-encoding": "br"})

    assert "content-encoding" not in answer.headers
    assert frames_of(answer.content)


@pytest.mark.parametrize(
    "proof",
    [None, "!short", "!" + "A" * 800, "A" * 800, "!" + "ü" * 800],
    ids=["none", "short", "other", "bare", "junk"],
)
async def test_bad_proof(rpc: httpx.AsyncClient, proof: str | None) -> None:
    """A missing, malformed or foreign proof is a 403 with upstream's one text."""
    answer = await rpc.post(GENERATE, json=generate_request("x", proof=proof))

    assert answer.status_code == 403
    assert answer.text == '[,[7,"The caller does not have permission"]]'


async def test_proof_binds_contents(rpc: httpx.AsyncClient) -> None:
    """A request whose prompt was changed after the proof was made is refused, and logged as refused."""
    request = generate_request("x")
    request[1][0][0][0][1] = "y"
    answer = await rpc.post(GENERATE, json=request)

    assert answer.status_code == 403
    assert (await log_of(rpc))[0]["status"] == 403


async def test_proof_does_not_bind_settings(rpc: httpx.AsyncClient) -> None:
    """Model, config and system instruction may be changed under a proof."""
    request = generate_request("x")
    request[0] = "models/gemini-2.5-flash"
    request[3][4] = 1.5
    request[5] = [[[None, "be brief"]], "user"]
    answer = await rpc.post(GENERATE, json=request)

    assert answer.status_code == 200
    assert (await log_of(rpc))[0]["system"] == "be brief"


async def test_proof_works_once(rpc: httpx.AsyncClient) -> None:
    """The same proof a second time is refused."""
    request = generate_request("x")

    assert (await rpc.post(GENERATE, json=request)).status_code == 200
    assert (await rpc.post(GENERATE, json=request)).status_code == 403


@pytest.mark.parametrize("model", ["gemini-9", "imagen-4.0-generate-001"])
async def test_unknown_model(rpc: httpx.AsyncClient, model: str) -> None:
    """A model that is not there, or does not chat, is a 404 with code 5."""
    answer = await rpc.post(GENERATE, json=generate_request("x", model=model))

    assert answer.status_code == 404
    assert answer.text.startswith("[,[5,")


@pytest.mark.parametrize(
    ("index", "value"), [(4, 2.1), (4, "hot"), (5, -0.1), (5, 1.1), (3, 0), (3, 65537), (8, [1]), (18, 2**31)]
)
async def test_config_out_of_range(rpc: httpx.AsyncClient, index: int, value: Any) -> None:
    """A config value that upstream refuses is a 400 with code 3."""
    config: list[Any] = [None] * 19
    config[index] = value
    answer = await rpc.post(GENERATE, json=generate_request("x", config=config))

    assert answer.status_code == 400
    assert answer.text.startswith("[,[3,")


async def test_thinking_turned_off(rpc: httpx.AsyncClient) -> None:
    """Without the flag there are no thoughts, and none are counted; the log names what was asked."""
    config: list[Any] = [*[None] * 16, [None, 0]]
    answer = await rpc.post(GENERATE, json=generate_request("x", model="gemini-2.5-flash", config=config))

    frames = frames_of(answer.content)
    assert all(len(frame[0][0][0][0][0]) <= 12 for frame in frames[:-2])
    assert (await log_of(rpc))[0]["config"] == {"thinking": {"include_thoughts": False, "budget": 0}}


async def test_json_by_a_schema(rpc: httpx.AsyncClient) -> None:
    """The answer follows it, and the log names seed, type and schema."""
    schema = [6, *[None] * 5, [["n", [3]], ["s", [1, None, None, 1]]], ["n", "s"]]
    config: list[Any] = [*[None] * 7, "application/json", schema, *[None] * 9, 42]
    answer = await rpc.post(GENERATE, json=generate_request("x", config=config))

    assert json.loads(text_of(frames_of(answer.content))) == {"n": 0, "s": "text"}
    assert (await log_of(rpc))[0]["config"] == {
        "response_mime_type": "application/json",
        "response_schema": {
            "type": "object",
            "properties": {"n": {"type": "integer"}, "s": {"type": "string", "nullable": True}},
            "required": ["n", "s"],
        },
        "seed": 42,
    }


async def test_malformed_request(rpc: httpx.AsyncClient) -> None:
    """A body that is no request is a 400 and no turn."""
    for body in ("nonsense", "[]", '["models/gemini-2.5-pro",[]]'):
        assert (await rpc.post(GENERATE, content=body)).status_code == 400

    assert await log_of(rpc) == []


async def test_stop_and_limit(rpc: httpx.AsyncClient) -> None:
    """The default answer ends before a stop sequence, and with reason 2 at the token limit."""
    stopped = await rpc.post(GENERATE, json=generate_request("x", config=[None, ["Tools"]]))
    limited = await rpc.post(GENERATE, json=generate_request("x", config=[None, None, None, 3]))

    assert text_of(frames_of(stopped.content)).endswith("not set\n- ")
    assert text_of(frames_of(limited.content)) == "This is the"
    assert frames_of(limited.content)[-2][0][0][1] == 2


async def test_scenarios_in_order(rpc: httpx.AsyncClient) -> None:
    """The first scenario that matches wins, until its times are used up."""
    await play(rpc, when="otter", times=1, text=["first"])
    await play(rpc, when="otter", text=["second"])

    answers = [
        text_of(frames_of((await rpc.post(GENERATE, json=generate_request(prompt))).content))
        for prompt in ("an otter", "an otter", "an otter", "a fox")
    ]
    assert answers[:3] == ["first", "second", "second"]
    assert answers[3].startswith("This is the simulator")


async def test_calls(rpc: httpx.AsyncClient) -> None:
    """Calls come whole, with ids and signatures, and end with reason 1."""
    await play(rpc, calls=[{"name": "a", "args": {"n": 1}}, {"name": "b"}])
    frames = frames_of((await rpc.post(GENERATE, json=generate_request("x"))).content)

    parts = [frame[0][0][0][0][0] for frame in frames[:2]]
    assert [part[10][:2] for part in parts] == [["a", [[["n", [None, 1]]]]], ["b", []]]
    assert parts[0][10][2] != parts[1][10][2]
    assert all(part[14] for part in parts)
    assert frames[2][0][0][1] == 1


async def test_error_status(rpc: httpx.AsyncClient) -> None:
    """An error has its HTTP status and its Status, details as posted."""
    details = [["type.googleapis.com/google.rpc.RetryInfo", [[30]]]]
    await play(rpc, http_status=429, status=[8, "quota", details])
    answer = await rpc.post(GENERATE, json=generate_request("x"))

    assert answer.status_code == 429
    assert answer.text == '[,[8,"quota",[["type.googleapis.com/google.rpc.RetryInfo",[[30]]]]]]'


async def test_error_after_frames(rpc: httpx.AsyncClient) -> None:
    """A status with text ends the stream as its second root element, without a finish."""
    await play(rpc, text=["half"], status=[14, "overloaded"])
    answer = await rpc.post(GENERATE, json=generate_request("x"))

    frames, status = json.loads(answer.content)
    assert text_of(frames) == "half"
    assert len(frames) == 1
    assert status == [14, "overloaded"]


async def test_error_without_frames(rpc: httpx.AsyncClient) -> None:
    """A status alone is a 200 with nothing else."""
    await play(rpc, status=[8, "quota"])
    answer = await rpc.post(GENERATE, json=generate_request("x"))

    assert (answer.status_code, answer.text) == (200, '[,[8,"quota"]]')


async def test_raw(rpc: httpx.AsyncClient) -> None:
    """A raw body is sent as it is."""
    await play(rpc, raw="<html>sorry</html>", http_status=503)
    answer = await rpc.post(GENERATE, json=generate_request("x"))

    assert (answer.status_code, answer.text) == (503, "<html>sorry</html>")


async def test_small_writes(rpc: httpx.AsyncClient) -> None:
    """Writes of three bytes still add up to the same gzip member."""
    await play(rpc, text=["über", "𝄞"], write_bytes=3)
    async with rpc.stream("POST", GENERATE, json=generate_request("x")) as answer:
        raw = [piece async for piece in answer.aiter_raw()]

    assert text_of(frames_of(gzip.decompress(b"".join(raw)))) == "über𝄞"


async def receive(client: httpx.AsyncClient, received: list[bytes]) -> None:
    """Collect an answer's pieces, as long as they come."""
    plain = {"accept-encoding": "identity"}
    async with client.stream("POST", GENERATE, json=generate_request("x"), headers=plain) as answer:
        async for piece in answer.aiter_raw():
            received.append(piece)  # noqa: PERF401 - what came before an error is what matters


@pytest.mark.parametrize("http2", [True, False])
async def test_cut(simulator: Running, *, http2: bool) -> None:
    """A cut stream breaks off with a protocol error after its frames."""
    async with simulator.rpc(http2=http2) as client:
        await play(client, text=["one", "two", "three"], cut_after_frames=2)
        received: list[bytes] = []
        with pytest.raises(httpx.RemoteProtocolError):
            await receive(client, received)

        assert b'"one"' in b"".join(received)
        assert b'"two"' in b"".join(received)
        assert b'"three"' not in b"".join(received)
        assert (await log_of(client))[0]["finished_at"] is None


@pytest.mark.parametrize("http2", [True, False])
async def test_hang_until_the_client_goes(simulator: Running, *, http2: bool) -> None:
    """A hanging answer sends its frames, then nothing; leaving it is logged as aborted."""
    async with simulator.rpc(http2=http2) as client:
        await play(client, text=["one", "two"], hang_after_frames=1)
        async with client.stream("POST", GENERATE, json=generate_request("x")) as answer:
            first = await anext(answer.aiter_bytes())
    async with simulator.rpc() as client:
        record = await until_logged(client, "aborted_at")

    assert b'"one"' in first
    assert record["finished_at"] is None
    assert len(record["frame_times"]) == 1


async def test_files_from_drive(rpc: httpx.AsyncClient, simulator: Running) -> None:
    """A file that was uploaded before is logged as it was uploaded; an unknown one is refused."""
    async with drive_client(simulator) as drive:
        uploaded = await upload(drive, b"%PDF-1.7", name="report.pdf", mime="application/pdf")
    file_id = uploaded.json()["id"]
    answers = [
        await rpc.post(GENERATE, json=generate_request("", contents=[[[[None] * 5 + [[each]]], "user"]]))
        for each in (file_id, "1nowhere")
    ]

    [record] = await log_of(rpc)
    [file] = record["files"]
    assert [answer.status_code for answer in answers] == [200, 400]
    assert (len(file_id), file["name"], file["mime"], file["size"]) == (33, "report.pdf", "application/pdf", 8)
    assert file["sha256"] == hashlib.sha256(b"%PDF-1.7").hexdigest()


async def test_media_resolution(rpc: httpx.AsyncClient) -> None:
    """A model that can't is not asked for a resolution of media."""
    config = [None] * 17 + [3]
    answers = [
        await rpc.post(GENERATE, json=generate_request("x", model=model, config=config))
        for model in ("gemini-2.5-pro", "gemma-3-27b-it")
    ]

    assert [answer.status_code for answer in answers] == [200, 400]
    assert "Media resolution" in answers[1].text
