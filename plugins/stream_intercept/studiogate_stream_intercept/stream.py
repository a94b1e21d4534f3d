"""The answer's bytes between the tap and its reader: a buffer with a limit, one writer, one reader, one end.

The writer is mitmproxy's tap, which may neither wait nor raise; so the buffer takes or declines, and whoever feeds it
breaks the answer off when it declines. The reader gets every byte that came before a break, then the break.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Self

from studiogate_stream_intercept.errors import StreamBroken


class AnswerStream:
    """The RPC's response as it is on the wire: iterate it for raw chunks, whose boundaries mean nothing.

    Iteration ends where the response ends and raises `StreamBroken` where it broke. One task may read it.
    """

    def __init__(
        self, *, status: int, headers: Mapping[str, str], limit: int, abort: Callable[[], Awaitable[None]]
    ) -> None:
        self.status = status
        """The response's HTTP status; errors of the RPC come with their body, like any answer."""
        self.headers = headers
        """Names in lower case; values of repeated headers joined with a comma."""
        self.arrived_at: float | None = None
        """`time.perf_counter()` at the tap for the chunk handed out last; None before the first."""
        self._limit = limit
        self._abort = abort
        self._chunks: deque[tuple[bytes, float]] = deque()
        self._size = 0
        self._ended = False
        self._reason: str | None = None
        self._changed = asyncio.Event()

    @property
    def content_encoding(self) -> str:
        """Return what the chunks are encoded with; the proxy asks for `identity`, a server may not listen."""
        return self.headers.get("content-encoding", "identity")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._chunks:
            if self._reason is not None:
                raise StreamBroken(self._reason)
            if self._ended:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        chunk, self.arrived_at = self._chunks.popleft()
        self._size -= len(chunk)
        return chunk

    async def read_all(self) -> bytes:
        """Read to the end, for error bodies; one that outgrows the buffer's limit is aborted and raises."""
        body = bytearray()
        async for chunk in self:
            body += chunk
            if len(body) > self._limit:
                await self.abort()
        return bytes(body)

    async def abort(self) -> None:
        """Break this answer off, upstream and in the page; its neighbours go on. No-op once it has ended."""
        await self._abort()

    def feed(self, chunk: bytes, at: float) -> bool:
        """Take a chunk from the tap, seen at `at`; False when the reader is too far behind to take more."""
        if self._ended:
            return True
        if self._size + len(chunk) > self._limit:
            return False
        self._chunks.append((chunk, at))
        self._size += len(chunk)
        self._changed.set()
        return True

    def end(self, reason: str | None, *, discard: bool = False) -> None:
        """Mark the end, once: normal when `reason` is None, else a break. `discard` drops what is unread."""
        if self._ended:
            return
        self._ended, self._reason = True, reason
        if discard:
            self._chunks.clear()
            self._size = 0
        self._changed.set()
