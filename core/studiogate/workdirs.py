"""Folders for what exchanges put on disk: gone when the exchange ends, and at the next start after a crash.

    upload_files/                     the base: the operator's, shared by any number of gateways
      studiogate-1f0c…/               one running gateway's, locked as long as its process lives
        req_…/                        one exchange's

A lock on a folder (`flock`) ends with its process, however that ends. So at a start every folder of this shape that
nobody locks was left by a crash and is removed; nothing else in the base is ever touched. Making and removing happen
under a lock on the base itself, so that no gateway takes another's newborn folder for a dead one.
"""

import asyncio
import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from studiogate.errors import ConfigurationError, InternalError

PREFIX = "studiogate-"
_OURS = re.compile(rf"{PREFIX}[0-9a-z_]{{8}}")


class Workdirs:
    """Make folders below a base, while it is open."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._own: Path | None = None

    @property
    def open(self) -> bool:
        """Whether folders can be made."""
        return self._own is not None

    @contextmanager
    def opened(self) -> Generator[None]:
        """Remove what crashes left, and hold a folder of this gateway until the end.

        :raises ConfigurationError: the base can't be made, or written to.
        """
        try:
            self._base.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(self._base):
                _remove_abandoned(self._base)
                self._own = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._base))
                held = _lock(self._own)
        except OSError as error:
            raise ConfigurationError(
                f"[gateway] upload_files_dir: can't be used: {error.strerror}. Name a folder that the gateway may "
                "make and write to."
            ) from None
        try:
            yield
        finally:
            own, self._own = self._own, None
            shutil.rmtree(own, ignore_errors=True)
            os.close(held)

    @asynccontextmanager
    async def folder(self, name: str) -> AsyncGenerator[Path]:
        """Make an empty folder (0700) and remove it, with all that is in it, at the end; big files take a moment."""
        if self._own is None:
            raise InternalError("There is no folder for files: the gateway is not running.")
        path = self._own / name
        path.mkdir(mode=0o700)
        try:
            yield path
        finally:
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)


def _remove_abandoned(base: Path) -> None:
    for entry in os.scandir(base):
        status = entry.stat(follow_symlinks=False)
        if _OURS.fullmatch(entry.name) and stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
            path = Path(entry.path)
            with suppress(BlockingIOError):  # its gateway is alive
                held = _lock(path)
                try:
                    shutil.rmtree(path, ignore_errors=True)
                finally:
                    os.close(held)


def _lock(folder: Path) -> int:
    """Lock a folder; the lock lasts until the descriptor returned is closed.

    :raises BlockingIOError: somebody else has it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def _locked(base: Path) -> Generator[None]:
    """Hold the base for a moment; another gateway's start is waited for."""
    descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
