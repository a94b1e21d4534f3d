"""The page in a real browser, as a driver meets it."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from .harness import Running, until_logged

pytestmark = pytest.mark.asyncio(loop_scope="session")

NEW_CHAT = "https://aistudio.google.com/prompts/new_chat"
COMPOSER = 'ms-prompt-box textarea[formcontrolname="promptText"][aria-label="Enter a prompt"]'
RUN = "ms-run-button button"
ANSWER = 'ms-chat-turn.text-chunk-host:has([data-turn-role="Model"])'


async def play(simulator: Running, **scenario: Any) -> None:
    """Post a scenario."""
    async with simulator.client() as client:
        (await client.post("/__sim/scenarios", json=scenario)).raise_for_status()


async def log_of(simulator: Running) -> list[dict[str, Any]]:
    """Fetch the log."""
    async with simulator.client() as client:
        records: list[dict[str, Any]] = (await client.get("/__sim/log")).json()
        return records


async def submit(page: Page, prompt: str) -> None:
    """Type a prompt and click Run."""
    await page.locator(COMPOSER).fill(prompt)
    await expect(page.locator(RUN)).to_have_attribute("aria-disabled", "false")
    await page.locator(RUN).click()


async def answered(page: Page, turns: int = 1) -> None:
    """Wait until that many answers are finished."""
    await expect(page.get_by_label("Good response")).to_have_count(turns)


async def test_signed_out(browser: Browser) -> None:
    """Without the account's cookies the page leads to the sign-in form."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(NEW_CHAT)

    assert page.url.startswith("https://accounts.google.com/ServiceLogin?")
    assert await page.title() == "Sign in"
    await expect(page.locator("input#identifierId")).to_be_visible()
    await context.close()


async def test_models_are_asked_for_twice(signed_in: BrowserContext) -> None:
    """On load the page sends real preflights and asks for the models twice."""
    page = await signed_in.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(NEW_CHAT, wait_until="domcontentloaded")
    await expect(page.locator("ms-model-selector .title")).to_have_text("Gemini 3 Flash Preview")

    assert sum("MakerSuiteService/ListModels" in url for url in asked) == 2


async def test_submit_and_answer(page: Page, simulator: Running) -> None:
    """A typed prompt becomes a user turn, a thoughts turn and an answer turn, and reaches the server as typed."""
    await submit(page, "Hello otters")
    await answered(page)

    [record] = await log_of(simulator)
    assert record["prompt"] == "Hello otters"
    assert record["model"] == "gemini-3-flash-preview"
    assert record["tools"] == [{"google_search": {}}]
    await expect(page.locator(COMPOSER)).to_have_value("")
    await expect(page.locator("ms-chat-turn.thought-activity-host")).to_have_count(1)
    await expect(page.locator(ANSWER)).to_contain_text("gemini-3-flash-preview")
    await expect(page.locator(".cdk-live-announcer-element")).to_have_text("Response ready.")
    await expect(page.locator('[data-turn-role="User"]')).to_have_count(2)


async def test_run_button(page: Page, simulator: Running) -> None:
    """Run is disabled by ARIA alone, becomes Stop while generating, and is disabled again at the end."""
    await play(simulator, text=["a", "b"], chunk_delay_ms=300)
    run = page.locator(RUN)
    await expect(run).to_have_attribute("aria-disabled", "true")
    assert await run.get_attribute("disabled") is None
    await submit(page, "x")

    await expect(page.locator(".run-button-label")).to_have_text("Stop")
    await expect(run).to_have_class(re.compile("stoppable"))
    await expect(run).to_have_attribute("type", "submit")
    await answered(page)
    await expect(page.locator(".run-button-label")).to_have_text("Run")
    await expect(run).to_have_attribute("aria-disabled", "true")


async def test_only_input_events_count(page: Page) -> None:
    """A value that is set without an event is not seen."""
    await page.locator(COMPOSER).evaluate("element => { element.value = 'unseen'; }")
    await expect(page.locator(RUN)).to_have_attribute("aria-disabled", "true")

    await page.locator(COMPOSER).dispatch_event("input")
    await expect(page.locator(RUN)).to_have_attribute("aria-disabled", "false")
    await expect(page.locator(".v3-token-count-value")).to_have_text("1")


async def test_stop_is_an_abort(page: Page, simulator: Running) -> None:
    """Stop ends the request, which the server sees at once; what was said stays."""
    await play(simulator, text=["so far", "never"], hang_after_frames=1)
    await submit(page, "x")
    await expect(page.locator(ANSWER)).to_contain_text("so far")
    await page.locator(RUN).click()

    await expect(page.locator(".run-button-label")).to_have_text("Run")
    async with simulator.client() as client:
        await until_logged(client, "aborted_at")
    await expect(page.locator(ANSWER)).to_contain_text("so far")


async def test_keys(signed_in: BrowserContext, page: Page, simulator: Running) -> None:
    """Enter submits, or with the other preference only Ctrl+Enter, which the button shows."""
    ready = expect(page.locator(RUN))
    await page.locator(COMPOSER).fill("one")
    await ready.to_have_attribute("aria-disabled", "false")
    await page.locator(COMPOSER).press("Enter")
    await answered(page)
    await page.evaluate(
        "localStorage.aiStudioUserPreference = JSON.stringify("
        "{...JSON.parse(localStorage.aiStudioUserPreference), enterKeyBehavior: 2})"
    )
    await page.reload()
    await page.locator(COMPOSER).fill("two")
    await page.locator(COMPOSER).press("Enter")

    await expect(page.locator("button.ctrl-enter-submits")).to_be_visible()
    await expect(page.locator(COMPOSER)).to_have_value("two\n")
    await ready.to_have_attribute("aria-disabled", "false")
    await page.locator(COMPOSER).press("Control+Enter")
    await answered(page)
    assert [record["prompt"] for record in await log_of(simulator)] == ["one", "two\n"]


async def test_second_turn_replays_the_first(page: Page, simulator: Running) -> None:
    """A second turn goes with a proof over the whole history and names the response before it."""
    await submit(page, "one")
    await answered(page)
    await submit(page, "two")
    await answered(page, turns=2)

    first, second = await log_of(simulator)
    assert first["previous_response_id"] is None
    assert second["prompt"] == "two"
    assert second["status"] == 200
    assert second["previous_response_id"].startswith("v1_")


async def test_edit_shows_the_source(page: Page, simulator: Running) -> None:
    """Editing a turn shows its markdown as the model wrote it."""
    source = "# Title\n\n- **bold** `code`\n\n```py\nx = 1\n```"
    await play(simulator, text=[source[:9], source[9:]])
    await submit(page, "x")
    await answered(page)
    await page.locator(ANSWER).hover()
    await page.locator(ANSWER).get_by_label("Edit").click()

    await expect(page.locator(ANSWER).locator("textarea")).to_have_value(source)
    await page.locator(ANSWER).get_by_label("Stop editing").click()
    await expect(page.locator(ANSWER).locator("textarea")).to_have_count(0)


async def test_copy_markdown(page: Page, simulator: Running) -> None:
    """The options menu copies the source; its backdrop covers the page while it is open."""
    await play(simulator, text=["**bold**"])
    await submit(page, "x")
    await answered(page)
    await page.locator(ANSWER).hover()
    await page.locator(ANSWER).get_by_label("Open options").click()
    await expect(page.locator(".cdk-overlay-transparent-backdrop")).to_be_visible()
    await page.get_by_role("menuitem", name="Copy markdown").click()

    await expect(page.locator(".cdk-overlay-backdrop")).to_have_count(0)
    assert await page.evaluate("navigator.clipboard.readText()") == "**bold**"


async def test_new_chat_asks_before_it_discards(page: Page) -> None:
    """New chat is disabled while there is nothing, and asks before it drops an unsaved chat."""
    new_chat = page.get_by_role("button", name="New chat")
    await expect(new_chat).to_be_disabled()
    await submit(page, "x")
    await answered(page)
    await new_chat.click()
    await page.get_by_role("button", name="Discard and continue").click()

    await expect(page.locator("ms-zero-state")).to_be_visible()
    await expect(page.locator("ms-chat-turn")).to_have_count(0)


async def test_temporary_chat(page: Page) -> None:
    """The overflow menu turns the temporary chat on and stays open over the page until Escape."""
    await page.get_by_label("View more actions").click()
    toggle = page.get_by_label("Toggle temporary chat")
    await toggle.click()
    await expect(toggle.locator("[data-test-incognito-checkmark]")).to_be_visible()
    await page.keyboard.press("Escape")

    await expect(page.locator(".cdk-overlay-backdrop")).to_have_count(0)
    await expect(page.locator('ms-incognito-mode-indicator [data-test-id="main-text"]')).to_have_text("Temporary chat")


async def test_address_chooses(signed_in: BrowserContext) -> None:
    """The address opens a temporary chat with a model of choice."""
    page = await signed_in.new_page()
    await page.goto(f"{NEW_CHAT}?incognito=true&model=gemini-2.5-pro", wait_until="domcontentloaded")

    await expect(page.locator("ms-model-selector .title")).to_have_text("Gemini 2.5 Pro")
    await expect(page.locator("ms-incognito-mode-indicator")).to_be_visible()


async def test_settings_reach_the_request(page: Page, simulator: Running) -> None:
    """What is set in the panel is what the server receives."""
    await page.locator('[data-test-id="temperatureSliderContainer"] input.slider-number-input').fill("0.3")
    await page.locator('[mattooltip^="Probability"] input.slider-number-input').fill("0.5")
    await page.get_by_label("Maximum output tokens").fill("300")
    await page.get_by_label("Add stop token").fill("ZZZ")
    await page.get_by_label("Add stop token").press("Enter")
    await page.get_by_role("switch", name="Grounding with Google Search").click()
    await page.locator("button.system-instructions-card").click()
    await page.locator("textarea.in-run-settings").fill("be brief")
    await expect(page.locator(".saving-status")).to_have_text("Saved")
    await page.get_by_label("Close panel").click()
    await submit(page, "x")
    await answered(page)

    [record] = await log_of(simulator)
    assert record["system"] == "be brief"
    assert record["tools"] == []
    assert record["config"] == {
        "stop_sequences": ["ZZZ"],
        "max_output_tokens": 300,
        "temperature": 0.3,
        "top_p": 0.5,
        "top_k": 64,
        "thinking": {"include_thoughts": True, "level": "HIGH"},
    }


async def test_numbers_are_put_right(page: Page) -> None:
    """A value out of range is clamped when its field is left."""
    field = page.get_by_label("Maximum output tokens")
    await field.fill("99999999")
    await field.blur()

    await expect(field).to_have_value("65536")


async def test_model_picker(page: Page, simulator: Running) -> None:
    """A model chosen in the picker brings its own defaults."""
    await page.get_by_label("Select primary model").click()
    await page.get_by_placeholder("Search for a model").fill("2.5-flash-lite")
    await page.locator('[id="model-carousel-row-models/gemini-2.5-flash-lite"]').click()
    await submit(page, "x")
    await answered(page)

    [record] = await log_of(simulator)
    assert record["model"] == "gemini-2.5-flash-lite"
    assert record["config"]["thinking"] == {"include_thoughts": False, "budget": 0}


async def test_quota(page: Page, simulator: Running) -> None:
    """A quota error shows as a toast and as a callout."""
    await play(simulator, http_status=429, status=[8, "quota"])
    await submit(page, "x")

    await expect(page.locator("ms-toast .toast.error .content-text")).to_contain_text("user has exceeded quota")
    await expect(page.locator("ms-callout.error-callout .message")).to_contain_text("rate limit")
    await expect(page.locator(".run-button-label")).to_have_text("Run")


async def test_permission_denied(page: Page, simulator: Running) -> None:
    """A 403 shows as a toast."""
    await play(simulator, http_status=403, status=[7, "no"])
    await submit(page, "x")

    await expect(page.locator("ms-toast .toast.error .content-text")).to_contain_text("permission denied")


async def test_broken_stream(page: Page, simulator: Running) -> None:
    """A stream that breaks off leaves what it said, and an error in the turn."""
    await play(simulator, text=["half", "never"], cut_after_frames=1, chunk_delay_ms=200)
    await submit(page, "x")

    await expect(page.locator(".model-error")).to_have_text("An internal error has occurred.")
    await expect(page.locator(ANSWER)).to_contain_text("half")


async def test_function_call(page: Page, simulator: Running) -> None:
    """A function call stands in a turn after the text; nothing is rated before it is answered."""
    await play(simulator, text=["I will look."], calls=[{"name": "weather", "args": {"city": "Oslo"}}])
    await submit(page, "x")

    call = page.locator("ms-function-call-chunk")
    await expect(call.locator("mat-panel-title span:not(.material-symbols-outlined)")).to_have_text("weather")
    await expect(call.locator("pre code")).to_have_text('{\n  "city": "Oslo"\n}')
    await expect(page.locator(ANSWER)).to_contain_text("I will look.")
    await expect(page.locator(".run-button-label")).to_have_text("Run")
    await expect(page.get_by_label("Good response")).to_have_count(0)


async def test_narrow_window(page: Page) -> None:
    """Below 960 pixels there is no settings panel in the document."""
    await page.set_viewport_size({"width": 800, "height": 800})

    await expect(page.locator("ms-run-settings")).to_have_count(0)
    await page.get_by_label("Toggle run settings panel").click()
    await expect(page.locator("ms-run-settings")).to_be_visible()


async def test_trusted_types(page: Page) -> None:
    """The page's policy refuses strings of HTML."""
    assert (
        await page.evaluate("() => { try { document.body.innerHTML = 'x'; } catch (error) { return error.name; } }")
        == "TypeError"
    )
