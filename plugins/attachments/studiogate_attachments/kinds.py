"""The kinds of files that are taken, and how a file is found to be one.

The bytes decide, by libmagic's rules; what the client says only tells texts apart, which have no other mark (a
Markdown file is any text that somebody calls Markdown).
"""

import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import attrs
from pure_magic_rs import MagicDb

from studiogate.errors import InvalidRequest
from studiogate_attachments.svg import is_svg
from studiogate_attachments.texts import is_text


@attrs.frozen
class Kind:
    """One kind of file."""

    mime: str
    extensions: tuple[str, ...]
    """Those by which a browser knows it, lower case without the dot; the first is given to names that have none."""
    words: tuple[str, ...] = ()
    """Other types by which it is declared."""

    @property
    def group(self) -> str:
        """Return `image`, `video`, `audio` or `document`."""
        group = self.mime.partition("/")[0]
        return group if group in ("image", "video", "audio") else "document"


PNG = Kind("image/png", ("png",), ("image/x-png",))
JPEG = Kind("image/jpeg", ("jpg", "jpeg", "jfif"), ("image/jpg", "image/pjpeg"))
GIF = Kind("image/gif", ("gif",))
WEBP = Kind("image/webp", ("webp",))
SVG = Kind("image/svg+xml", ("svg",), ("image/svg",))
BMP = Kind("image/bmp", ("bmp",), ("image/x-ms-bmp", "image/x-bmp"))
MP4 = Kind("video/mp4", ("mp4", "m4v"), ("video/x-m4v",))
WEBM = Kind("video/webm", ("webm",))
OGG_VIDEO = Kind("video/ogg", ("ogv",), ("video/theora",))
MP3 = Kind("audio/mpeg", ("mp3",), ("audio/mp3", "audio/x-mp3", "audio/mpeg3", "audio/x-mpeg"))
WAV = Kind("audio/wav", ("wav",), ("audio/x-wav", "audio/wave", "audio/vnd.wave"))
OGG_AUDIO = Kind("audio/ogg", ("ogg", "oga", "opus"), ("audio/opus", "application/ogg", "audio/vorbis"))
WEBM_AUDIO = Kind("audio/webm", ("weba",))
PDF = Kind("application/pdf", ("pdf",), ("application/x-pdf",))
ZIP = Kind("application/zip", ("zip",), ("application/x-zip-compressed", "application/x-zip"))
TEXT = Kind("text/plain", ("txt", "text"))
MARKDOWN = Kind("text/markdown", ("md", "markdown"), ("text/x-markdown",))
HTML = Kind("text/html", ("html", "htm"), ("application/xhtml+xml",))
JSON = Kind("application/json", ("json",), ("text/json",))

KINDS = (
    *(PNG, JPEG, GIF, WEBP, SVG, BMP),
    *(MP4, WEBM, OGG_VIDEO),
    *(MP3, WAV, OGG_AUDIO, WEBM_AUDIO),
    *(PDF, TEXT, MARKDOWN, HTML, JSON, ZIP),
)
TAKEN = (
    "PNG, JPEG, GIF, WebP, SVG, BMP; MP4, WebM, OGG video; MP3, WAV, OGG, WebM audio; "
    "PDF, ZIP, and UTF-8 text such as TXT, Markdown, HTML, JSON"
)
"""What errors tell clients to send."""

_BY_WORD = {word: kind for kind in KINDS for word in (kind.mime, *kind.words)}
_BY_EXTENSION = {extension: kind for kind in KINDS for extension in kind.extensions}
_TEXTS = (TEXT, MARKDOWN, HTML, JSON, SVG)
_HEAD = 256 * 1024
"""Bytes in which a container names its tracks."""
_RULED = 64 * 1024
"""Bytes that libmagic's rules are tried on; more take longer and tell no more."""
_VIDEO_TRACK = re.compile(rb"V_(VP8|VP9|AV1|MPEG|THEORA)|\x80theora")
_JSON_BEGINS = re.compile(rb"\s*[\[{\"0-9tfn-]")


def kind_named(word: str) -> Kind | None:
    """Return the kind that a declared type or an extension means, such as `image/jpg; q=1`, `mp3` or `.md`."""
    word = word.partition(";")[0].strip().lower()
    return _BY_WORD.get(word) or _BY_EXTENSION.get(word.rpartition(".")[2])


class Recognizer:
    """Tell what files are. Keeps libmagic's rules, 12 MB of them, from the first file on: many gateways see none."""

    def __init__(self) -> None:
        self._reading = threading.Lock()
        self._read: MagicDb | None = None

    def recognize(self, path: Path, hints: Iterable[str], check: Callable[[], None]) -> Kind:
        """Return a file's kind. Blocks.

        :param hints: declared types and names' extensions, the most trusted first.
        :param check: called every few milliseconds; what it raises ends the work.
        :raises InvalidRequest: the file is of no kind that is taken.
        """
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if not head:
            raise InvalidRequest("The file is empty.")
        mime = self._rules().best_magic_buffer(head[:_RULED]).mime_type
        kind = _BY_WORD.get(mime)
        if kind is not None and kind not in _TEXTS:
            return _by_tracks(kind, head)
        if is_text(path, check):
            return _text_kind(path, head, kind, hints, check)
        found = "" if mime in ("application/octet-stream", "text/plain") else f" It looks like {mime}."
        raise InvalidRequest(f"Files of this kind are not taken.{found} Taken are: {TAKEN}.")

    def _rules(self) -> MagicDb:
        with self._reading:
            if self._read is None:
                self._read = MagicDb()
            return self._read


def _by_tracks(kind: Kind, head: bytes) -> Kind:
    """Tell films from sound where both come in the same container."""
    film = _VIDEO_TRACK.search(head)
    if kind is WEBM and b"A_" in head and not film:
        return WEBM_AUDIO
    if kind in (OGG_AUDIO, OGG_VIDEO):
        return OGG_VIDEO if film else OGG_AUDIO
    return kind


def _text_kind(path: Path, head: bytes, found: Kind | None, hints: Iterable[str], check: Callable[[], None]) -> Kind:
    if (found is SVG or b"svg" in head) and is_svg(path, check):
        return SVG
    named = (kind_named(hint) for hint in hints)
    hinted = next((kind for kind in named if kind in (MARKDOWN, HTML, JSON)), None)
    if hinted is None:
        return found if found in (HTML, JSON) else TEXT
    fits = {MARKDOWN: True, HTML: b"<" in head, JSON: bool(_JSON_BEGINS.match(head.removeprefix(b"\xef\xbb\xbf")))}
    return hinted if fits[hinted] else TEXT
