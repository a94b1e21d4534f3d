"""The system instructions' panel in a real browser."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from .harness import Running
from .test_browser import answered, log_of, submit

pytestmark = pytest.mark.asyncio(loop_scope="session")

CARD = "button.system-instructions-card"
TEXT = "ms-system-instructions textarea"


async def presets(page: Page) -> list[dict[str, Any]]:
    """Read what is stored."""
    stored: str = await page.evaluate("localStorage.aistudio_all_system_instructions ?? '[]'")
    read: list[dict[str, Any]] = json.loads(stored)
    return read


async def test_instructions_are_kept(page: Page, simulator: Running) -> None:
    """A text saves itself as a preset, is previewed, and is there again in the next page and its request."""
    await page.locator(CARD).click()
    await page.locator(TEXT).fill("be brief")
    await expect(page.locator(".saving-status")).to_have_text("Saved")
    await page.get_by_label("Close panel").click()
    await expect(page.locator(f"{CARD} .subtitle")).to_have_text("be brief")
    assert [each["text"] for each in await presets(page)] == ["be brief"]
    await page.reload()
    await expect(page.locator(f"{CARD} .subtitle")).to_have_text("be brief")
    await submit(page, "x")
    await answered(page)

    assert (await log_of(simulator))[0]["system"] == "be brief"


async def test_presets(page: Page) -> None:
    """What is typed goes into the chosen preset; a new instruction leaves that alone."""
    await page.locator(CARD).click()
    await page.locator(TEXT).fill("first")
    await expect(page.locator(".saving-status")).to_have_text("Saved")
    await page.get_by_label("Close panel").click()
    await page.locator(CARD).click()
    await page.get_by_label("System instructions preset").click()
    await page.get_by_role("option", name="Create new instruction").click()
    await expect(page.locator(TEXT)).to_have_value("")
    await page.locator(TEXT).fill("second")
    await expect(page.locator(".saving-status")).to_have_text("Saved")

    assert [each["text"] for each in await presets(page)] == ["second", "first"]


async def test_closing_saves(page: Page) -> None:
    """What was typed just before the panel was closed is not lost."""
    await page.locator(CARD).click()
    await page.locator(TEXT).fill("hasty")
    await page.get_by_label("Close panel").click()

    assert [each["text"] for each in await presets(page)] == ["hasty"]
