"""Files with one entry a line that people edit while the gateway runs: API keys, excluded models.

Blank lines and lines that begin with `#` are left out. A missing file is an empty one.
"""

from collections.abc import Callable
from pathlib import Path

import attrs

from studiogate.errors import ConfigurationError


@attrs.frozen
class Line:
    """Hold one entry."""

    number: int
    """Its line in the file, the first being 1."""
    text: str
    """Without white space around it."""


def read_lines(path: Path) -> list[Line]:
    """Read a file's entries in order.

    :raises ConfigurationError: it can't be read or is not UTF-8 text; names the file without its folders.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return []
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path.name}: is not UTF-8 text.") from None
    except OSError as error:
        raise ConfigurationError(f"{path.name}: can't be read: {error.strerror}.") from None
    lines = (Line(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1))
    return [line for line in lines if line.text and not line.text.startswith("#")]


@attrs.define(eq=False)
class Watched[T]:
    """Keep what is made of a file, and make it anew when the file has changed."""

    path: Path
    _make: Callable[[Path], T]
    """Reads the file, which may be missing; may raise `ConfigurationError`."""
    _value: T = attrs.field(init=False)
    _seen: tuple[int, int, int] | None = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._seen = _stamp(self.path)
        self._value = self._make(self.path)

    @property
    def current(self) -> T:
        """Return what the file says now.

        :raises ConfigurationError: the file has changed and is wrong. Raised once per change; until the next one the
            last good value holds.
        """
        stamp = _stamp(self.path)
        if stamp != self._seen:
            # Noted first: a file that is wrong is complained of once.
            self._seen = stamp
            self._value = self._make(self.path)
        return self._value


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file does: an editor may replace it, or write it twice within the clock's tick."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
