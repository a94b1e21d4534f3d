"""Closes what the page puts in the way: only overlays that are known, and that may be closed without asking anybody."""

from studiogate_studio.probe import Probe


async def dismiss_overlays(probe: Probe) -> tuple[str, ...]:
    """Close the known overlays that are visible; returns their names as in `selectors.toml`.

    Terms of service are the account owner's to answer and are left alone, the copyright notice is answered where files
    are uploaded, and every dialog nobody here knows is left alone too: its main button may well be "Discard and
    continue".

    :raises PageBroken: the page is gone.
    """
    return await probe.ask(tuple[str, ...], "dismiss")
