"""Faults in the page of every generation, in a real browser."""

import pytest
from playwright.async_api import BrowserContext, Page, expect

from .harness import Running
from .test_browser import RUN, answered, log_of, play
from .test_faults_browser import fault, what_lies_over
from .test_generations import LAST, TEXT, ask, build

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    # The third is that of all other tests.
    pytest.mark.parametrize("generation", ["g1", "g2"]),
]


async def test_over_run(signed_in: BrowserContext, simulator: Running, generation: str) -> None:
    """Bar and tooltip lie over this Run, too, wherever it is."""
    page = await build(signed_in, simulator, generation=generation)
    await fault(simulator, "cookie_bar")
    await fault(simulator, "run_tooltip")
    await page.locator(TEXT).fill("x")
    await expect(page.locator(".mdc-tooltip")).to_be_visible()
    await page.mouse.move(0, 0)
    await expect(page.locator(".mdc-tooltip")).to_have_count(0)
    assert await what_lies_over(page, RUN)

    await page.locator(".glue-cookie-notification-bar__accept").click()

    await page.locator(RUN).click()
    await answered(page)


async def test_the_composer(signed_in: BrowserContext, simulator: Running, generation: str) -> None:
    """It is rendered anew in its own host, and Run is disabled as this generation does it."""
    page = await build(signed_in, simulator, generation=generation)
    await fault(simulator, "composer_recreated")
    await page.locator(TEXT).fill("lost")
    await expect(page.locator(TEXT)).to_have_value("")
    await ask(page, "kept")
    await answered(page)
    await fault(simulator, "no_api_key")
    await page.locator(TEXT).fill("unsent")

    await expect(page.locator("button[aria-label='No API key selected']")).to_be_visible()
    await expect(page.locator(RUN)).to_be_disabled()
    assert [record["prompt"] for record in await log_of(simulator)] == ["kept"]


async def test_the_turn(signed_in: BrowserContext, simulator: Running, generation: str) -> None:
    """Votes, stuck spinners and errors are found in these turns, too."""
    page = await build(signed_in, simulator, generation=generation)
    await play(simulator, text=["either"], times=1, page={"fault": "preference_vote"})
    await play(simulator, text=["stuck"], times=1, page={"fault": "stuck_spinner"})
    await play(simulator, text=["unseen"], times=1, page={"fault": "model_error"})
    await ask(page, "one")
    await expect(page.locator("[data-turn-role='Model']")).to_have_count(0)
    await page.get_by_label("Skip preference vote").click()
    await expect(page.locator(LAST).last).to_contain_text("either")
    await ask(page, "two")
    await expect(page.locator(LAST).last).to_contain_text("stuck")
    await _generating(page)
    await page.locator(RUN).click()
    await ask(page, "three")

    await expect(page.locator(".model-error")).to_have_text("An internal error has occurred.")


async def _generating(page: Page) -> None:
    await expect(page.locator(f"{RUN}.stoppable")).to_have_count(1)


@pytest.mark.parametrize("name", ["large_container", "stop_gone_early"])
async def test_the_text(signed_in: BrowserContext, simulator: Running, generation: str, name: str) -> None:
    """It comes in another shape, or late."""
    page = await build(signed_in, simulator, generation=generation)
    await play(simulator, text=["one ", "two ", "three"], page={"fault": name})
    await ask(page, "x")
    await answered(page)

    await expect(page.locator(LAST).last).to_contain_text("one two three")
