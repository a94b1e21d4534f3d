"""All servers: the operator's, and those that requests name among the allowed addresses."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from studiogate.chat import ChatRequest
from studiogate.errors import ConfigurationError
from studiogate.health import Health
from studiogate.tools import ToolPlan
from studiogate_mcp.asking import Asked
from studiogate_mcp.planning import listed, plan_of
from studiogate_mcp.servers import Server, Way
from studiogate_mcp.settings import McpSettings, ServerSettings
from studiogate_mcp.transports import http_client, sse, stdio, streamable_http


class Directory:
    """Find the servers that a request may use."""

    def __init__(self, settings: McpSettings, environ: Mapping[str, str], folder: Path, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._environ = environ
        self._folder = folder
        self._stack = stack
        self._servers: dict[str, Server] = {}
        """By label or address."""

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, settings: McpSettings, environ: Mapping[str, str], folder: Path
    ) -> "AsyncGenerator[Directory]":
        """Know the servers until the context is left; none is contacted before a request needs it.

        :param environ: where tokens and what programs get are taken from.
        :param folder: for what programs say on their standard error.
        :raises ConfigurationError: a variable that is named isn't there, or the folder can't be made.
        """
        async with AsyncExitStack() as stack:
            directory = cls(settings, environ, folder, stack)
            named = {address: ServerSettings(url=address) for address in sorted(settings.addresses)}
            for label, server in {**settings.servers, **named}.items():
                directory._servers[label] = await directory._server(label, server)
            yield directory

    async def plan(self, asked: Sequence[Asked], request: ChatRequest, stack: AsyncExitStack) -> ToolPlan:
        """Return the plan of what the servers offer that a request may use; `taken` is empty.

        :raises UpstreamFailed: a server that it names can't be used.
        """
        return plan_of(await listed([(self._servers[each.server], each) for each in asked]), request, stack)

    def health(self) -> Health:
        """Return which servers could be used when they were last asked."""
        details: dict[str, Any] = {
            label: server.trouble or (f"{len(server.tools)} tools" if server.listed else "not asked yet")
            for label, server in self._servers.items()
        }
        troubled = [label for label, server in self._servers.items() if server.trouble]
        advice = f"These servers could not be used: {', '.join(troubled)}." if troubled else None
        return Health(ready=True, status="ready", advice=advice, details={"servers": details})

    async def _server(self, label: str, server: ServerSettings) -> Server:
        settings = self._settings
        if server.url is None:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigurationError(f"[mcp] {self._folder} can't be made: {error.strerror}.") from None
            passed = {name: self._variable(label, "pass_env", name) for name in server.pass_env}
            way = Way("stdio", stdio(server.command, passed, self._folder / f"{label}.log"))
            made = Server(label=label, ways=(way,), settings=settings, ahead=True)
        else:
            token = self._variable(label, "token_env", server.token_env) if server.token_env else None
            headers = {"authorization": f"Bearer {token}"} if token else {}
            client = await self._stack.enter_async_context(http_client(settings.connect_s, headers))
            ways = (
                Way("http", streamable_http(server.url, client)),
                Way("sse", sse(server.url, settings.connect_s, headers)),
                Way("legacy", None),
            )
            chosen = tuple(way for way in ways if server.transport in ("auto", way.transport))
            made = Server(label=label, ways=chosen, settings=settings, url=server.url, client=client)
        self._stack.push_async_callback(made.close)
        return made

    def _variable(self, label: str, key: str, name: str) -> str:
        if not (value := self._environ.get(name)):
            raise ConfigurationError(f"[mcp.servers.{label}] {key}: the environment has no variable {name}.")
        return value
