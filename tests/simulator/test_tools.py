"""The tools' switches, chips and dialogs in a real browser."""

import json
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from .harness import Running
from .test_browser import answered, log_of, submit

pytestmark = pytest.mark.asyncio(loop_scope="session")

DIALOG = "mat-dialog-container ms-edit-function-declarations-dialog"
DECLARATION: dict[str, Any] = {
    "name": "weather",
    "description": "Tells the weather.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "array", "items": {"type": "integer"}}},
        "required": ["city"],
    },
}


def switch(page: Page, name: str) -> Locator:
    """Find a tool's switch in the run settings."""
    return page.locator("ms-run-settings").get_by_role("switch", name=name, exact=True)


async def only(page: Page, *names: str) -> None:
    """Switch the search off, which is on in a new chat, and others on."""
    await switch(page, "Grounding with Google Search").click()
    for name in names:
        await switch(page, name).click()


async def declare(page: Page, text: str) -> None:
    """Write declarations into the code editor and save them."""
    await page.get_by_label("Edit function declarations").click()
    await page.locator(f"{DIALOG} ms-text-editor textarea").fill(text)
    await page.get_by_label("Save the current function declarations").click()


async def test_declarations_reach_the_request(page: Page, simulator: Running) -> None:
    """What the dialog saves is what the server receives."""
    await only(page, "Function calling")
    await declare(page, json.dumps([DECLARATION]))
    await expect(page.locator(DIALOG)).to_have_count(0)
    await submit(page, "x")
    await answered(page)

    [record] = await log_of(simulator)
    assert record["tools"] == [{"function_declarations": [DECLARATION]}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[{", "Invalid JSON."),
        ("{}", "must be an array"),
        ('[{"description": "x"}]', "a name is required"),
        ('[{"name": "f", "parameters": {"properties": {}}}]', "a type is required"),
        ('[{"name": "f", "parameters": {"type": "object", "additionalProperties": false}}]', '"additionalProperties"'),
        ('[{"name": "f"}, {"name": "f"}]', "declared twice"),
    ],
)
async def test_what_does_not_hold_keeps_the_dialog_open(page: Page, text: str, said: str) -> None:
    """Invalid JSON, and what is no declaration, shows an error and is not saved."""
    await only(page, "Function calling")
    await declare(page, text)

    await expect(page.locator(f"{DIALOG} mat-error")).to_contain_text(said)
    await page.locator(DIALOG).get_by_label("close").click()
    await page.get_by_label("Edit function declarations").click()
    await expect(page.locator(f"{DIALOG} textarea")).to_have_value("")


async def test_editor(page: Page) -> None:
    """Save waits for a change, Reset empties the editor, and the visual editor shows the same declarations."""
    renamed = DECLARATION | {"name": "rain"}
    await only(page, "Function calling")
    await declare(page, json.dumps([DECLARATION]))
    await page.get_by_label("Edit function declarations").click()
    save = page.get_by_label("Save the current function declarations")
    await expect(save).to_be_disabled()
    await page.get_by_role("tab", name="Visual Editor").click()

    await expect(page.get_by_role("tab", name="Visual Editor")).to_have_attribute("aria-selected", "true")
    await expect(page.get_by_label("Function name")).to_have_value("weather")
    await page.get_by_label("Function name").fill("rain")
    await page.get_by_role("tab", name="Code Editor").click()
    await expect(page.locator(f"{DIALOG} textarea")).to_have_value(json.dumps([renamed], indent=2))
    await page.get_by_label("Reset the function declarations").click()
    await expect(page.locator(f"{DIALOG} textarea")).to_have_value("")
    await expect(save).to_be_enabled()


async def test_switching_off_keeps_the_declarations(page: Page) -> None:
    """Function calling that is off keeps them; another model forgets them."""
    await only(page, "Function calling")
    await declare(page, json.dumps([DECLARATION]))
    await switch(page, "Function calling").click()
    await expect(page.get_by_label("Edit function declarations")).to_be_disabled()
    await switch(page, "Function calling").click()
    await page.get_by_label("Edit function declarations").click()
    await expect(page.locator(f"{DIALOG} textarea")).not_to_have_value("")
    await page.keyboard.press("Escape")
    await page.get_by_label("Select primary model").click()
    await page.locator('[id="model-carousel-row-models/gemini-3-pro-preview"]').click()

    await expect(switch(page, "Function calling")).to_have_attribute("aria-checked", "false")
    await switch(page, "Function calling").click()
    await page.get_by_label("Edit function declarations").click()
    await expect(page.locator(f"{DIALOG} textarea")).to_have_value("")


async def test_conflicts(page: Page) -> None:
    """Function calling excludes all other tools, structured output the search too; the switches are disabled."""
    await expect(switch(page, "Function calling")).to_be_disabled()
    await expect(switch(page, "Structured output")).to_be_disabled()
    await only(page, "Function calling")

    others = ["Structured output", "Code execution", "Grounding with Google Search", "Browse the url context"]
    for name in others:
        await expect(switch(page, name)).to_be_disabled()
    await switch(page, "Function calling").click()
    for name in others:
        await expect(switch(page, name)).to_be_enabled()


async def test_structured_output(page: Page, simulator: Running) -> None:
    """A schema reaches the request with the JSON type; without one the type goes alone."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    await expect(page.get_by_label("Edit JSON schema")).to_be_disabled()
    await only(page, "Structured output")
    await submit(page, "one")
    await answered(page)
    await page.get_by_label("Edit JSON schema").click()
    await page.locator("mat-dialog-container ms-text-editor textarea").fill(json.dumps(schema))
    await page.get_by_label("Save the current schema").click()
    await submit(page, "two")
    await answered(page, turns=2)

    plain, strict = (record["config"] for record in await log_of(simulator))
    assert (plain["response_mime_type"], plain.get("response_schema")) == ("application/json", None)
    assert (strict["response_mime_type"], strict["response_schema"]) == ("application/json", schema)


async def test_chips_and_menu(page: Page, simulator: Running) -> None:
    """The tools can be switched in the prompt box: from a menu, and off by their chips."""
    await page.get_by_label("Remove Grounding with Google Search").click()
    await page.get_by_label("Open tools menu").click()
    await page.get_by_role("menuitem", name="Browse the url context").click()
    await expect(page.get_by_label("Remove URL context")).to_be_visible()
    await page.get_by_label("Open tools menu").click()
    await expect(page.get_by_role("menuitem", name="Function calling")).to_be_disabled()
    await page.get_by_role("menuitem", name="Code execution").click()
    await submit(page, "x")
    await answered(page)

    [record] = await log_of(simulator)
    assert record["tools"] == [{"code_execution": {}}, {"url_context": {}}]
