"""The panel of the run settings. On narrow windows it is a drawer, not in the page while it is closed."""

import attrs

from studiogate_studio.controls.steps import PART
from studiogate_studio.errors import missing
from studiogate_studio.probe import Probe

_MOVE_S = 2.0
"""How long the panel and its groups may take to open or close."""


@attrs.frozen(kw_only=True)
class Panel:
    """Say whether the run settings can be seen."""

    open: bool
    drawer: bool
    """Whether they lie over the page."""


async def open_panel(probe: Probe) -> Panel:
    """Have the panel open, and the groups in it.

    :raises PageBroken: the page is gone, or has no panel.
    """
    panel = await probe.ask(Panel, "open", part=PART, wait_s=_MOVE_S)
    if not panel.open:
        raise missing("run_settings", "run settings")
    return panel


async def close_drawer(probe: Probe) -> None:
    """Close the panel where it lies over the composer.

    :raises PageBroken: the page is gone.
    """
    await probe.ask(bool, "close", part=PART, wait_s=_MOVE_S)
