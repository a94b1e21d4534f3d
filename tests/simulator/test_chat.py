"""Turns of a chat in a real browser: what they hold, and what becomes of them when they are out of sight."""

import base64

import pytest
from playwright.async_api import Page, expect

from .harness import Running
from .test_browser import ANSWER, answered, log_of, play, submit

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALL = "ms-prompt-chunk:has(ms-function-call-chunk)"
FIELD = 'input[placeholder="Enter function response"]'
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


async def test_calls_are_answered_together(page: Page, simulator: Running) -> None:
    """The model goes on once the last of several calls is answered; it gets the responses in their order."""
    await play(simulator, calls=[{"name": "f", "args": {"a": [1, None]}}, {"name": "g"}], times=1)
    await submit(page, "x")
    await expect(page.locator(f"{CALL} {FIELD}")).to_have_count(2)
    await page.locator(FIELD).nth(1).fill("plain")
    await page.locator(f"{CALL} form button").nth(1).click()
    await expect(page.locator(FIELD).nth(1)).to_be_disabled()
    assert len(await log_of(simulator)) == 1
    await page.locator(FIELD).nth(0).fill('{"b": true}')
    await page.locator(FIELD).nth(0).press("Enter")
    await answered(page)

    asked, told = await log_of(simulator)
    assert (asked["prompt"], asked["responses"]) == ("x", [])
    assert (told["prompt"], told["status"]) == ("", 200)
    assert [(each["name"], each["response"]) for each in told["responses"]] == [
        ("f", {"b": True}),
        ("g", {"output": "plain"}),
    ]


async def test_response_in_a_text_area(page: Page, simulator: Running) -> None:
    """Older builds take the response in a text area; only what an event told of is sent."""
    async with simulator.client() as client:
        (await client.put("/__sim/page", json={"function_response": "textarea"})).raise_for_status()
    await page.reload()
    await play(simulator, calls=[{"name": "f"}], times=1)
    await submit(page, "x")
    field = page.locator(f"{CALL} textarea")
    await field.evaluate("element => { element.value = 'unseen'; }")
    await expect(page.locator(f"{CALL} form button")).to_have_attribute("aria-disabled", "true")
    await field.fill("seen")
    await page.locator(f"{CALL} form button").click()
    await answered(page)

    assert (await log_of(simulator))[-1]["responses"][0]["response"] == {"output": "seen"}


async def test_code_and_media(page: Page, simulator: Running) -> None:
    """Code that was run, what came of it, text and files stand in an answer in the order they came."""
    sound = base64.b64encode(b"not really").decode()
    await play(
        simulator,
        code=[{"code": "print(1)", "output": "1"}, {"code": "1/0", "output": "ZeroDivisionError", "succeeded": False}],
        text=["done"],
        media=[{"mime": "image/png", "data": PNG}, {"mime": "audio/wav", "data": sound}],
    )
    await submit(page, "x")
    await answered(page)

    chunks: list[str] = await page.locator(ANSWER).evaluate(
        "turn => [...turn.querySelectorAll('ms-prompt-chunk')].map((chunk) => chunk.firstElementChild.localName)"
    )
    assert chunks == [
        *["ms-executable-code-chunk", "ms-code-execution-result-chunk"] * 2,
        *["ms-text-chunk", "ms-image-chunk", "ms-audio-chunk"],
    ]
    await expect(page.locator("ms-executable-code-chunk").first.locator("pre code")).to_have_text("print(1)")
    await expect(page.locator("ms-code-execution-result-chunk.failed code")).to_have_text("ZeroDivisionError")
    assert await page.locator(f"{ANSWER} img.loaded-image").evaluate("image => image.decode().then(() => true)")


async def test_turns_out_of_sight_lose_their_body(page: Page, simulator: Running) -> None:
    """They keep their host and their height, and have the body again when they are scrolled to."""
    await play(simulator, text=[f"line {number}\n\n" for number in range(200)], chunk_delay_ms=0)
    await submit(page, "first words")
    await answered(page)
    user = page.locator("ms-chat-turn").first

    await expect(user).to_have_class("text-chunk-host")
    await expect(user.locator(".turn-content > *")).to_have_count(0)
    await expect(user.locator("div[style*=height]")).to_have_count(1)
    await user.scroll_into_view_if_needed()
    await expect(user.locator("ms-text-chunk")).to_have_text("first words")


async def test_large_and_growing_texts_are_plain(page: Page, simulator: Running) -> None:
    """Very large texts stand in a container of their own; in some builds all do while they grow."""
    async with simulator.client() as client:
        (await client.put("/__sim/page", json={"large_text": 40, "streams_plain": True})).raise_for_status()
    await page.reload()
    await play(simulator, text=["**small** ", "one"], chunk_delay_ms=500, when="small")
    await play(simulator, text=["**large** " * 5], when="large")
    await submit(page, "small")
    await expect(page.locator(f"{ANSWER} .very-large-text-container")).to_have_text("**small** ")
    await answered(page)

    await expect(page.locator(f"{ANSWER} ms-cmark-node strong")).to_have_text("small")
    await submit(page, "large")
    await answered(page, turns=2)
    await expect(page.locator(f"{ANSWER} .very-large-text-container")).to_have_count(1)


async def test_thoughts_inside_the_answer(page: Page, simulator: Running) -> None:
    """Some builds have the thoughts in the answer's turn; either way they are closed at first."""
    async with simulator.client() as client:
        (await client.put("/__sim/page", json={"thoughts": "inside"})).raise_for_status()
    await page.reload()
    await play(simulator, thoughts=["**Plan**\n\nhm"], text=["said"])
    await submit(page, "x")
    await answered(page)

    await expect(page.locator("ms-chat-turn.thought-activity-host")).to_have_count(0)
    await expect(page.locator(f"{ANSWER} ms-thought-chunk .mat-expansion-panel-body")).to_have_count(0)
    await page.locator(f"{ANSWER} ms-thought-chunk").get_by_role("button").click()
    await expect(page.locator(f"{ANSWER} .thought-text")).to_have_text("Planhm")


async def test_blocked_prompt(page: Page, simulator: Running) -> None:
    """A prompt that is refused for what it says has an answer turn that tells so, and nothing to rate."""
    await play(simulator, blocked=4)
    await submit(page, "x")

    await expect(page.locator(f"{ANSWER} .model-error")).to_contain_text("The prompt could not be submitted")
    await expect(page.locator(".run-button-label")).to_have_text("Run")
    await expect(page.get_by_label("Good response")).to_have_count(0)
