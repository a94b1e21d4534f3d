r"""Where JSON arrays begin and end, found in raw bytes without parsing them.

All structural bytes of JSON are ASCII and no byte of a multi-byte UTF-8 character is, so the bytes can be searched as
they come, undecoded. Three searches do all the work, each one call into the regex engine for many bytes:

- `WHOLE` matches a complete array in one go. A regular expression can't count, so it spells out `NESTING` levels; an
  array nested deeper, or holding an object, just doesn't match and is walked token by token instead.
- `TOKEN` finds the next bracket or quote outside strings.
- `STRING_REST` skips to the quote that ends one, escapes included, or to where the bytes end.

Every quantifier is possessive: a failed match costs one pass and never backtracks.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from studiogate_studio.wire.errors import WireError

NESTING = 24
"""Levels that `WHOLE` understands; a function call's arguments need 9 and four more for each level of objects."""

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'


def _nested(levels: int) -> bytes:
    pattern = rb'\[(?:[^\[\]{}"]++|%s)*+\]' % _STRING
    for _ in range(levels - 1):
        pattern = rb'\[(?:[^\[\]{}"]++|%s|%s)*+\]' % (_STRING, pattern)
    return pattern


WHOLE = re.compile(_nested(NESTING), re.DOTALL)
TOKEN = re.compile(rb'[\[\]{}"]')
STRING_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_SPLIT = re.compile(rb"%s|[\[\]{},]" % _STRING, re.DOTALL)

OPENING = frozenset(b"[{")
QUOTE = ord('"')


def elements(array: bytes) -> list[bytes]:
    """Split an array's source into the sources of its elements; an elided element is empty.

    `array` is JSON that was decoded before, apart from elisions. `b",".join` of the result, between brackets, is
    `array` again byte for byte. Raises `WireError` where `array` is no array.
    """
    body = array.strip()
    if not (body.startswith(b"[") and body.endswith(b"]")):
        raise WireError("Expected an array to split.")
    inner = body[1:-1]
    cuts = [-1, *_commas(inner), len(inner)]
    pieces = [inner[before + 1 : after] for before, after in pairwise(cuts)]
    return pieces if inner.strip() else []


def _commas(inner: bytes) -> Iterator[int]:
    depth = 0
    for token in _SPLIT.finditer(inner):
        byte = inner[token.start()]
        if byte == ord(","):
            if depth == 0:
                yield token.start()
        elif byte in OPENING:
            depth += 1
        elif byte != QUOTE:
            depth -= 1
