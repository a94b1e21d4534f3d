"""Google Search, URL context and code execution: tools that AI Studio runs itself, switched on per request."""

from collections.abc import Sequence
from typing import Any, ClassVar

import attrs

from studiogate.chat import ChatRequest
from studiogate.hookspecs import hookimpl
from studiogate.params import Params
from studiogate.tools import ToolPlan, ToolSpec
from studiogate_tools_google_search.names import GOOGLE_SEARCH, SEARCH_OPTIONS, switch_of

__all__ = ["GoogleSearchTools", "GoogleSearchToolsSettings"]


@attrs.frozen(kw_only=True)
class GoogleSearchToolsSettings:
    """Configure what becomes of a search's sources. What a request asks for is switched on, what it doesn't is off."""

    list_sources: bool = False
    """Whether the text of an answer with a search ends with a list of its sources, which are annotations anyway."""


class GoogleSearchTools:
    """Take the tools that the upstream runs itself, under every name that clients give them."""

    settings: ClassVar[type[GoogleSearchToolsSettings]] = GoogleSearchToolsSettings

    def __init__(self, settings: GoogleSearchToolsSettings) -> None:
        self.options = settings
        """This plugin's settings; `settings` is their class."""

    @hookimpl
    async def map_tools(self, tools: Sequence[ToolSpec], choice: Any, request: ChatRequest) -> ToolPlan:
        """Switch on what the request's tools name; with `tool_choice: "none"` they are taken and stay off."""
        named = {tool.index: switch for tool in tools if (switch := switch_of(tool)) is not None}
        switches = set(named.values())
        if request.params.other.get(SEARCH_OPTIONS) is not None:
            switches.add(GOOGLE_SEARCH)
        if choice == "none":
            switches.clear()
        return ToolPlan(
            taken=frozenset(named),
            upstream=frozenset(() if choice == "none" else named),
            switches={switch: {} for switch in sorted(switches)},
            list_sources=self.options.list_sources and GOOGLE_SEARCH in switches,
        )

    @hookimpl
    def apply_params(self, params: Params) -> Params | None:
        """Take `web_search_options`, which switches search on; what stands in it is for services that know it only."""
        options, rest = params.take(SEARCH_OPTIONS)
        if options is None:
            return None
        rest = attrs.evolve(rest, passed={**rest.passed, SEARCH_OPTIONS: options})
        if options:
            return rest.drop(SEARCH_OPTIONS, f"search is on, but {', '.join(sorted(options))} can't be set")
        return rest
