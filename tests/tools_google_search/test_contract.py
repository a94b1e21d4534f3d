"""The plugin keeps the contract of tools, and that of parameters."""

from typing import ClassVar

from studiogate.testing import ParamsContract, ToolsContract
from studiogate_tools_google_search import GoogleSearchTools


class TestContract(ToolsContract, ParamsContract):
    """Every tool that AI Studio runs is its own, under any name."""

    plugin = GoogleSearchTools
    own: ClassVar = (
        {"google_search": {}},
        {"type": "web_search"},
        {"type": "url_context"},
        {"type": "function", "function": {"name": "googleSearch"}},
    )
