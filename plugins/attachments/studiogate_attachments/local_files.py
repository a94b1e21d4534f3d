"""Files of this machine, below the folders that the operator shares, and nothing else.

    what the client wrote ── below a shared folder? ── links resolved ── still below one? ── opened name by name

The first question is asked of the text alone: for a path that isn't shared, the file system isn't touched. The last
step follows no link, so whatever is swapped between the check and the opening can't lead outside. Only regular files
are opened, so that no device is woken and no pipe waited for.
"""

import os
import stat
from collections.abc import Generator, Sequence
from pathlib import Path

from studiogate.errors import InvalidRequest

_NEVER = (Path("/proc"), Path("/sys"))
"""Regular files to look at, but views of the kernel's and the gateway's own secrets: not even where `/` is shared."""
_PIECE = 128 * 1024


class SharedFolders:
    """Open files below folders."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(Path(os.path.normpath(root)) for root in roots)

    def pieces(self, path: str) -> Generator[bytes]:
        """Yield what is in a file. Blocks.

        :param path: absolute, as the client wrote it.
        :raises InvalidRequest: it isn't shared, isn't there, or isn't a file.
        """
        descriptor = self._open(path)
        try:
            while piece := os.read(descriptor, _PIECE):
                yield piece
        finally:
            os.close(descriptor)

    def _open(self, path: str) -> int:
        if not self._roots:
            raise InvalidRequest(
                "This gateway shares no files by path. Send the file itself, as a data: URL; or its operator can share "
                "a folder: allowed_roots in the [attachments] table of plugins.toml."
            )
        if "\0" in path:
            raise _missing()
        wanted = Path(os.path.normpath(path))
        resolved_roots = [Path(os.path.realpath(root)) for root in self._roots]
        if not any(wanted.is_relative_to(root) for root in (*self._roots, *resolved_roots)):
            raise _not_shared()
        try:
            # From the path as it came: `..` after a link means the link's target's parent.
            found = Path(os.path.realpath(path))
        except ValueError:  # a name that the file system can't have
            raise _missing() from None
        # Before whether it is there: of what isn't shared nobody learns even that.
        root = next((root for root in resolved_roots if found.is_relative_to(root)), None)
        if root is None or any(found.is_relative_to(never) for never in _NEVER):
            raise _not_shared()
        return _opened(root, found.relative_to(root).parts)


def _opened(root: Path, names: Sequence[str]) -> int:
    """Open a regular file below a folder, name by name, following no link."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in names[:-1]:
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        return _opened_file(folder, names[-1] if names else ".")
    except (FileNotFoundError, NotADirectoryError):
        raise _missing() from None
    except OSError as error:
        raise InvalidRequest(f"The file can't be read: {error.strerror}.") from None
    finally:
        os.close(folder)


def _opened_file(folder: int, name: str) -> int:
    _refuse_others(os.stat(name, dir_fd=folder, follow_symlinks=False))
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY, dir_fd=folder)
    try:
        _refuse_others(os.fstat(descriptor))
    except InvalidRequest:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_others(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise InvalidRequest("The path names no regular file.")


def _not_shared() -> InvalidRequest:
    return InvalidRequest("The file is in no folder that this gateway shares.")


def _missing() -> InvalidRequest:
    return InvalidRequest("There is no such file.")
