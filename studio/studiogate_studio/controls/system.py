"""The system instruction: a sliding panel that saves by itself into the chosen preset, kept in the account's browser.

    open -> "Create new instruction" -> our title, the text -> wait for "Saved" -> close -> forget what was saved

A new preset comes first, since the text would overwrite whichever of the account owner's is chosen. What the panel
saved is taken out of the local storage at once, and, should that fail, before the next page reads it
(`preferences.js`): the next chat must find nothing of this one. The chat itself keeps the text.
"""

from playwright.async_api import Error as PlaywrightError

from studiogate.errors import Declined
from studiogate_studio.composer import as_composed
from studiogate_studio.controls.steps import PART, Step, apply
from studiogate_studio.errors import PageBroken
from studiogate_studio.preferences import INSTRUCTION_TITLE
from studiogate_studio.probe import Probe, broken

_OPEN_S = 2.0
_SAVED_S = 2.0
"""How long the page may take to say that the text is saved."""
_NEW = "Create new instruction"


async def set_system_instruction(probe: Probe, instruction: str) -> None:
    """Give the chat a system instruction, or none if it is empty.

    :raises Declined: the page has no system instruction for this model.
    :raises PageBroken: the page is gone, or doesn't take the text.
    """
    text = as_composed(instruction)
    if not text and await probe.ask(bool, "unset", part=PART):
        return
    if not await probe.ask(bool, "press", part=PART, wait_s=_OPEN_S if text else 0.0, element="system_card"):
        if text:
            raise Declined("AI Studio's page offers no system instruction for this model")
        return
    if not await probe.ask(bool, "shown", wait_s=_OPEN_S, element="system_text"):
        raise PageBroken("The page does not open its system instructions.")
    try:
        await _write(probe, text)
    finally:
        await _close(probe, text)


async def _write(probe: Probe, text: str) -> None:
    new = Step(kind="choice", element="system_preset", value=_NEW, param=None)
    [preset] = await apply(probe, [new])
    if preset.found and not preset.same:
        raise PageBroken("The page begins no new system instruction.")
    if not await _fill(probe, text):
        raise PageBroken("The page does not take the system instruction.")
    if not text or await _saved(probe):
        return
    # A build that wants a key.
    await _fill(probe, text[:-1])
    try:
        if await probe.ask(bool, "caret", part=PART, element="system_text"):
            await probe.page.keyboard.insert_text(text[-1])
    except PlaywrightError as error:
        raise broken(error, "typed into") from error
    if not await _saved(probe):
        raise PageBroken("The page does not save the system instruction.")


async def _fill(probe: Probe, text: str) -> bool:
    fields = {"system_title": INSTRUCTION_TITLE, "system_text": text} if text else {"system_text": text}
    return await probe.ask(bool, "fill", part=PART, slack_s=_SAVED_S, fields=fields)


async def _saved(probe: Probe) -> bool:
    return await probe.ask(bool, "saved", part=PART, wait_s=_SAVED_S)


async def _close(probe: Probe, text: str) -> None:
    await probe.ask(bool, "press", part=PART, element="system_close")
    closed = await probe.ask(bool, "hidden", wait_s=_OPEN_S, element="system_text")
    await probe.ask(bool, "forget", part=PART, title=INSTRUCTION_TITLE, text=text)
    if not closed:
        raise PageBroken("The page does not close its system instructions.")
