"""The page's preferences that a driver needs, set before the page reads them."""

import json
from importlib import resources
from urllib.parse import urlsplit

from studiogate_studio.settings import StudioSettings

INSTRUCTION_TITLE = "studiogate: this chat only"
"""What our system instructions are called while the page has them saved."""

PREFERENCES = {
    # Chats belong to the client, not to the account's history.
    "autosaveEnabled": False,
    # Dialogs that would cover the composer the first time.
    "hasShownAutosaveOnDialog": True,
    "hasShownDrivePermissionDialog": True,
    "warmWelcomeDisplayed": True,
    # Collapsed groups of the settings panel are not in the page at all.
    "areToolsOpen": True,
    "isAdvancedOpen": True,
}
"""Values under `aiStudioUserPreference` of the page's local storage."""


def preferences_script(settings: StudioSettings) -> str:
    """Return the script that writes `PREFERENCES` over what the page's local storage holds.

    It also takes out a system instruction of ours that an earlier page left there.
    """
    function = (resources.files(__package__) / "preferences.js").read_text(encoding="utf-8")
    parts = urlsplit(settings.page_url)
    told = {"origin": f"{parts.scheme}://{parts.netloc}", "values": PREFERENCES, "title": INSTRUCTION_TITLE}
    return f"({function})({json.dumps(told)})"
