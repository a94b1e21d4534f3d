"""Long data in a body, left where it lies.

A file in a request is one JSON string, a third longer than the file. Decoded like any other it would be in memory a
second time, put there by one step that nothing else in the process can interrupt. So strings that are long and look
like data are cut out of the JSON before it is decoded:

    {"url": "data:image/png;base64,iVBORw0…"}  ->  {"url": "<mark>"}  ->  {"url": LongData(a view of the body)}

Where data isn't expected, the mark gives way to the string it was. Only whole strings without escapes are cut out,
found by the quotes around them: to find each, it is enough to look at one place in every `LONG` bytes.
"""

import re
import uuid
from collections.abc import Iterator

import attrs

LONG = 64 * 1024
"""Bytes from which on data is left where it is."""
HEAD = 1024
"""Bytes of a string that tell whether it is data."""

_DATA = re.compile(rb"(data:[!-+\--~]{0,500},)?[A-Za-z0-9+/_%=-]+", re.IGNORECASE)
"""A data URL, or base64. No JSON continues so behind a string's end: such bytes after a quote are within a string."""
_KEY = re.compile(rb'"\s*:')
"""How a string ends that is a key of an object."""
_QUOTE, _ESCAPE = b'"', b"\\"
_STEP = 8 * 1024 * 1024
"""Bytes searched at once, which takes a millisecond or two."""


@attrs.frozen(eq=False)
class LongData:
    """Stand where a body has a long string of data."""

    whole: memoryview = attrs.field(repr=False)
    """Its bytes; nobody has looked whether they are what they should be."""

    @property
    def head(self) -> str:
        """Return how it begins."""
        return bytes(self.whole[:HEAD]).decode("ascii")

    def text(self) -> str:
        """Return it as the string it would have been.

        :raises UnicodeDecodeError: it is no UTF-8.
        """
        return str(self.whole, "utf-8")


def cut_out(body: bytes | bytearray) -> tuple[bytes | bytearray, dict[str, LongData]]:
    """Return a body with a mark in place of each long string of data, and these by their marks."""
    view, mark = memoryview(body), uuid.uuid4().hex
    cut: dict[str, LongData] = {}
    kept: list[memoryview | bytes] = []
    done = 0
    for start, end in _long_strings(body):
        name = f"{mark}-{len(cut)}"
        cut[name] = LongData(view[start:end])
        kept += [view[done:start], name.encode()]
        done = end
    return (b"".join([*kept, view[done:]]), cut) if cut else (body, cut)


def _long_strings(body: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Yield where each begins and ends, quotes not included."""
    start, place = 0, LONG
    while place < len(body):
        end = _find(body, _QUOTE, place, len(body))
        if end < 0:
            return
        start = max(start, body.rfind(_QUOTE, start, place) + 1)
        if end - start >= LONG and _is_data(body, start, end):
            yield start, end
        start, place = end + 1, end + 1 + LONG


def _find(body: bytes | bytearray, byte: bytes, start: int, end: int) -> int:
    """Find a byte, as `find` does, in steps between which others get their turn."""
    for place in range(start, end, _STEP):
        found = body.find(byte, place, min(place + _STEP, end))
        if found >= 0:
            return found
    return -1


def _is_data(body: bytes | bytearray, start: int, end: int) -> bool:
    escaped = body[max(0, start - 2) : max(0, start - 1)] == _ESCAPE
    data = _DATA.fullmatch(body, start, min(end, start + HEAD))
    key = _KEY.match(body, end)
    return bool(data) and not escaped and not key and _find(body, _ESCAPE, start, end) < 0
