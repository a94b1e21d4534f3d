"""What a reference's source is: data in the request itself, a local file, or something to fetch.

Anything else (another scheme, an id) is left to other plugins.
"""

import re
from urllib.parse import unquote_to_bytes

import attrs

from studiogate.attachments import AttachmentRef
from studiogate.errors import InvalidRequest

_HEAD = 1024
"""Characters in which the comma of a data URL, or what speaks against base64, must come."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]+=*\s*")
_LONGEST_PATH = 4096
_BASE64_LIKE_A_PATH = ("/9j/", "//")
"""How a JPEG and an MP3 without tags begin in base64; no absolute path that anybody shares does."""


@attrs.frozen(eq=False)
class Data:
    """Bytes within the request. Equal only to itself: comparing would read it all."""

    text: bytes | memoryview = attrs.field(repr=False)
    """The source as it came, in UTF-8."""
    start: int
    """Where its data begins."""
    base64: bool
    """Else percent-encoded."""
    mime: str | None = None
    """As the URL declares it."""


@attrs.frozen
class LocalFile:
    """A file of this machine."""

    path: str
    """Absolute, as the client wrote it: not checked, not resolved."""


@attrs.frozen
class Remote:
    """Something to fetch."""

    url: str
    """`http:` or `https:`."""


type Source = Data | LocalFile | Remote


def source_of(ref: AttachmentRef) -> Source | None:
    """Tell what a reference points at; None where it is for another plugin.

    :raises InvalidRequest: it is one of ours, and malformed.
    """
    source = ref.source
    head = source[:_HEAD]
    if found := _SCHEME.match(head):
        match found[1].lower():
            case "data":
                return _data_url(ref, found.end())
            case "file":
                return _file_url(source[found.end() :])
            case "http" | "https":
                return Remote(source)
            case _:
                return None
    if _is_path(source) and ref.data is None:
        return LocalFile(source)
    if head.strip() and _BASE64.fullmatch(head):
        return Data(_all(ref), 0, base64=True)
    return None


def _all(ref: AttachmentRef) -> bytes | memoryview:
    return ref.source.encode(errors="replace") if ref.data is None else ref.data


def _is_path(source: str) -> bool:
    if not source.startswith("/") or len(source) > _LONGEST_PATH:
        return False
    return not (source.startswith(_BASE64_LIKE_A_PATH) and _BASE64.fullmatch(source))


def _data_url(ref: AttachmentRef, start: int) -> Data:
    head, comma, _ = ref.source[start : start + _HEAD].partition(",")
    if not comma:
        raise InvalidRequest("A data URL has a comma before its data: data:image/png;base64,….")
    mime, *options = (word.strip() for word in head.split(";"))
    begin = start + len(head.encode(errors="replace")) + len(comma)
    return Data(_all(ref), begin, base64="base64" in (each.lower() for each in options), mime=mime or None)


def _file_url(rest: str) -> LocalFile:
    """Read what follows `file:`."""
    if rest.startswith("//"):
        rest = rest[2:]
        if not rest.startswith("/"):
            raise InvalidRequest("A file URL names no host: file:///folder/file.")
    if not rest.startswith("/"):
        raise InvalidRequest("A file URL has an absolute path: file:///folder/file.")
    try:
        return LocalFile(unquote_to_bytes(rest).decode())
    except UnicodeDecodeError:
        raise InvalidRequest("The path of a file URL must be UTF-8, percent-encoded.") from None
