"""Options of the page, in a real browser where it shows there."""

import re

import pytest
from playwright.async_api import BrowserContext, expect

from studiogate_simulator.page_options import GENERATIONS, PageOptions, for_page, settled

from .harness import Running
from .test_browser import NEW_CHAT, RUN, answered, log_of, submit
from .test_generations import build

browsing = pytest.mark.asyncio(loop_scope="session")
BUDGET = "[data-test-id=user-setting-budget-animation-wrapper] input[type=number]"


@pytest.mark.parametrize("generation", GENERATIONS)
def test_nothing_stays_open(generation: str) -> None:
    """A settled page has a value for all that a generation decides."""
    chosen = settled(PageOptions(), generation)

    assert chosen.generation == generation
    assert [name for name, value in for_page(chosen).items() if value is None] == ["seed"]


def test_what_is_set_stays() -> None:
    """What is set goes before what the generation has."""
    chosen = settled(PageOptions(generation="g1", model_card="trigger"), "g3")

    assert (chosen.generation, chosen.model_card, chosen.composer_host) == ("g1", "trigger", "input_wrapper")


@browsing
@pytest.mark.parametrize(("lang", "run", "rate"), [("de", "Ausführen", "Gute Antwort"), ("zh", "运行", "有帮助")])
async def test_language(signed_in: BrowserContext, simulator: Running, lang: str, run: str, rate: str) -> None:
    """In another language the labels are others; what people and models write is not translated."""
    page = await build(signed_in, simulator, lang=lang)
    await expect(page.locator("html")).to_have_attribute("lang", lang)
    await expect(page.locator(".run-button-label")).to_have_text(run)
    await page.locator("ms-prompt-box textarea").fill("Run")
    await page.locator(RUN).click()
    await expect(page.get_by_label(rate, exact=True)).to_be_visible()

    await expect(page.get_by_label("Edit", exact=True)).to_have_count(0)
    await expect(page.locator("ms-chat-turn").first.locator("ms-text-chunk")).to_have_text("Run")


@browsing
async def test_seed(signed_in: BrowserContext, simulator: Running) -> None:
    """With a seed two pages have the same ids."""
    ids: list[str | None] = []
    for _ in range(2):
        page = await build(signed_in, simulator, seed=7)
        await submit(page, "x")
        await answered(page)
        ids.append(await page.locator("ms-chat-turn").first.get_attribute("id"))

    assert ids[0] == ids[1]
    assert re.fullmatch(r"turn-[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-8[0-9A-F]{3}-[0-9A-F]{12}", str(ids[0]))


@browsing
async def test_policy_and_guard(signed_in: BrowserContext, simulator: Running) -> None:
    """Without trusted types strings of HTML are taken; a guarded list of models is read all the same."""
    page = await build(signed_in, simulator, trusted_types=False, models_guard=True)

    assert await page.evaluate("() => { document.querySelector('footer').innerHTML = '<b>x</b>'; return true; }")


@browsing
async def test_the_log_tells_the_generation(signed_in: BrowserContext, simulator: Running) -> None:
    """It is that of the page that asked, whatever the next one will be."""
    page = await build(signed_in, simulator, generation="g2")
    await build(signed_in, simulator, generation="g3")
    await page.locator("ms-prompt-box textarea").fill("x")
    await page.locator(RUN).click()
    await answered(page)

    assert [record["generation"] for record in await log_of(simulator)] == ["g2"]


@browsing
async def test_latencies(signed_in: BrowserContext, simulator: Running) -> None:
    """How long a large prompt takes, and how late tokens are counted, can be set."""
    page = await build(signed_in, simulator, typing_ms=1_000_000, count_ms=0)
    await page.locator("ms-prompt-box textarea").fill("small")
    await expect(page.locator(".v3-token-count-value")).to_have_text("1")
    await page.locator("ms-prompt-box textarea").fill("large " * 5000)

    await expect(page.locator(RUN)).to_have_attribute("aria-disabled", "true")


@browsing
async def test_tooltip(signed_in: BrowserContext, simulator: Running) -> None:
    """Run is explained while the mouse rests on it."""
    page = await build(signed_in, simulator)
    await page.locator(RUN).hover()
    await expect(page.locator(".mat-mdc-tooltip-panel")).to_have_text("Run prompt")
    await page.mouse.move(0, 0)

    await expect(page.locator(".mat-mdc-tooltip-panel")).to_have_count(0)


@browsing
async def test_budgets_are_remembered(signed_in: BrowserContext, simulator: Running) -> None:
    """A budget that was chosen for a model is there again when the page is loaded anew; the page reads it at start."""
    await build(signed_in, simulator)
    page = await signed_in.new_page()
    await page.goto(f"{NEW_CHAT}?model=gemini-2.5-pro", wait_until="domcontentloaded")
    await page.get_by_role("switch", name="Toggle thinking budget").click()
    await page.locator(BUDGET).fill("1024")
    await page.locator(BUDGET).blur()
    await page.reload()

    await expect(page.locator(BUDGET)).to_have_value("1024")


@browsing
async def test_preferred_models_that_are_gone(signed_in: BrowserContext, simulator: Running) -> None:
    """A preferred model that isn't listed gives way to the service's own choice, also in the preferences."""
    page = await build(signed_in, simulator)
    await page.evaluate("localStorage.aiStudioUserPreference = JSON.stringify({promptModel: 'models/gone', other: 1})")
    await page.reload()
    await expect(page.locator("ms-model-selector .title")).to_have_text("Gemini 3 Flash Preview")
    kept: dict[str, object] = await page.evaluate("JSON.parse(localStorage.aiStudioUserPreference)")

    assert (kept["promptModel"], kept["other"]) == ("models/gemini-3-flash-preview", 1)


@browsing
async def test_collapsed_groups(signed_in: BrowserContext, simulator: Running) -> None:
    """A group that is closed has no controls in the document; which are open is a preference."""
    page = await build(signed_in, simulator)
    await page.get_by_label("Expand or collapse tools").click()
    await expect(page.get_by_role("switch", name="Code execution")).to_have_count(0)
    await page.reload()
    await expect(page.locator(".settings-group-header")).to_have_count(2)
    await expect(page.get_by_role("switch", name="Code execution")).to_have_count(0)
    await page.get_by_label("Expand or collapse tools").click()

    await expect(page.get_by_role("switch", name="Code execution")).to_be_visible()


@browsing
async def test_controls_by_model(signed_in: BrowserContext, simulator: Running) -> None:
    """Which controls there are depends on the model."""
    page = await build(signed_in, simulator)
    seen: dict[str, list[int]] = {}
    for model in ("gemma-3-27b-it", "gemini-2.5-flash", "gemini-2.5-pro", "gemini-3.5-flash", "gemini-2.0-flash"):
        await page.goto(f"{NEW_CHAT}?model={model}", wait_until="domcontentloaded")
        await page.locator(".settings-group-header").first.wait_for()
        named = ("Temperature", "Toggle thinking mode", "Toggle thinking budget", "Thinking Level", "Media Resolution")
        labels = [page.locator(f"ms-run-settings [aria-label^='{name}']") for name in named]
        seen[model] = [await label.count() for label in labels]

    assert seen == {
        "gemma-3-27b-it": [1, 0, 0, 0, 0],
        "gemini-2.5-flash": [1, 1, 1, 0, 1],
        "gemini-2.5-pro": [1, 0, 1, 0, 1],
        "gemini-3.5-flash": [0, 0, 0, 1, 1],
        "gemini-2.0-flash": [1, 0, 0, 0, 1],
    }


@browsing
async def test_picker(signed_in: BrowserContext, simulator: Running) -> None:
    """It shows a few models, all of them on demand; those that cannot chat are disabled, and it can be closed."""
    page = await build(signed_in, simulator)
    rows = page.locator("ms-model-carousel-row button.content-button")
    await page.get_by_label("Select primary model").click()
    await expect(rows).to_have_count(4)
    await page.get_by_role("button", name="All", exact=True).click()
    imagen = page.locator('[id="model-carousel-row-models/imagen-4.0-generate-001"]')
    await expect(imagen).to_have_attribute("aria-disabled", "true")
    await imagen.dispatch_event("click")
    await expect(rows.filter(has_text="Gemma")).to_have_count(2)
    await page.get_by_label("Close panel").click()

    await expect(rows).to_have_count(0)
    await expect(page.locator("ms-model-selector .title")).to_have_text("Gemini 3 Flash Preview")


@browsing
async def test_narrow_toolbar(signed_in: BrowserContext, simulator: Running) -> None:
    """Up to 710 pixels neither the title nor the token count is to be seen."""
    page = await build(signed_in, simulator)
    await page.set_viewport_size({"width": 710, "height": 800})

    await expect(page.locator(".page-title")).to_be_hidden()
    await expect(page.locator(".v3-token-count-value")).to_be_hidden()


@browsing
async def test_renewed_chats(signed_in: BrowserContext, simulator: Running) -> None:
    """A new chat is neither temporary nor does it call functions; saved chats are left without a question."""
    page = await build(signed_in, simulator)
    await page.evaluate(
        "localStorage.aiStudioUserPreference = JSON.stringify("
        "{...JSON.parse(localStorage.aiStudioUserPreference), autosaveEnabled: true})"
    )
    await page.reload()
    await page.get_by_role("switch", name="Grounding with Google Search").click()
    await page.get_by_role("switch", name="Function calling").click()
    await submit(page, "x")
    await answered(page)
    await expect(page).to_have_url(re.compile("/prompts/[0-9a-f]{32}$"))
    await page.get_by_role("button", name="New chat").click()
    await expect(page.locator("ms-zero-state")).to_be_visible()

    await expect(page).to_have_url(re.compile("/prompts/new_chat$"))
    await expect(page.get_by_role("switch", name="Function calling")).to_have_attribute("aria-checked", "false")
    await expect(page.get_by_role("switch", name="Grounding with Google Search")).to_have_attribute(
        "aria-checked", "false"
    )
