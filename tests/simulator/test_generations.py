"""The page's generations, and the builds between them, in a real browser."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

from studiogate_simulator.page_options import GENERATIONS

from .harness import Running, running
from .test_browser import NEW_CHAT, RUN, answered, log_of, play

pytestmark = pytest.mark.asyncio(loop_scope="session")

MODEL = "ms-run-settings .title"
LAST = 'ms-chat-turn:has([data-turn-role="Model"]):has(ms-text-chunk)'
TEXT = "textarea[aria-label='Enter a prompt'], textarea[aria-label='Start typing a prompt']"


async def build(context: BrowserContext, simulator: Running, **options: Any) -> Page:
    """Open a new chat of a build, with its model."""
    async with simulator.client() as client:
        (await client.put("/__sim/page", json=options)).raise_for_status()
    page = await context.new_page()
    await page.goto(NEW_CHAT, wait_until="domcontentloaded")
    await page.locator(MODEL).first.get_by_text("Gemini").wait_for()
    return page


async def ask(page: Page, prompt: str) -> None:
    """Type a prompt and run it."""
    await page.locator(TEXT).fill(prompt)
    await expect(page.locator(RUN)).to_have_attribute("aria-disabled", "false")
    await page.locator(RUN).click()


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_a_chat_in_every_generation(signed_in: BrowserContext, simulator: Running, generation: str) -> None:
    """A prompt is answered, its source can be read by editing and copying, and a call can be answered."""
    page = await build(signed_in, simulator, generation=generation)
    await play(simulator, text=["**so**"], thoughts=["hm"], when="one")
    await play(simulator, calls=[{"name": "f", "args": {}}], when="two", times=1)
    await ask(page, "one")
    await answered(page)
    answer = page.locator(LAST).last
    await answer.hover()
    await answer.get_by_label("Edit").click()
    await expect(answer.locator("textarea")).to_have_value("**so**")
    await answer.get_by_label("Stop editing").click()
    await answer.get_by_label("Open options").click()
    await page.get_by_role("menuitem", name=re.compile("copy markdown", re.IGNORECASE)).click()
    assert await page.evaluate("navigator.clipboard.readText()") == "**so**"

    await ask(page, "two")
    await page.locator("ms-function-call-chunk form :is(input, textarea)").fill("7")
    await page.locator("ms-function-call-chunk form button").click()
    await answered(page, turns=2)
    assert [record["prompt"] for record in await log_of(simulator)] == ["one", "two", ""]


@pytest.mark.parametrize(
    ("host", "selector"),
    [
        ("prompt_box", "ms-prompt-box .prompt-box-container"),
        ("input_wrapper", "ms-prompt-input-wrapper .prompt-input-wrapper ms-chunk-input"),
        ("chunk_editor", "ms-chunk-editor ms-chunk-input"),
    ],
)
async def test_hosts(signed_in: BrowserContext, simulator: Running, host: str, selector: str) -> None:
    """The composer's host is one of three, and none of the others; it is made anew for the first prompt."""
    page = await build(signed_in, simulator, generation="g2", composer_host=host)
    others = {"prompt_box": "ms-prompt-box", "input_wrapper": "ms-prompt-input-wrapper"}

    for name, other in others.items():
        await expect(page.locator(other)).to_have_count(1 if name == host else 0)
    await expect(page.locator(f"ms-zero-state {selector.rsplit(maxsplit=1)[-1]} textarea")).to_be_visible()
    await ask(page, "x")
    await answered(page)
    await expect(page.locator(f"footer {selector.rsplit(maxsplit=1)[-1]} textarea")).to_be_visible()


async def test_the_text_is_mirrored(signed_in: BrowserContext, simulator: Running) -> None:
    """Until the third generation an element around a text area repeats its text, in the composer and while editing."""
    page = await build(signed_in, simulator, generation="g1")
    await page.locator(TEXT).fill("a\nb")
    await expect(page.locator("ms-autosize-textarea")).to_have_attribute("data-value", "a\nb")
    await page.locator(RUN).click()
    await answered(page)
    await expect(page.locator("footer ms-autosize-textarea")).to_have_attribute("data-value", "")
    user = page.locator("ms-chat-turn").first
    await user.hover()
    await user.get_by_label("Edit").click()

    await expect(user.locator("ms-autosize-textarea")).to_have_attribute("data-value", "a\nb")


@pytest.mark.parametrize(
    ("generation", "kind", "label"),
    [("g1", "button", r"^\d+\.\ds$"), ("g2", "submit", "^Stop$"), ("g3", "submit", "^Stop$")],
)
async def test_run_button(
    signed_in: BrowserContext, simulator: Running, generation: str, kind: str, label: str
) -> None:
    """Older generations disable it natively; while generating it shows a timer or Stop, and a click ends the answer."""
    page = await build(signed_in, simulator, generation=generation)
    await play(simulator, text=["so far", "never"], hang_after_frames=1)
    run = page.locator(RUN)
    native = generation != "g3"
    await expect(run).to_have_attribute("aria-disabled", "true")
    assert (await run.get_attribute("disabled") is not None) is native
    await ask(page, "x")

    await expect(run).to_have_class(re.compile("stoppable"))
    await expect(run).to_have_attribute("type", kind)
    await expect(run.locator(".label, .run-button-label")).to_have_text(re.compile(label))
    await expect(run.locator(".stoppable-spinner")).to_have_count(1 if native else 0)
    await run.click()
    await expect(run.locator(".label, .run-button-label")).to_have_text("Run")
    assert (await run.get_attribute("aria-label")) == ("Run" if native else None)


async def test_only_the_combination_submits(signed_in: BrowserContext, simulator: Running) -> None:
    """In the first generation Enter begins a line, whatever the preference says."""
    page = await build(signed_in, simulator, generation="g1")
    await page.locator(TEXT).fill("a")
    await page.locator(TEXT).press("Enter")
    await expect(page.locator(RUN)).to_be_enabled()
    await page.locator(TEXT).press("Control+Enter")
    await answered(page)

    assert [record["prompt"] for record in await log_of(simulator)] == ["a\n"]


async def test_typing_with_keys(signed_in: BrowserContext, simulator: Running) -> None:
    """In some builds filled text counts only once a real key was pressed."""
    page = await build(signed_in, simulator, typing="keys")
    await page.locator(TEXT).fill("pasted")
    await page.locator(TEXT).dispatch_event("input")
    await expect(page.locator(RUN)).to_have_attribute("aria-disabled", "true")
    await page.locator(TEXT).press("End")

    await expect(page.locator(RUN)).to_have_attribute("aria-disabled", "false")


@pytest.mark.parametrize(("generation", "indicators"), [("g1", 0), ("g2", 1)])
async def test_temporary_chat_in_the_toolbar(
    signed_in: BrowserContext, simulator: Running, generation: str, indicators: int
) -> None:
    """Older generations toggle it in the toolbar; an active one is turned off by the same button."""
    page = await build(signed_in, simulator, generation=generation)
    toggle = page.locator('ms-incognito-mode-toggle > button[aria-label="Temporary chat toggle"]')
    await toggle.click()
    await expect(toggle).to_have_class(re.compile("ms-button-active"))
    await expect(page.locator("ms-incognito-mode-indicator")).to_have_count(indicators)
    await expect(page.locator(".page-title")).to_have_text("Temporary chat")
    await page.get_by_label("View more actions").click()
    await expect(page.get_by_label("Toggle temporary chat")).to_have_count(0)
    await page.keyboard.press("Escape")
    await toggle.click()

    await expect(toggle).not_to_have_class(re.compile("ms-button-active"))


@pytest.mark.parametrize(
    ("generation", "item"), [("g1", "Upload File"), ("g2", "Upload a file"), ("g3", "Upload files")]
)
async def test_uploads(
    signed_in: BrowserContext, simulator: Running, tmp_path: Path, generation: str, item: str
) -> None:
    """Files come through a chooser, an input in the menu, or one in the prompt box; each generation has its chips."""
    path = tmp_path / "a.txt"
    path.write_text("one two")
    page = await build(signed_in, simulator, generation=generation)
    trigger = page.locator("ms-add-chunk-menu button, ms-add-media-button button")
    await expect(page.locator("input[type=file]")).to_have_count(1 if generation == "g3" else 0)
    await trigger.click()
    entry = page.get_by_role("menuitem", name=item)
    if generation == "g2":
        await entry.locator("input[type=file]").set_input_files(path)
    else:
        async with page.expect_file_chooser() as chosen:
            await entry.click()
        await (await chosen.value).set_files(path)
    agree = page.get_by_label("Agree to the copyright acknowledgement")
    await agree.click()
    # A menu whose item holds the input is still open.
    if generation == "g2":
        await page.keyboard.press("Escape")

    ready = {
        "g1": "ms-prompt-input-wrapper ms-file-chunk:has(.name)",
        "g2": "ms-prompt-box .multi-media-row ms-media-chip:not(:has(mat-spinner))",
        "g3": "ms-prompt-box ms-prompt-media:has([data-test-id=token-count])",
    }
    await expect(page.locator(ready[generation])).to_have_count(1)
    await page.locator(RUN).click()
    await answered(page)
    assert [file["name"] for file in (await log_of(simulator))[0]["files"]] == ["a.txt"]


async def test_marks_of_turns(signed_in: BrowserContext, simulator: Running) -> None:
    """Only the third generation marks turns by their kind, and keeps an empty one; the first has no author."""
    seen: dict[str, tuple[int, int, int]] = {}
    for generation in GENERATIONS:
        page = await build(signed_in, simulator, generation=generation)
        await ask(page, "x")
        await answered(page)
        turns = page.locator("ms-chat-turn")
        marked = page.locator("ms-chat-turn:is([class*='-host'])")
        seen[generation] = (await turns.count(), await marked.count(), await page.locator(".author-label").count())

    assert seen == {"g1": (3, 0, 0), "g2": (3, 0, 3), "g3": (4, 3, 3)}


@pytest.mark.parametrize("card", ["id", "trigger"])
async def test_model_card(signed_in: BrowserContext, simulator: Running, card: str) -> None:
    """The card shows the model's id, or its title beside an agent that is not the chat's; both open the picker."""
    page = await build(signed_in, simulator, model_card=card)
    by_id = card == "id"
    await expect(page.locator("[data-test-id='model-name']")).to_have_count(1 if by_id else 0)
    await expect(page.locator("[data-test-id='agent-model-badge']")).to_have_count(0 if by_id else 1)
    await page.locator("button.model-selector-card" if by_id else "button.model-selector-trigger").click()
    await page.locator('[id="model-carousel-row-models/gemini-2.5-pro"]').click()

    await expect(page.locator(MODEL).first).to_have_text("Gemini 2.5 Pro")
    if by_id:
        await expect(page.locator("[data-test-id='model-name']")).to_have_text("gemini-2.5-pro")


async def test_settings_of_the_first_generation(signed_in: BrowserContext, simulator: Running) -> None:
    """Its controls have fewer marks, and do the same."""
    page = await build(signed_in, simulator, generation="g1")
    await expect(page.locator("[data-test-id=temperatureSliderContainer]")).to_have_count(0)
    await expect(page.locator("ms-prompt-box-tools")).to_have_count(0)
    await page.locator('ms-slider input[type=number][max="2"]').fill("0.5")
    await page.get_by_label("Thinking level", exact=True).click()
    await page.get_by_role("option", name="Low").click()
    await page.get_by_role("switch", name="Grounding with Google Search").click()
    await ask(page, "x")
    await answered(page)

    [record] = await log_of(simulator)
    assert record["config"]["temperature"] == 0.5
    assert record["config"]["thinking"] == {"include_thoughts": True, "level": "LOW"}
    assert record["tools"] == []


async def test_generation_at_the_start() -> None:
    """The generation given on the command line is what pages are that name none."""
    with running("--generation", "g1") as simulator:
        async with simulator.client() as client:
            usual = (await client.get("/__sim/page")).json()
            newer = (await client.put("/__sim/page", json={"generation": "g3"})).json()

    assert (usual["generation"], usual["composer_host"]) == ("g1", "input_wrapper")
    assert (newer["generation"], newer["composer_host"]) == ("g3", "prompt_box")
