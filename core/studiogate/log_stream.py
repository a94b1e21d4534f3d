"""The log as it is written, for who watches it over HTTP.

Each reader is one more handler of the root logger, while it reads. What it says has gone the way of every record
(`studiogate.logs`), so it holds no more than the log itself. Writing never waits for a reader: lines wait in a bounded
buffer, and a reader for whom it is full is let go.
"""

import asyncio
import logging

from studiogate.errors import RateLimited
from studiogate.logs import formatter

BUFFERED = 1000
"""Lines that wait for a reader."""
READERS = 8
"""Who may read at once."""


class Reader(logging.Handler):
    """Take in the lines of at least one level. Records may come from any thread; everything else is the loop's."""

    def __init__(self, level: str) -> None:
        """Begin to take in.

        :param level: one of `LOG_LEVELS` but `trace`; what the gateway doesn't log at all can't be read here either.
        """
        super().__init__(level.upper())
        self.setFormatter(formatter(human=False))
        self.dropped = False
        """Whether it was let go because it read too slowly."""
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._over = False
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Take in a record; never waits and never raises."""
        try:
            self._loop.call_soon_threadsafe(self._take, self.format(record))
        except Exception:  # noqa: BLE001 - as every handler of logging: who logs must not fail for it
            self.handleError(record)

    async def line(self) -> str | None:
        """Return the next line, a JSON object; None at the end."""
        return await self._lines.get()

    def end(self) -> None:
        """Take in no more; what has come can still be read."""
        if not self._over:
            self._over = True
            logging.getLogger().removeHandler(self)
            self._lines.put_nowait(None)

    def _take(self, line: str) -> None:
        if self._over:
            return
        if self._lines.qsize() < BUFFERED:
            self._lines.put_nowait(line)
        else:
            self.dropped = True
            self.end()


class LogStream:
    """Know who reads the log of one gateway."""

    def __init__(self) -> None:
        self._readers: set[Reader] = set()
        self._ended = False

    def check_room(self) -> None:
        """Refuse one reader too many.

        :raises RateLimited: so many read already.
        """
        if len(self._readers) >= READERS:
            raise RateLimited(f"{READERS} read the log already; no more can.", retry_after_s=60)

    def open(self, level: str) -> Reader:
        """Let one more read; it has to be closed."""
        reader = Reader(level)
        self._readers.add(reader)
        if self._ended:
            reader.end()
        return reader

    def close(self, reader: Reader) -> None:
        """Let a reader go."""
        self._readers.discard(reader)
        reader.end()

    def end(self) -> None:
        """End what everybody reads, once the lines that have come are read."""
        self._ended = True
        for reader in self._readers:
            reader.end()
