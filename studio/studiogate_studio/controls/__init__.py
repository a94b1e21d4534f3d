"""Sets every control of the page's run settings, and reads each back.

    close what lies over the page -> open panel and groups -> model -> system instruction
        -> what is to be off, thinking, sampling [-> functions or JSON] -> tools that are to be on

Whatever a request doesn't ask for is set to the model's default or switched off. Controls that already show what they
are to show aren't touched, and those that the page or the model doesn't have are optional: what is refused is told, by
parameter. Only where the answer would be another request's is that an error.

The panel is rendered anew for a model, groups of it are in the page only while they are open, and on narrow windows all
of it is: it is then a drawer over the composer, which is closed in the end.
"""

from collections.abc import Mapping, Sequence

from studiogate_studio.controls.editors import declare_functions, forms_off, hold_to_json
from studiogate_studio.controls.model import choose_model
from studiogate_studio.controls.panel import close_drawer, open_panel
from studiogate_studio.controls.sampling import sampling_steps
from studiogate_studio.controls.steps import Step, apply, refusals
from studiogate_studio.controls.system import set_system_instruction
from studiogate_studio.controls.thinking import thinking_steps
from studiogate_studio.controls.tools import tool_steps
from studiogate_studio.page import ChatPage
from studiogate_studio.run_settings import RunSettings

__all__ = ["set_run_settings"]


async def set_run_settings(chat: ChatPage, run: RunSettings) -> Mapping[str, str]:
    """Set the page for a prompt; returns what it refused: name of the parameter -> reason.

    :raises Declined: the page doesn't offer the model, or what the answer would be wrong without: a system instruction,
        functions.
    :raises PageBroken: the page is gone, shows no run settings, or doesn't do what it should.
    """
    if await chat.uploads.held():
        # From an attempt that failed; to get rid of them later would take the settings along.
        await chat.open_new_chat()
    await chat.dismiss_overlays()
    panel = await open_panel(chat.probe)
    if run.model is not None and await choose_model(chat, run.model, run.model_title):
        panel = await open_panel(chat.probe)
    await set_system_instruction(chat.probe, run.system_instruction)
    first = [*forms_off(run), *tool_steps(run, on=False), *thinking_steps(run), *sampling_steps(run)]
    last = [*tool_steps(run, on=True)]
    if run.functions or run.response_format is not None:
        found = [await _set(chat, first), await _set_forms(chat, run), await _set(chat, last)]
    else:
        found = [await _set(chat, [*first, *last])]
    if panel.drawer:
        await close_drawer(chat.probe)
    return {name: reason for refused in found for name, reason in refused.items()}


async def _set(chat: ChatPage, steps: Sequence[Step]) -> Mapping[str, str]:
    return refusals(steps, await apply(chat.probe, steps))


async def _set_forms(chat: ChatPage, run: RunSettings) -> Mapping[str, str]:
    """Declare functions, else hold the answer to JSON; the page has no place for both."""
    if not run.functions:
        return {} if run.response_format is None else await hold_to_json(chat.probe, run.response_format)
    refused = await declare_functions(chat.probe, run.functions)
    if run.response_format is None:
        return refused
    return {**refused, "response_format": "the page has no structured output beside functions"}
