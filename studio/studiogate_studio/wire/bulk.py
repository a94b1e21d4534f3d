r"""Take the large files out of a request while it is read and patched, and put them back as they were.

A file inside a request is one base64 string of up to many megabytes. To decode it, or to run a regular expression over
it, takes the event loop's time and gives nothing: nobody here looks into files. So each is replaced by a short stand-in
first. Finding where it ends is a search for one byte, which runs at memory speed since base64 holds neither quotes nor
backslashes; all else is handled by the ordinary means.

Only strings are taken that follow a MIME type at the head of an array, as inline data does, so a prompt's text, which
follows a null, is always left in place. Whatever else may look so (an enum of a schema) is put back unharmed.
"""

import re
import secrets

import attrs

from studiogate_studio.wire.brackets import STRING_REST

WORTHWHILE = 256 * 1024
"""Bytes from which a request is looked through; smaller ones cost little as they are."""
LARGE = 16 * 1024
"""Bytes from which a string is taken out."""

_QUOTE, _ESCAPE = b'"', b"\\"
_HEAD = 256
"""How far before a string its MIME type is looked for, in bytes."""
_AFTER_MIME = re.compile(rb'\[\s*"[\w.+-]+/[^"\\]*"\s*,\s*\Z')


@attrs.frozen(kw_only=True)
class Bulk:
    """Hold the strings that were taken out of one request."""

    rest: bytes
    """The request with a stand-in for each; still the JSON of a request."""
    mark: bytes
    """What every stand-in begins with; random, so that no prompt holds it."""
    strings: tuple[memoryview, ...]
    """Views into the request's own bytes: a copy of many megabytes costs more than finding them."""

    def restore(self, body: bytes) -> bytes:
        """Return a body made of `rest` with every string back in its place."""
        if not self.strings:
            return body
        pieces = re.split(rb"%s(\d+);" % self.mark, body)
        return b"".join(self.strings[int(piece)] if index % 2 else piece for index, piece in enumerate(pieces))


def take_bulk(body: bytes) -> Bulk:
    """Take the large files out of a request's body; a body that is no JSON is left as it is, or its rest none."""
    mark = f"studiogate-bulk-{secrets.token_hex(16)}-".encode()
    pieces: list[bytes] = []
    strings: list[memoryview] = []
    done = 0
    opening = body.find(_QUOTE) if len(body) >= WORTHWHILE else -1
    while opening >= 0 and (closing := _closing(body, opening + 1)) >= 0:
        start = opening + 1
        if closing - start >= LARGE and _AFTER_MIME.search(body, max(0, opening - _HEAD), opening):
            pieces += (body[done:start], mark, b"%d;" % len(strings))
            strings.append(memoryview(body)[start:closing])
            done = closing
        opening = body.find(_QUOTE, closing + 1)
    rest = b"".join((*pieces, body[done:])) if strings else body
    return Bulk(rest=rest, mark=mark, strings=tuple(strings))


def _closing(body: bytes, start: int) -> int:
    """Return where the quote stands that ends a string; -1 if none does."""
    end = body.find(_QUOTE, start)
    if end < 0 or body.find(_ESCAPE, start, end) < 0:
        return end
    rest = STRING_REST.match(body, start)
    end = rest.end() if rest else len(body)
    return end if end < len(body) else -1
