"""The model: chosen in the page's picker, else by the address of a new chat; then read back.

Choosing one renders the panel anew with that model's controls and defaults, so it comes before everything else. The
page shows the model's id (until August 2026) or only its title; the list of models has both.
"""

import attrs

from studiogate.errors import Declined
from studiogate_studio.controls.panel import open_panel
from studiogate_studio.controls.steps import PART
from studiogate_studio.errors import missing
from studiogate_studio.page import ChatPage
from studiogate_studio.probe import Probe

_PICKER_S = 3.0
"""How long the picker may take to open, and the page to show what was chosen; also while it still loads its models."""


@attrs.frozen(kw_only=True)
class Shown:
    """Say which model the page shows."""

    id: str
    """Empty where the page shows none."""
    title: str
    same: bool
    """Whether it is the one that is wanted."""


@attrs.frozen(kw_only=True)
class Picked:
    """Say what came of the picker."""

    outcome: str
    """`chosen`, `disabled` or `absent`."""
    title: str
    """What the picker calls the model; empty where it has none."""


async def choose_model(chat: ChatPage, model_id: str, title: str | None) -> bool:
    """Have the page use a model; returns whether that changed anything.

    :param title: what the page calls it; None if it isn't known.
    :raises Declined: the page doesn't offer it.
    :raises PageBroken: the page shows no model at all.
    """
    wanted = {"id": model_id, "title": title}
    if (await _shown(chat.probe, wanted)).same:
        return False
    picked = await chat.probe.ask(Picked, "pick", part=PART, wait_s=_PICKER_S, slack_s=2 * _PICKER_S, wanted=wanted)
    wanted["title"] = title or picked.title or None
    shown = await _shown(chat.probe, wanted)
    if not shown.same and picked.outcome != "disabled" and (wanted["title"] or shown.id):
        await chat.open_new_chat(model=model_id)
        await open_panel(chat.probe)
        shown = await _shown(chat.probe, wanted, wait_s=_PICKER_S)
    if shown.same:
        return True
    if not shown.id and not shown.title:
        raise missing("model_card", "model")
    raise Declined(f"AI Studio's page does not offer {model_id}")


async def _shown(probe: Probe, wanted: dict[str, str | None], wait_s: float = 0.0) -> Shown:
    return await probe.ask(Shown, "model", part=PART, wait_s=wait_s, wanted=wanted)
