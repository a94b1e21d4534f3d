import struct
from pathlib import Path

import pytest

from studiogate.errors import InvalidRequest, TooLarge
from studiogate_attachments.expansion import refuse_bombs
from studiogate_attachments.kinds import GIF, JPEG, PNG, ZIP, Kind, kind_named

from .samples import FILES, JPEG as A_JPEG, png, zipped

MB = 1024 * 1024


def look(tmp_path: Path, data: bytes, kind: Kind, ratio: float = 200) -> None:
    """Look at bytes."""
    path = tmp_path / "file"
    path.write_bytes(data)
    refuse_bombs(path, kind, ratio, lambda: None)


@pytest.mark.parametrize("name", FILES)
def test_small_files_are_fine_whatever_their_ratio(tmp_path: Path, name: str) -> None:
    """Of every kind, as a blank page may well shrink to nothing."""
    data, mime = FILES[name]
    kind = kind_named(mime)
    assert kind is not None

    look(tmp_path, data, kind, ratio=0.001)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (png(50_000, 50_000), PNG),
        (A_JPEG.replace(b"\0\x10\0\x10", b"\xff\xff\xff\xff"), JPEG),
        (FILES["a.gif"][0].replace(b"a\1\0\1\0", b"a\xff\x7f\xff\x7f", 1), GIF),
        (zipped(a=bytes(100 * MB)), ZIP),
        (zipped(**{f"{number}": bytes(9 * MB) for number in range(8)}), ZIP),
    ],
)
def test_what_grows_out_of_proportion_is_refused(tmp_path: Path, data: bytes, kind: Kind) -> None:
    """A picture to its pixels, a ZIP to its files; the operator says which proportion."""
    with pytest.raises(TooLarge, match="more than 200 times its size"):
        look(tmp_path, data, kind)
    look(tmp_path, data, kind, ratio=1e9)


def test_a_big_picture_of_many_bytes_is_fine(tmp_path: Path) -> None:
    """Its size isn't held against it, only its emptiness."""
    look(tmp_path, png(5000, 5000, more=bytes(MB)), PNG)


def test_a_zip_of_zip64_is_read(tmp_path: Path) -> None:
    """Sizes that need more than 32 bits stand elsewhere."""
    name, huge = b"a", 2**40
    extra = struct.pack("<HHQ", 1, 8, huge)
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 45, 45, 0, 8, 0, 0, 0, 100, 0xFFFFFFFF, 1, len(extra), 0, 0, 0, 0, 0)
    directory = entry + name + extra
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(directory), 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(directory), 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0)

    with pytest.raises(TooLarge, match=str(huge)):
        look(tmp_path, directory + end64 + locator + end, ZIP)


def test_a_zip_may_have_a_comment_and_something_before_it(tmp_path: Path) -> None:
    """As self-extracting ones do."""
    bomb = zipped(a=bytes(100 * MB))

    with pytest.raises(TooLarge):
        look(tmp_path, b"#!/bin/sh\n" * 100 + bomb, ZIP)
    with pytest.raises(TooLarge):
        look(tmp_path, bomb[:-2] + struct.pack("<H", 500) + b"c" * 500, ZIP)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (FILES["a.png"][0][:20], PNG),
        (b"\xff\xd8\xff\xe0", JPEG),
        (zipped(a="x")[:-30], ZIP),
        (zipped(a="x").replace(b"PK\1\2", b"PK\1\3"), ZIP),
        (b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 9, 9, 900, 0, 0), ZIP),
    ],
    ids=["a half PNG", "a JPEG's first bytes", "a ZIP cut off", "a ZIP with no directory", "a ZIP that miscounts"],
)
def test_what_is_broken_is_refused(tmp_path: Path, data: bytes, kind: Kind) -> None:
    """Nobody could open it, and its size can't be known."""
    with pytest.raises(InvalidRequest, match="broken"):
        look(tmp_path, data, kind)
