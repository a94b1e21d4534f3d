"""How big a file gets when somebody opens it: the browser that shows an image, the upstream that unpacks a ZIP.

Both say so themselves, in headers that are read here without opening anything. What a ZIP says may be a lie, which
whoever unpacks it finds out.
"""

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

# Annotated, but without py.typed.
import imagesize  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from studiogate.errors import InvalidRequest, TooLarge
from studiogate_attachments.kinds import BMP, GIF, JPEG, PNG, WEBP, ZIP, Kind

ALWAYS_FINE = 64 * 1024 * 1024
"""Bytes that a file may grow to whatever its ratio."""
_BYTES_PER_PIXEL = 4
_IMAGES = (PNG, JPEG, GIF, WEBP, BMP)

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_EXTRA = struct.Struct("<2H")
_ZIP64 = 1
_UNKNOWN = 0xFFFFFFFF
_LONGEST_COMMENT = 0xFFFF
_CHECK_EVERY = 1000


def refuse_bombs(path: Path, kind: Kind, ratio: float, check: Callable[[], None]) -> None:
    """Refuse a file that grows to more than `ratio` times its size, beyond what is always fine. Blocks.

    :raises TooLarge: it does.
    :raises InvalidRequest: it is broken: it doesn't even say.
    """
    size = path.stat().st_size
    opened = _pixels(path) * _BYTES_PER_PIXEL if kind in _IMAGES else _unpacked(path, check) if kind is ZIP else 0
    if opened > ALWAYS_FINE and opened > size * ratio:
        raise TooLarge(
            f"Opened, the file would have {opened} bytes, more than {ratio:g} times its size, which this gateway "
            "doesn't pass on."
        )


def _pixels(path: Path) -> int:
    width = height = -1
    with path.open("rb") as file, suppress(ValueError, struct.error, OSError, IndexError, TypeError):
        width, height = imagesize.get(file)  # pyright: ignore[reportUnknownMemberType] - it leaves PathLike open
    if width < 0 or height < 0:
        raise InvalidRequest("The image is broken: it doesn't say how big it is.")
    return width * height


def _unpacked(path: Path, check: Callable[[], None]) -> int:
    try:
        with path.open("rb") as file:
            total = 0
            for number, size in enumerate(_sizes(file)):
                if number % _CHECK_EVERY == 0:
                    check()
                total += size
            return total
    except (struct.error, ValueError, OSError):
        raise InvalidRequest("The ZIP is broken: it doesn't say what is in it.") from None


def _sizes(file: BinaryIO) -> Iterator[int]:
    """Yield the size that each file of a ZIP has unpacked, from its central directory."""
    start, length = _directory(file)
    file.seek(start)
    while length > 0:
        entry = _ENTRY.unpack(file.read(_ENTRY.size))
        if entry[0] != b"PK\1\2":
            raise ValueError
        size, name, extra, comment = entry[9:13]
        file.seek(name, os.SEEK_CUR)
        extras = file.read(extra)
        file.seek(comment, os.SEEK_CUR)
        yield _size64(extras) if size == _UNKNOWN else size
        length -= _ENTRY.size + name + extra + comment


def _directory(file: BinaryIO) -> tuple[int, int]:
    """Return where the central directory begins, and its bytes."""
    end = file.seek(0, os.SEEK_END)
    tail_start = file.seek(max(0, end - _LONGEST_COMMENT - _END.size - _END64_LOCATOR.size))
    tail = file.read()
    found = tail.rfind(b"PK\5\6")
    if found < 0:
        raise ValueError
    _, _, _, _, _, length, start, _ = _END.unpack_from(tail, found)
    if found >= _END64_LOCATOR.size and tail[found - _END64_LOCATOR.size :].startswith(b"PK\6\7"):
        file.seek(_END64_LOCATOR.unpack_from(tail, found - _END64_LOCATOR.size)[2])
        end64 = _END64.unpack(file.read(_END64.size))
        if end64[0] != b"PK\6\6":
            raise ValueError
        return end64[9], end64[8]
    # What stands before the archive, as in self-extracting ones, shifts its offsets.
    return start + max(0, tail_start + found - length - start), length


def _size64(extras: bytes) -> int:
    at = 0
    while at + _EXTRA.size <= len(extras):
        kind, length = _EXTRA.unpack_from(extras, at)
        at += _EXTRA.size
        if kind == _ZIP64:
            return int.from_bytes(extras[at : at + 8], "little")
        at += length
    return _UNKNOWN
