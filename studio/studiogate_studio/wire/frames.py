"""Find the frames of an answer in its bytes, as they arrive.

The body of GenerateContent is one growing JSON array, Closure's `StreamBody`: `[[frame, frame, ...]]`, after whose list
of frames a `google.rpc.Status` may follow, or stand alone: `[, status]`, `[null, status]`, a bare `[code, "message"]`,
an object. Chunks of the network mean nothing: one may hold a hundred frames or end inside an escape.

The scanner is a state machine over three regions:

    HEAD   up to the second bracket: an optional `)]}'` guard, then `[[` opens the list of frames, and anything else
           makes the whole body REST
    LIST   depth 2: each array that opens here and closes again is a frame, handed over at its closing bracket;
           the list's own `]` begins REST
    REST   what follows the list, or the whole body where there is none; kept for `close()`

A frame that lies whole in the buffer is matched in one step (`brackets.WHOLE`), one that doesn't is walked on from
where the last chunk ended, so no byte is looked at more than twice however the stream is cut. Nothing is decoded here.
"""

from collections.abc import Iterator
from enum import Enum, auto

import attrs

from studiogate_studio.wire.brackets import OPENING, QUOTE, STRING_REST, TOKEN, WHOLE
from studiogate_studio.wire.errors import WireError, so_far

DEFAULT_LIMIT = 64 * 1024 * 1024
"""Bytes that one frame may have."""

_GUARD = b")]}'"
_SPACE = b" \t\r\n"


class _Region(Enum):
    HEAD = auto()
    LIST = auto()
    REST = auto()


@attrs.define(kw_only=True)
class FrameScanner:
    """Cut one response body into frames. Feed it decoded content, never compressed bytes."""

    limit: int = DEFAULT_LIMIT
    """Bytes that may be held back for one unfinished frame, or for what follows the frames."""
    complete: bool = attrs.field(default=False, init=False)
    """Whether the root array has closed: the body came to its end."""
    _region: _Region = attrs.field(default=_Region.HEAD, init=False)
    _buffer: bytearray = attrs.field(factory=bytearray, init=False)
    _begin: int = attrs.field(default=0, init=False)
    """Where the unfinished frame starts in the buffer; before it lies what was handed over in this feed."""
    _position: int = attrs.field(default=0, init=False)
    """The first byte not looked at."""
    _depth: int = attrs.field(default=0, init=False)
    """Open brackets before `_position`, the root's and the list's included."""
    _in_string: bool = attrs.field(default=False, init=False)
    _had_list: bool = attrs.field(default=False, init=False)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes, return the frames they complete: the source of one array each, in order.

        They are found at once, not as they are taken. The iterator raises `WireError`, after the frames before it, when
        a frame, or what follows the frames, outgrows `limit`. What comes after the root array is ignored.
        """
        return so_far(self._scan(data))

    def _scan(self, data: bytes) -> Iterator[bytes]:
        if self.complete:
            return
        self._buffer += data
        if self._region is _Region.HEAD:
            self._read_head()
        if self._region is _Region.LIST:
            yield from self._read_list()
        if self._region is _Region.REST:
            self.complete = self._walk(0)
        self._drop_consumed()

    def close(self) -> bytes | None:
        """Return the body without its frames, `[null, status]` or whatever stood alone; None when there is no more.

        A body cut off returns what there is of it; `complete` tells.
        """
        rest = bytes(self._buffer[: self._position if self.complete else None]).strip()
        if self._region is not _Region.REST:
            return None
        if not self._had_list:
            return rest or None
        return None if rest in (b"", b"]") else b"[null" + rest

    def _read_head(self) -> None:
        head = bytes(self._buffer[:1024])
        body = head.lstrip(_SPACE)
        if _GUARD.startswith(body[:4]) and len(body) < len(_GUARD):
            return
        body = body.removeprefix(_GUARD).lstrip(_SPACE)
        after = body[1:].lstrip(_SPACE) if body.startswith(b"[") else body
        if not after:
            return
        self._had_list = after is not body and after.startswith(b"[")
        if self._had_list:
            self._region, self._depth = _Region.LIST, 2
            self._begin = self._position = len(head) - len(after) + 1
        else:
            self._region = _Region.REST
            self._begin = self._position = len(head) - len(body)

    def _read_list(self) -> Iterator[bytes]:
        buffer = self._buffer
        while True:
            if self._depth == 2 and not self._in_string:  # noqa: PLR2004 - between two frames
                token = TOKEN.search(buffer, self._position)
                if token is None:
                    self._begin = self._position = len(buffer)
                    return
                self._begin = self._position = token.start()
                if whole := WHOLE.match(buffer, self._begin):
                    yield self._checked(whole.group())
                    self._position = self._begin = whole.end()
                    continue
                if buffer[self._begin] == ord("]"):
                    self._region, self._depth = _Region.REST, 1
                    self._position = self._begin = self._begin + 1
                    return
            if not self._walk(2):
                return
            if buffer[self._begin] == ord("["):
                yield self._checked(bytes(buffer[self._begin : self._position]))

    def _checked(self, frame: bytes) -> bytes:
        if len(frame) > self.limit:
            raise WireError(f"A frame of {len(frame)} bytes is over the limit of {self.limit}.")
        return frame

    def _walk(self, floor: int) -> bool:
        """Walk until the value at `floor` brackets deep is over; False when the buffer ends before it does."""
        buffer, position, depth, in_string = self._buffer, self._position, self._depth, self._in_string
        done = False
        while not done:
            if in_string:
                rest = STRING_REST.match(buffer, position)
                position = rest.end() if rest else position
                if position >= len(buffer) or buffer[position] != QUOTE:
                    break  # at the end, or before a backslash whose other half hasn't come
                position, in_string = position + 1, False
                done = depth == floor > 0
                continue
            token = TOKEN.search(buffer, position)
            if token is None:
                position = len(buffer)
                break
            position = token.end()
            byte = buffer[position - 1]
            if byte == QUOTE:
                in_string = True
            else:
                depth += 1 if byte in OPENING else -1
                done = depth <= floor
        self._position, self._depth, self._in_string = position, depth, in_string
        return done

    def _drop_consumed(self) -> None:
        del self._buffer[: self._begin]
        self._position -= self._begin
        self._begin = 0
        if len(self._buffer) > self.limit:
            raise WireError(f"More than {self.limit} bytes came without the end of a frame.")
