"""The plugin keeps the contract of tools, with a real server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import ClassVar

from studiogate.testing import ToolsContract
from studiogate_mcp import Mcp

from .house import running_server


class TestContract(ToolsContract):
    """A server that is always offered, and tools that name it or another."""

    plugin = Mcp
    own: ClassVar = ({"type": "mcp", "server_label": "tests"},)
    wrong: ClassVar = (
        {"type": "mcp"},
        {"type": "mcp", "server_label": "other"},
        {"type": "mcp", "server_url": "https://elsewhere.example.com/mcp"},
    )
    calls: ClassVar = {"add": '{"a": 1, "b": 2}'}
    cancellations = 10

    @classmethod
    @asynccontextmanager
    async def shared(cls) -> AsyncGenerator[None]:
        """Run the server while the rules are tried."""
        with running_server("http") as server:
            cls.settings = {"servers": {"tests": {"url": server.url}}}
            yield
