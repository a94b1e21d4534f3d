"""One answer as the service has it, which may still run."""

import asyncio
from collections.abc import AsyncIterator

import attrs

from .decoder import Chunk

CUT: Chunk = {}
"""Stands for the end of an answer that broke off on its way to the page."""


@attrs.define(eq=False)
class Told:
    """One answer of the page's, as chunks; more come while it runs."""

    chunks: list[Chunk] = attrs.field(factory=list[Chunk])
    over: bool = False
    whole: bool = False
    """Whether it ended as it should."""
    fetched: bool = False
    """Whether somebody has begun to fetch it."""
    grew: asyncio.Event = attrs.field(factory=asyncio.Event)

    def add(self, *chunks: Chunk) -> None:
        """Append what came."""
        self.chunks += chunks
        self._wake()

    def end(self) -> None:
        """Note the end."""
        self.over = True
        self._wake()

    def _wake(self) -> None:
        grew, self.grew = self.grew, asyncio.Event()
        grew.set()

    async def follow(self) -> AsyncIterator[Chunk | None]:
        """Yield every chunk from the first; None where a second passes without one."""
        position = 0
        while True:
            grew = self.grew
            while position < len(self.chunks):
                position += 1
                yield self.chunks[position - 1]
            if self.over:
                return
            try:
                async with asyncio.timeout(0.1):
                    await grew.wait()
            except TimeoutError:
                yield None
