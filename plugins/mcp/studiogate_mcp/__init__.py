"""Tools that the gateway runs itself: those of servers of the Model Context Protocol, and of older ones."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from studiogate.chat import ChatRequest
from studiogate.health import Health
from studiogate.hookspecs import hookimpl
from studiogate.tools import ToolPlan, ToolSpec
from studiogate_mcp.asking import MCP_TYPE, asked_of
from studiogate_mcp.settings import McpSettings, ServerSettings

if TYPE_CHECKING:
    from studiogate.gateway import Gateway
    from studiogate_mcp.directory import Directory

__all__ = ["Mcp", "McpSettings", "ServerSettings"]


class Mcp:
    """The plugin `mcp`."""

    settings: ClassVar[type[McpSettings]] = McpSettings

    def __init__(self, settings: McpSettings) -> None:
        self.options = settings
        """This plugin's settings; `settings` is their class."""
        self._directory: Directory | None = None

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, gateway: "Gateway") -> AsyncGenerator[None]:
        """Know the servers, and close what was opened to them at the end."""
        if not self.options.servers and not self.options.addresses:
            yield
            return
        from studiogate_mcp.directory import Directory  # noqa: PLC0415 - the SDK takes a second and 30 MB

        folder = Path(gateway.settings.state_dir) / "mcp"
        async with Directory.opened(self.options, gateway.config.environ, folder) as directory:
            self._directory = directory
            try:
                yield
            finally:
                self._directory = None

    @hookimpl
    async def map_tools(
        self, tools: Sequence[ToolSpec], choice: object, request: ChatRequest, stack: AsyncExitStack
    ) -> ToolPlan | None:
        """Offer the tools of the servers that the request may use."""
        mine = [tool for tool in tools if tool.type == MCP_TYPE]
        asked = asked_of(mine, request, self.options)
        plan = ToolPlan(taken=frozenset(tool.index for tool in mine))
        if self._directory is None or not asked or choice == "none":
            return plan
        return plan.merged(await self._directory.plan(asked, request, stack))

    @hookimpl
    def health(self) -> Health:
        """Return how the servers fare; none of them keeps the gateway from answering."""
        if self._directory is None:
            return Health(ready=True, status="no servers")
        return self._directory.health()
