"""A file on its way to disk: counted, hashed and written piece by piece."""

import hashlib
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from studiogate.errors import ServiceUnavailable, TooLarge
from studiogate_attachments.settings import AttachmentsSettings


@attrs.define
class Budget:
    """Say how much one request may still store. Several files may draw from it at once."""

    settings: AttachmentsSettings
    spent: int = 0
    """Bytes stored so far."""
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def spend(self, size: int, of_file: int) -> None:
        """Take `size` more bytes for a file, which has `of_file` then.

        :raises TooLarge: the file or the request has too many.
        """
        if of_file > self.settings.max_file_bytes:
            raise too_large(self.settings)
        with self._lock:
            self.spent += size
        if self.spent > self.settings.max_request_bytes:
            raise TooLarge(f"The files of a request may have at most {self.settings.max_request_bytes} bytes together.")


def too_large(settings: AttachmentsSettings) -> TooLarge:
    """Return what a client is told of a file with too many bytes."""
    return TooLarge(f"A file may have at most {settings.max_file_bytes} bytes.")


class NewFile:
    """Write a new file (0600); a context manager that makes and closes it."""

    def __init__(self, path: Path, budget: Budget) -> None:
        self.path = path
        self.size = 0
        self._budget = budget
        self._digest = hashlib.sha256()
        self._descriptor = -1

    def __enter__(self) -> Self:
        try:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise _no_room(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    @property
    def sha256(self) -> str:
        """Return the hash of what has been written, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, piece: bytes) -> None:
        """Append a piece.

        :raises TooLarge: that is over a limit.
        :raises ServiceUnavailable: the disk doesn't take it.
        """
        self.size += len(piece)
        self._budget.spend(len(piece), self.size)
        self._digest.update(piece)
        left = memoryview(piece)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except OSError as error:
                raise _no_room(error) from None


def _no_room(error: OSError) -> ServiceUnavailable:
    return ServiceUnavailable(f"The gateway can't store the file: {error.strerror}.")
