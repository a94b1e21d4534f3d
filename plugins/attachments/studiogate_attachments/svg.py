"""SVG: images that can hold programs. Those that do are refused.

The gateway only passes a file on, but whoever opens it later may run what is in it; and to take the programs out would
change the file that the client asked about. Read with expat, entity declarations refused before they can grow.
"""

import re
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

from studiogate.errors import InvalidRequest

_PIECE = 64 * 1024
_ACTIVE = frozenset({"script", "handler", "listener", "foreignobject", "iframe", "object", "embed"})
_RASTER = re.compile(r"data:image/(png|jpe?g|gif|webp|bmp)[;,]")
_IGNORED = re.compile(r"[\x00-\x20]+")
"""Browsers skip these within a URL's scheme."""


def is_svg(path: Path, check: Callable[[], None]) -> bool:
    """Tell whether a file is well-formed XML whose root is an SVG. Blocks; `check` is called every few milliseconds.

    :raises InvalidRequest: it is, and holds what could run or grow.
    """
    reader = _Reader()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            check()
            if not reader.feed(piece):
                return False
    return reader.feed(b"", last=True)


class _Reader:
    def __init__(self) -> None:
        self._root: str | None = None
        self._before = ""
        """What was found before the first element."""
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EntityDeclHandler = self._entity
        self._parser.ProcessingInstructionHandler = self._instruction

    def feed(self, piece: bytes, *, last: bool = False) -> bool:
        """Read on; tell whether it may still be an SVG."""
        try:
            self._parser.Parse(piece, last)
        except (expat.ExpatError, ValueError, LookupError):  # the latter two for encodings that expat doesn't know
            return False
        return self._root in (None, "svg")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = _local(name)
        if self._root is None:
            self._root = tag
        if self._before:
            self._found(self._before)
        if tag in _ACTIVE:
            self._found(f"<{tag}>")
        for key, value in attributes.items():
            self._attribute(_local(key), _IGNORED.sub("", value).lower())

    def _attribute(self, key: str, value: str) -> None:
        if key.startswith("on") or (key == "attributename" and value.startswith("on")):
            self._found("an event handler")
        elif "javascript:" in value or "vbscript:" in value:
            self._found("a script's address")
        elif key in ("href", "src", "to", "from", "values") and "data:" in value and not _RASTER.match(value):
            self._found("an embedded document")

    def _entity(self, *_: object) -> None:
        self._found("an entity declaration")

    def _instruction(self, target: str, _: str) -> None:
        if target.lower() == "xml-stylesheet":
            self._found("a style sheet")

    def _found(self, what: str) -> None:
        """Refuse the file; before its first element only note it, as it may be no SVG."""
        self._before = what
        if self._root == "svg":
            raise InvalidRequest(
                f"The SVG holds {what}, which could run when it is opened. Send it without, or as a PNG."
            )


def _local(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition(" ")[2].lower()
