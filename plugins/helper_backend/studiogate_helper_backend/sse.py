"""Server-sent events as OpenAI-compatible services send them: the data of each event, whatever the network's pieces.

    : keep-alive              a comment, skipped
    data: {"choices": ...}    one event, ended by an empty line
    data: [DONE]

Lines end in LF, CR LF or CR. Several `data` lines of one event are joined by newlines; other fields (`event`, `id`,
`retry`) carry nothing for this API and are skipped.
"""

from collections.abc import Iterator

import attrs

LIMIT = 64 * 1024 * 1024
"""Bytes that one event may have: a generated image is one event."""


class TooLong(Exception):  # noqa: N818 - says what the event is
    """An event, or an answer, is longer than the limit."""


@attrs.define
class EventScanner:
    """Cut a stream's bytes into the data of its events."""

    limit: int = LIMIT
    """Bytes that one event may have."""
    _line: list[bytes] = attrs.field(factory=list[bytes], init=False)
    """The pieces of the line that has begun. Kept apart: joining them at each piece would be quadratic."""
    _data: list[bytes] = attrs.field(factory=list[bytes], init=False)
    """The `data` lines of the event that has begun."""
    _size: int = attrs.field(default=0, init=False)
    """Bytes in both."""
    _after_cr: bool = attrs.field(default=False, init=False)
    """Whether the last piece ended with a CR, of which an LF may be the second half."""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the data of each event that a piece completes.

        :raises TooLong: an event is over the limit; nothing more can be read then.
        """
        if self._after_cr:
            piece = piece.removeprefix(b"\n")
        self._after_cr = piece.endswith(b"\r")
        for part in piece.splitlines(keepends=True):
            line = part.rstrip(b"\r\n")
            self._line.append(line)
            self._size += len(line)
            if self._size > self.limit:
                raise TooLong
            if len(line) < len(part):
                yield from self._end_line()

    def close(self) -> Iterator[bytes]:
        """Yield the data of an event that the stream's end completes, for services that leave the last line open."""
        yield from self._end_line()
        yield from self._end_line()

    def _end_line(self) -> Iterator[bytes]:
        line = b"".join(self._line)
        self._line.clear()
        if not line:
            if self._data:
                yield b"\n".join(self._data)
            self._data.clear()
            self._size = 0
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        else:
            self._size -= len(line)
