"""One session with a server, in a task of its own.

The SDK's transports and sessions are contexts that must be left by the task that entered them, and cancel that task
when the connection breaks. An exchange's task must never be cancelled by a server's doing, so each session lives in a
task that does nothing else, and others only ask it things.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, cast

import anyio
import httpx
from mcp import ClientSession, McpError
from mcp.types import CONNECTION_CLOSED, Implementation

from studiogate_mcp.errors import NotReached, SessionLost

# Its messages hold arguments and results, at any level.
logging.getLogger("mcp").setLevel(logging.CRITICAL + 1)

type Connect = Callable[[], AbstractAsyncContextManager[tuple[Any, Any]]]
"""Connects to a server: the streams to read from and write to."""

CLIENT = Implementation(name="studiogate", version="1")
TERMINATED = 32600
"""What the SDK says where a server knows the session no more; it has not looked at the request."""
_CLOSE_S = 5.0


class Session:
    """Talk to one server for one user at a time."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._client: asyncio.Future[ClientSession] = asyncio.get_running_loop().create_future()
        self._closing = asyncio.Event()
        self._error: BaseException | None = None
        self._task = asyncio.create_task(self._live(), name="mcp session")

    @classmethod
    async def opened(cls, connect: Connect, within_s: float) -> "Session":
        """Open a session and greet the server.

        :raises NotReached: it can't be reached, isn't ready in time, or doesn't speak the protocol.
        """
        session = cls(connect)
        try:
            async with asyncio.timeout(within_s):
                await asyncio.shield(session._client)
        except TimeoutError:
            await session.close()
            raise NotReached(f"it was not ready within {within_s:g} s") from None
        except BaseException:
            await session.close()
            raise
        return session

    @property
    def alive(self) -> bool:
        """Whether it can be asked, as far as is known."""
        return not self._task.done() and not self._closing.is_set()

    async def ask[T](self, asking: Callable[[ClientSession], Awaitable[T]]) -> T:
        """Ask the server something.

        :raises SessionLost: the session is over; `sent` says whether the server may have been asked.
        :raises McpError: what the server answers is an error.
        """
        if not self.alive:
            raise SessionLost(sent=False)
        call = asyncio.ensure_future(asking(await self._client))
        try:
            await asyncio.wait({call, self._task}, return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                raise SessionLost(sent=not self._never_left())
            return call.result()
        except (anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            await self.close()
            raise SessionLost(sent=False) from error
        except McpError as error:
            if error.error.code in (TERMINATED, CONNECTION_CLOSED):
                # How it ended is known once it has.
                await self.close()
                never = error.error.code == TERMINATED or self._never_left()
                raise SessionLost(sent=not never) from error
            raise
        finally:
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)

    async def close(self) -> None:
        """End the session; a server that takes its time is cut off."""
        self._closing.set()
        await asyncio.wait({self._task}, timeout=_CLOSE_S)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._client.done():
            # Whoever wanted to know has looked by now.
            self._client.exception()

    async def _live(self) -> None:
        try:
            async with self._connect() as (read, write), ClientSession(read, write, client_info=CLIENT) as client:
                await client.initialize()
                if not self._client.done():
                    self._client.set_result(client)
                await self._closing.wait()
        except asyncio.CancelledError:
            self._fail(NotReached("it was given up"))
            raise
        except Exception as error:  # noqa: BLE001 - the SDK's groups of whatever broke; whoever asks is told
            self._error = error
            self._fail(_why(error))

    def _never_left(self) -> bool:
        """Tell whether the session ended because no connection came about: then nothing was sent."""
        leaves = _leaves(self._error) if self._error else []
        return bool(leaves) and all(isinstance(each, httpx.ConnectError) for each in leaves)

    def _fail(self, error: NotReached) -> None:
        if not self._client.done():
            self._client.set_exception(error)


def _why(error: BaseException) -> NotReached:
    """Return what kept a session from opening; nothing of what the server said, but for its status."""
    for each in _leaves(error):
        match each:
            case httpx.HTTPStatusError():
                return NotReached(f"it answered {each.response.status_code}", status=each.response.status_code)
            case httpx.ConnectError() | httpx.ConnectTimeout() | FileNotFoundError() | PermissionError():
                return NotReached("it can't be connected to or started")
            case McpError() if each.error.code == TERMINATED:
                return NotReached("it answered 404", status=404)
            case McpError():
                return NotReached(f"it refused the greeting (error {each.error.code})")
            case _:
                continue
    return NotReached(f"it does not speak the protocol ({type(next(iter(_leaves(error)), error)).__name__})")


def _leaves(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    group = cast("BaseExceptionGroup[BaseException]", error)
    return [leaf for each in group.exceptions for leaf in _leaves(each)]
