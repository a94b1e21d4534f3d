"""What servers offer, as a plan."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, cast

from mcp import McpError
from mcp.types import Tool

from studiogate.chat import ChatRequest
from studiogate.errors import UpstreamFailed
from studiogate.tools import Executor, FunctionDeclaration, ToolError, ToolPlan
from studiogate_mcp.asking import Asked
from studiogate_mcp.errors import NotReached, SessionLost
from studiogate_mcp.naming import declared_names
from studiogate_mcp.results import text_of
from studiogate_mcp.servers import Borrowed, Server, execute_legacy

type Offer = tuple[Server, tuple[Tool, ...]]
"""A server and those of its tools that a request may use."""


async def listed(servers: Sequence[tuple[Server, Asked]]) -> list[Offer]:
    """Return every server's tools; a server that the operator offers to all and that fails is left out.

    :raises UpstreamFailed: a server that the request asks for can't be used.
    """
    results = await asyncio.gather(*(server.list_tools() for server, _ in servers), return_exceptions=True)
    found: list[Offer] = []
    for (server, asked), result in zip(servers, results, strict=True):
        match result:
            case NotReached():
                if asked.param is not None:
                    raise UpstreamFailed(
                        f"The MCP server {server.label} can't be used: {result.reason}.", param=asked.param
                    ) from result
            case BaseException():
                raise result
            case tools:
                found.append((server, tuple(t for t in tools if asked.only is None or t.name in asked.only)))
    return found


def plan_of(
    offers: Sequence[Offer],
    request: ChatRequest,
    stack: AsyncExitStack,
) -> ToolPlan:
    """Return the plan of what servers offer.

    :param stack: closes the sessions when the exchange ends.
    """
    theirs = [tool.function for tool in request.tools if tool.function is not None]
    each_tool = [(server, tool) for server, tools in offers for tool in tools]
    names = declared_names([(server.label, tool.name) for server, tool in each_tool], theirs)
    borrowed: dict[Server, Borrowed] = {}
    functions: list[FunctionDeclaration] = []
    executors: dict[str, Executor] = {}
    for name, (server, tool) in zip(names, each_tool, strict=True):
        if server not in borrowed:
            borrowed[server] = Borrowed(server)
            stack.push_async_callback(borrowed[server].close)
        functions.append(FunctionDeclaration(name=name, description=tool.description or "", parameters=_schema(tool)))
        executors[name] = _executor(borrowed[server], tool.name)
    for server, _ in offers:
        if server.is_legacy:
            executors |= {name: _legacy_executor(server, name) for name in theirs}
    return ToolPlan(functions=tuple(functions), executors=executors)


def _schema(tool: Tool) -> dict[str, Any]:
    """Return a tool's parameters; a schema without properties is none."""
    return tool.inputSchema if tool.inputSchema.get("properties") else {}


def _executor(borrowed: Borrowed, tool: str) -> Executor:
    async def run(arguments: str) -> str:
        try:
            result = await borrowed.call(tool, _arguments(arguments))
        except NotReached as error:
            raise ToolError(f"the tool's server can't be used: {error.reason}") from error
        except SessionLost as error:
            raise ToolError(f"{error} The tool may have run.") from error
        except McpError as error:
            raise ToolError(error.error.message) from error
        except (RuntimeError, ValueError) as error:
            # The SDK's, of a result that isn't what the tool's own schema says, or no result at all.
            raise ToolError("the tool's result can't be read") from error
        if result.isError:
            raise ToolError(text_of(result) or "the tool failed")
        return text_of(result)

    return run


def _legacy_executor(server: Server, tool: str) -> Executor:
    async def run(arguments: str) -> str:
        try:
            return await execute_legacy(server, tool, _arguments(arguments))
        except NotReached as error:
            raise ToolError(f"the tool's server can't be used: {error.reason}") from error

    return run


def _arguments(text: str) -> dict[str, Any]:
    try:
        value: object = json.loads(text or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ToolError("the arguments must be a JSON object")
    return cast("dict[str, Any]", value)
