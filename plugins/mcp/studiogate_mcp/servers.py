"""Servers: their lists of tools, and sessions with them.

A list is asked for when a request may use it and the last one is older than `list_s`. A session is opened when the
model calls a tool for the first time in a request, and closed with that request, so nobody meets what a server
remembers of somebody else. What can be shared is: HTTP connections, and of a program the next process, started ahead
and never used.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import attrs
import httpx
from mcp import ClientSession, McpError
from mcp.types import CallToolResult, PaginatedRequestParams, Tool

from studiogate_mcp.errors import NotReached, SessionLost
from studiogate_mcp.sessions import Connect, Session
from studiogate_mcp.settings import McpSettings

log = logging.getLogger(__name__)

RETRY_S = 10.0
"""Seconds for which a server that could not be reached is not tried again."""
_NOT_THIS_WAY = (400, 404, 405, 406, 410, 415, 501)
"""Statuses of a server that is spoken to in the wrong way."""


@attrs.frozen
class Way:
    """One way to speak to a server."""

    transport: str
    connect: Connect | None
    """None for the older `POST …/tools/execute`, which has no sessions and no list."""


@attrs.define(eq=False, kw_only=True)
class Server:
    """Know one server."""

    label: str
    """How it is called in logs, messages and the names of tools that would collide."""
    ways: tuple[Way, ...]
    """In the order they are tried; the first that works is kept."""
    settings: McpSettings
    url: str | None = None
    """Its address; None for a program."""
    client: httpx.AsyncClient | None = None
    """What it is asked with over HTTP."""
    ahead: bool = False
    """Whether the next session is opened ahead; for programs, whose start takes long."""
    trouble: str | None = attrs.field(default=None, init=False)
    """Why it could not be reached the last time."""
    tools: tuple[Tool, ...] = attrs.field(default=(), init=False)
    """As last listed."""
    _way: Way | None = attrs.field(default=None, init=False)
    _listed_at: float | None = attrs.field(default=None, init=False)
    _failed_at: float | None = attrs.field(default=None, init=False)
    _listing: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)
    _next: Session | None = attrs.field(default=None, init=False)
    _opening: "asyncio.Task[None] | None" = attrs.field(default=None, init=False)

    @property
    def listed(self) -> bool:
        """Whether it has ever told its tools."""
        return self._listed_at is not None

    @property
    def is_legacy(self) -> bool:
        """Whether it only runs tools, by the older API, and doesn't list them."""
        return self._way is not None and self._way.connect is None

    async def list_tools(self) -> tuple[Tool, ...]:
        """Return its tools, as it listed them in the last `list_s` seconds.

        :raises NotReached: it can't be asked now.
        """
        async with self._listing:
            now = asyncio.get_running_loop().time()
            if self._listed_at is not None and now - self._listed_at < self.settings.list_s:
                return self.tools
            if self.trouble and self._failed_at is not None and now - self._failed_at < RETRY_S:
                raise NotReached(self.trouble)
            session: Session | None = None
            try:
                session = await self.open()
                self.tools = () if session is None else await self._listed(session)
            except NotReached as error:
                self._failed_at, self.trouble = now, error.reason
                log.warning("MCP server %s can't be used: %s", self.label, error.reason)
                raise
            finally:
                if session is not None:
                    # Listing leaves no traces, so a program's process may serve a request afterwards.
                    await self._keep_or_close(session)
            self._listed_at, self.trouble = now, None
            return self.tools

    async def open(self) -> Session | None:
        """Return a session that nobody has used; None where the server has none.

        :raises NotReached: it can't be reached.
        """
        taken, self._next = self._next, None
        if taken is not None and taken.alive:
            self._open_ahead()
            return taken
        if taken is not None:
            await taken.close()
        session = await self._opened()
        if session is not None:
            self._open_ahead()
        return session

    async def close(self) -> None:
        """Close what was opened ahead."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._next is not None:
            await self._next.close()

    async def _opened(self) -> Session | None:
        """Open a session the first way that works; a way that is known is the only one."""
        last = NotReached("there is no way to speak to it")
        for way in (self._way,) if self._way else self.ways:
            if way.connect is None:
                self._way = way
                return None
            try:
                session = await Session.opened(way.connect, self.settings.connect_s)
            except NotReached as error:
                last = error
                if error.status not in _NOT_THIS_WAY:
                    raise
            else:
                self._way = way
                return session
        raise last

    async def _listed(self, session: Session) -> tuple[Tool, ...]:
        try:
            async with asyncio.timeout(self.settings.connect_s):
                return await session.ask(_all_tools)
        except TimeoutError:
            raise NotReached("it did not list its tools in time") from None
        except SessionLost:
            raise NotReached("the connection was lost") from None
        except McpError as error:
            raise NotReached(f"it did not list its tools (error {error.error.code})") from None
        except ValueError:
            # pydantic's, of an answer that is no list.
            raise NotReached("its list of tools can't be read") from None

    async def _keep_or_close(self, session: Session) -> None:
        if self.ahead and self._next is None and self._opening is None and session.alive:
            self._next = session
        else:
            await session.close()

    def _open_ahead(self) -> None:
        if self.ahead and self._next is None and self._opening is None and self._listed_at is not None:
            self._opening = asyncio.create_task(self._open_next(), name=f"mcp {self.label}: next process")

    async def _open_next(self) -> None:
        try:
            self._next = await self._opened()
        except NotReached as error:
            log.warning("MCP server %s: %s", self.label, error.reason)
        finally:
            self._opening = None


@attrs.define(eq=False)
class Borrowed:
    """One request's session with a server: opened by the first call, closed with the request."""

    server: Server
    _session: Session | None = attrs.field(default=None, init=False)
    _opening: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> CallToolResult:
        """Call a tool. Where the session had ended before the call reached the server, a new one is opened.

        :raises NotReached: the server can't be reached.
        :raises SessionLost: the connection broke; the tool may have run.
        :raises McpError: the server refuses the call.
        """

        async def asking(client: ClientSession) -> CallToolResult:
            return await client.call_tool(tool, dict(arguments))

        session = await self._opened()
        try:
            return await session.ask(asking)
        except SessionLost as lost:
            if lost.sent:
                raise
        return await (await self._opened(instead_of=session)).ask(asking)

    async def close(self) -> None:
        """End the session."""
        if self._session is not None:
            await self._session.close()

    async def _opened(self, instead_of: Session | None = None) -> Session:
        async with self._opening:
            session = self._session
            if session is not None and (session is instead_of or not session.alive):
                await session.close()
                session = None
            if session is None:
                session = self._session = await self.server.open()
            if session is None:
                raise NotReached("it has no sessions")
            return session


async def _all_tools(client: ClientSession) -> tuple[Tool, ...]:
    """List all pages of a server's tools."""
    tools: list[Tool] = []
    cursor: str | None = None
    while True:
        page = await client.list_tools(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
        tools += page.tools
        if not page.nextCursor or page.nextCursor == cursor:
            return tuple(tools)
        cursor = page.nextCursor


async def execute_legacy(server: Server, tool: str, arguments: Mapping[str, Any]) -> str:
    """Run a tool by the older API: `POST {url}/tools/execute` with `name` and `arguments`; returns the body.

    :raises NotReached: the server can't be reached, breaks off, or answers with an error.
    """
    if server.client is None or server.url is None:
        raise NotReached("it has no address")
    body = {"name": tool, "arguments": dict(arguments)}
    try:
        response = await server.client.post(f"{server.url.rstrip('/')}/tools/execute", json=body)
    except httpx.HTTPError as error:
        raise NotReached("it can't be reached, or broke off") from error
    if not response.is_success:
        raise NotReached(f"it answered {response.status_code}", status=response.status_code)
    return response.text
