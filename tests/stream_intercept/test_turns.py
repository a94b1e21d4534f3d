"""The gate: which request becomes whose turn, and what is refused."""

import asyncio
import logging

import pytest

from studiogate_stream_intercept.errors import RequestMismatch, StreamBroken
from studiogate_stream_intercept.turns import Bound, Refused, Turn, Turns

from .conftest import PAGE_URL, RPC_URL, Stage


async def test_another_prompt_is_refused(stage: Stage) -> None:
    """The page sent something else than was typed: 409, the caller hears of it, nothing goes upstream."""
    async with stage.expect(b"typed") as turn:
        response = await stage.page.post(RPC_URL, content=b"other", headers={"origin": "https://page.example"})
        with pytest.raises(RequestMismatch):
            await turn.sent()

    assert response.status_code == 409
    assert response.headers["access-control-allow-origin"] == "https://page.example"
    assert stage.upstream.arrived.empty()


async def test_a_failed_turn_keeps_the_gate_shut(stage: Stage) -> None:
    """Until its caller has left, whatever the page still sends is refused, the right prompt too."""
    async with stage.expect(b"typed"):
        await stage.page.post(RPC_URL, content=b"other")
        late = await stage.page.post(RPC_URL, content=b"typed")

    assert late.status_code == 409
    assert stage.upstream.arrived.empty()


async def test_expectations_pass_in_order(stage: Stage) -> None:
    """The second caller waits for the first one's request, not for its answer."""
    passed: list[bytes] = []

    async def submit(prompt: bytes) -> bytes:
        async with stage.expect(prompt) as turn:
            passed.append(prompt)
            posting = asyncio.create_task(stage.page.post(RPC_URL, content=prompt))
            await turn.sent()
        answer = await turn.answer()
        await posting
        return await answer.read_all()

    async with asyncio.TaskGroup() as callers:
        answers = [callers.create_task(submit(prompt)) for prompt in (b"one", b"two", b"three")]
        sent = [await stage.upstream.next() for _ in answers]
        for exchange in reversed(sent):
            exchange.answer(200, b"to " + exchange.body)

    assert passed == [b"one", b"two", b"three"]
    assert [exchange.body for exchange in sent] == passed
    assert [answer.result() for answer in answers] == [b"to one", b"to two", b"to three"]


async def test_the_gate_opens_when_the_request_is_seen(stage: Stage) -> None:
    """The lock is free from then on, even if the caller has not left its block."""
    async with asyncio.TaskGroup() as page, stage.expect(b"one") as first:
        page.create_task(stage.page.post(RPC_URL, content=b"one"))
        await first.sent()
        async with stage.expect(b"two") as second:
            page.create_task(stage.page.post(RPC_URL, content=b"two"))
            await second.sent()
        for _ in range(2):
            (await stage.upstream.next()).answer(200, b"")


@pytest.mark.parametrize("broken", ["matches", "patch"])
async def test_what_a_callback_raises_comes_out_of_sent(stage: Stage, broken: str) -> None:
    """A callback's fault is its caller's: the page gets a 502, nothing goes upstream, the proxy goes on."""

    def fault(_: bytes) -> bytes:
        raise ZeroDivisionError

    def matches(body: bytes) -> bool:
        return bool(fault(body)) if broken == "matches" else True

    async with stage.proxy.expect(matches, fault) as turn:
        response = await stage.page.post(RPC_URL, content=b"hi")
        with pytest.raises(ZeroDivisionError):
            await turn.sent()

    assert response.status_code == 502
    assert stage.upstream.arrived.empty()
    await the_proxy_still_works(stage)


async def test_a_repeated_prompt_is_refused_while_its_turn_is_open(stage: Stage) -> None:
    """The browser or the page tries again, maybe with a fresh proof: nothing is sent twice, and the turn goes on."""
    async with asyncio.TaskGroup() as page, stage.expect(b"hi") as turn:
        page.create_task(stage.page.post(RPC_URL, content=b"hi, proof 1"))
        sent = await stage.upstream.next()
        again = [await stage.page.post(RPC_URL, content=b"hi, proof %d" % proof) for proof in (1, 2)]
        async with stage.expect(b"next") as following:
            meanwhile = await stage.page.post(RPC_URL, content=b"hi, proof 3")
            assert not following.failed
        sent.answer(200, b"once")
        answer = await (await turn.answer()).read_all()

    assert [refused.status_code for refused in (*again, meanwhile)] == [409] * 3
    assert answer == b"once"
    assert stage.upstream.arrived.empty()


async def test_other_prompts_pass_while_a_turn_is_open(stage: Stage) -> None:
    """A person may use the window while an answer streams."""
    async with asyncio.TaskGroup() as page, stage.expect(b"hi") as turn:
        page.create_task(stage.page.post(RPC_URL, content=b"hi"))
        await turn.sent()
        theirs = page.create_task(stage.page.post(RPC_URL, content=b"a person's"))
        for _ in range(2):
            (await stage.upstream.next()).answer(200, b"fine")

    assert theirs.result().status_code == 200


@pytest.mark.parametrize("body", [b"hi", b"hi, with a fresh proof"])
async def test_a_repeated_prompt_is_refused_right_after_a_break(stage: Stage, body: bytes) -> None:
    """Chromium repeats a POST whose connection closed before the headers; upstream has already had it."""
    async with asyncio.TaskGroup() as page, stage.expect(b"hi") as turn:
        page.create_task(stage.page.post(RPC_URL, content=b"hi"))
        (await stage.upstream.next()).cut()
        with pytest.raises(StreamBroken):
            await turn.answer()
    again = await stage.page.post(RPC_URL, content=body)

    assert again.status_code == 409
    assert stage.upstream.arrived.empty()


async def test_a_prompt_whose_caller_left_is_refused(stage: Stage) -> None:
    """The page is late and nobody waits: nothing goes upstream unpatched."""
    async with stage.expect(b"left"):
        pass

    late = await stage.page.post(RPC_URL, content=b"left")

    assert late.status_code == 409
    assert stage.upstream.arrived.empty()


async def test_a_late_prompt_does_not_fail_who_waits(stage: Stage) -> None:
    """The next caller is not blamed for what the page still sends for the one before."""
    async with stage.expect(b"left"):
        pass

    async with asyncio.TaskGroup() as page, stage.expect(b"mine") as turn:
        late = await stage.page.post(RPC_URL, content=b"left")
        page.create_task(stage.page.post(RPC_URL, content=b"mine"))
        sent = await stage.upstream.next()
        sent.answer(200, b"fine")
        assert await (await turn.answer()).read_all() == b"fine"

    assert (late.status_code, sent.body) == (409, b"mine")
    assert stage.upstream.arrived.empty()


async def test_a_prompt_given_up_may_be_wanted_again(stage: Stage) -> None:
    """Whoever waits for the same prompt gets it."""
    async with stage.expect(b"afterwards"):
        pass

    await the_proxy_still_works(stage)


async def test_the_same_prompt_twice_at_once(stage: Stage) -> None:
    """Two callers may want the same: a body that a waiting turn recognises is its own, not a repetition."""
    async with asyncio.TaskGroup() as page:
        turns: list[Turn] = []
        for _ in range(2):
            async with stage.expect(b"hi") as turn:
                page.create_task(stage.page.post(RPC_URL, content=b"hi"))
                await turn.sent()
            turns.append(turn)
        for text in (b"a", b"b"):
            (await stage.upstream.next()).answer(200, text)

        assert [await (await turn.answer()).read_all() for turn in turns] == [b"a", b"b"]


async def test_other_traffic_does_not_meet_the_gate(stage: Stage) -> None:
    """A preflight, another host and another method of the service pass while a turn waits."""
    requests = [("OPTIONS", RPC_URL), ("POST", PAGE_URL), ("POST", RPC_URL.replace("GenerateContent", "ListModels"))]
    async with stage.expect(b"hi") as turn:
        for method, url in requests:
            answering = asyncio.create_task(stage.page.request(method, url, content=b"[]"))
            (await stage.upstream.next()).answer(200, b"[]")
            assert (await answering).status_code == 200

        assert not turn.failed


async def test_leaving_early_fails_the_turn(stage: Stage) -> None:
    """A caller that leaves before the page submitted frees the gate and hears no more."""
    async with stage.expect(b"hi") as turn:
        pass

    with pytest.raises(StreamBroken):
        await turn.sent()
    await the_proxy_still_works(stage)


async def test_a_cancelled_caller_frees_the_gate(stage: Stage) -> None:
    """Cancelled while it waits for the gate or holds it, a caller leaves it to the next."""

    async def wait() -> None:
        async with stage.expect(b"never") as turn:
            await turn.sent()

    callers = [asyncio.create_task(wait()) for _ in range(2)]
    await asyncio.sleep(0)
    for caller in reversed(callers):
        caller.cancel()
    await asyncio.wait(callers)

    await the_proxy_still_works(stage)


async def test_nothing_of_a_prompt_is_logged(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a refused prompt nor an answered one is in the log, at any level."""
    caplog.set_level(logging.DEBUG)
    async with stage.expect(b"typed"):
        await stage.page.post(RPC_URL, content=b"SECRET", headers={"cookie": "SID=SECRET"})
    await the_proxy_still_works(stage)

    assert "Refused a prompt" in caplog.text
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("studiogate")]
    assert "SECRET" not in "".join(ours)


async def test_a_repetition_is_forgotten() -> None:
    """A prompt may be sent again once its turn has ended well, or some time after it broke."""
    turns = Turns(buffer_limit=100, retry_window_s=0.0)
    turns.open()
    for reason in (None, "broke"):
        async with turns.expect(lambda _: True, lambda body: body) as turn:
            assert turns.admit(b"hi", no_cut) == Bound(turn=turn, body=b"hi")
        assert isinstance(turns.admit(b"hi", no_cut), Refused)
        turn.end(reason)

        assert turns.admit(b"hi", no_cut) is None


@pytest.mark.parametrize(("pressed", "given_up_s"), [(False, 60.0), (True, 0.0)])
async def test_what_can_not_come_late_is_not_refused(given_up_s: float, *, pressed: bool) -> None:
    """A prompt that was never submitted, or was given up long ago, is no prompt of ours."""
    turns = Turns(buffer_limit=100, given_up_s=given_up_s)
    turns.open()
    async with turns.expect(lambda _: True, lambda body: body, pressed=lambda: pressed):
        pass

    assert turns.admit(b"hi", no_cut) is None


async def test_a_callback_of_a_prompt_given_up_may_raise() -> None:
    """A body that it can't read is somebody else's."""
    turns = Turns(buffer_limit=100)
    turns.open()
    async with turns.expect(lambda body: bool(1 // len(body)), lambda body: body):
        pass

    assert turns.admit(b"", no_cut) is None
    assert isinstance(turns.admit(b"x", no_cut), Refused)


async def test_a_closed_gate_fails_at_once() -> None:
    """Before the start and after the stop nobody waits for a request that can't come."""
    turns = Turns(buffer_limit=100)
    async with turns.expect(lambda _: True, lambda body: body) as turn:
        with pytest.raises(StreamBroken, match="not running"):
            await turn.sent()


def no_cut() -> asyncio.Task[None]:
    """Stand for the abort of a flow that is not there."""
    raise NotImplementedError


async def the_proxy_still_works(stage: Stage) -> None:
    """Run one whole turn."""
    async with asyncio.TaskGroup() as page, stage.expect(b"afterwards") as turn:
        page.create_task(stage.page.post(RPC_URL, content=b"afterwards"))
        (await stage.upstream.next()).answer(200, b"fine")
        assert await (await turn.answer()).read_all() == b"fine"
