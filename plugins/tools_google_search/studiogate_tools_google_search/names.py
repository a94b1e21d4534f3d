"""The names under which clients ask for the tools that AI Studio runs itself.

Google's own APIs write `{"google_search": {}}`, OpenAI's write `{"type": "web_search"}`, and clients that know nothing
but functions declare one named `googleSearch`. All mean the same switch.
"""

from collections.abc import Mapping
from typing import Any, cast

from studiogate.tools import ToolSpec

GOOGLE_SEARCH = "google_search"
URL_CONTEXT = "url_context"
CODE_EXECUTION = "code_execution"

SEARCH_OPTIONS = "web_search_options"
"""OpenAI's parameter that asks for a search without a tool."""

_TYPES = {
    "google_search": GOOGLE_SEARCH,
    "googleSearch": GOOGLE_SEARCH,
    "google_search_retrieval": GOOGLE_SEARCH,
    "googleSearchRetrieval": GOOGLE_SEARCH,
    "web_search": GOOGLE_SEARCH,
    "web_search_preview": GOOGLE_SEARCH,
    "url_context": URL_CONTEXT,
    "urlContext": URL_CONTEXT,
    "code_execution": CODE_EXECUTION,
    "codeExecution": CODE_EXECUTION,
    "code_interpreter": CODE_EXECUTION,
}
"""Kinds of tools, and the switch each means."""

_FUNCTIONS = {
    "googleSearch": GOOGLE_SEARCH,
    "google_search": GOOGLE_SEARCH,
}
"""Names of declared functions that stand for a switch."""


def switch_of(tool: ToolSpec) -> str | None:
    """Return the switch that a tool means; None for a tool of another plugin's."""
    if tool.type == "function":
        function = tool.spec.get("function")
        name = cast("Mapping[str, Any]", function).get("name") if isinstance(function, Mapping) else None
        return _FUNCTIONS.get(name) if isinstance(name, str) else None
    # OpenAI dates its preview tools: `web_search_preview_2025_03_11`.
    return _TYPES.get(tool.type) or (GOOGLE_SEARCH if tool.type.startswith("web_search_") else None)
