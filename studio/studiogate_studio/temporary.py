"""Makes a new chat temporary, so that nothing of it stays in the account's history.

The address can ask for it (`?incognito=true`). Where that doesn't help, there is a toggle: in the toolbar (2025) or in
its overflow menu (2026); both have been live at once. Toggling an active one turns it off, so look first.
"""

from studiogate_studio.overlays import dismiss_overlays
from studiogate_studio.probe import Probe

_BY_ADDRESS_S = 0.5
_BY_CLICK_S = 2.0


async def make_temporary(probe: Probe) -> bool:
    """Make the open chat temporary; returns whether the page says that it is.

    :raises PageBroken: the page is gone.
    """
    if await _is_on(probe, _BY_ADDRESS_S):
        return True
    if await probe.ask(bool, "click", element="temporary_toggle"):
        return await _is_on(probe, _BY_CLICK_S)
    if not await probe.ask(bool, "click", element="overflow_menu"):
        return False
    on = False
    if await probe.ask(bool, "shown", wait_s=_BY_CLICK_S, element="temporary_item"):
        on = await probe.ask(bool, "shown", element="temporary_item_on")
        on = on or await probe.ask(bool, "click", element="temporary_item")
    # An open menu's transparent backdrop would swallow every later click.
    await dismiss_overlays(probe)
    return on and await _is_on(probe, _BY_CLICK_S)


async def _is_on(probe: Probe, wait_s: float) -> bool:
    return await probe.ask(bool, "temporary", wait_s=wait_s)
