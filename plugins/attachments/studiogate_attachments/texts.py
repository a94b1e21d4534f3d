"""Whether a file is text: UTF-8 to its end, without the control characters that only binary files have."""

import codecs
import re
from collections.abc import Callable
from pathlib import Path

_PIECE = 128 * 1024
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
"""All but white space and the escape character, which logs hold for their colours."""


def is_text(path: Path, check: Callable[[], None]) -> bool:
    """Tell whether a file is. Blocks; `check` is called every few milliseconds."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            check()
            if _CONTROLS.search(piece):
                return False
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                return False
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
