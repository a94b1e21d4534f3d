import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from studiogate.errors import ConfigurationError, InternalError
from studiogate.workdirs import Workdirs

CRASHING = """
import asyncio, os, signal, sys
from pathlib import Path
from studiogate.workdirs import Workdirs

async def main():
    dirs = Workdirs(Path(sys.argv[1]))
    with dirs.opened():
        async with dirs.folder("req_1") as folder:
            (folder / "picture.png").write_bytes(b"x")
            print(folder, flush=True)
            sys.stdin.read()

asyncio.run(main())
"""


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(entry.name for entry in folder.iterdir())


def mode(path: Path) -> str:
    """Return who may do what with a path."""
    return oct(path.stat().st_mode & 0o777)


async def test_a_folder_is_private_and_gone_at_its_end(tmp_path: Path) -> None:
    """Nobody else reads what a request brings, and nothing of it stays."""
    dirs = Workdirs(tmp_path / "upload_files")
    with dirs.opened():
        async with dirs.folder("req_1") as folder:
            (folder / "sub").mkdir()
            (folder / "sub" / "file").write_bytes(b"x")
            modes = [mode(each) for each in (folder, folder.parent, folder.parent.parent)]
        within = names(folder.parent)

    assert modes == ["0o700"] * 3
    assert within == []
    assert names(tmp_path / "upload_files") == []


async def test_what_is_left_open_is_removed_when_the_gateway_ends(tmp_path: Path) -> None:
    """The gateway's own folder goes with all that is in it."""
    dirs = Workdirs(tmp_path)
    with dirs.opened():
        left = dirs.folder("req_1")
        await left.__aenter__()

    assert names(tmp_path) == []


def test_a_start_removes_what_a_crash_left(tmp_path: Path) -> None:
    """A killed gateway's folder is found by its lock, which died with it; a living one's stays."""
    command = [sys.executable, "-c", CRASHING, str(tmp_path)]
    killed, living = (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    )
    with killed, living:
        assert killed.stdout is not None
        assert living.stdout is not None
        left, held = Path(killed.stdout.readline().strip()), Path(living.stdout.readline().strip())
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        still_there = (left / "picture.png").exists()
        with Workdirs(tmp_path).opened():
            there = (left.parent.exists(), (held / "picture.png").exists())
        living.kill()

    assert still_there
    assert there == (False, True)


def test_nothing_but_folders_of_gateways_is_removed(tmp_path: Path) -> None:
    """The operator may keep other things in the base; neither they nor what links point at is touched."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    base = tmp_path / "base"
    for name in ("studiogate-12345678", "studiogate-", "studiogate-123456789", "studiogate-ABCDEFGH", "mine"):
        (base / name).mkdir(parents=True)
    (base / "studiogate-aaaaaaaa").write_text("a file")
    (base / "studiogate-bbbbbbbb").symlink_to(outside)
    before = set(names(base))

    with Workdirs(base).opened():
        pass

    assert before - set(names(base)) == {"studiogate-12345678"}
    assert (outside / "precious").exists()


def test_a_base_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    """The operator reads which setting is wrong, and how."""
    (tmp_path / "file").touch()

    with pytest.raises(ConfigurationError, match=r"\[gateway\] upload_files_dir: can't be used: Not a directory"):
        Workdirs(tmp_path / "file" / "below").opened().__enter__()


async def test_there_are_no_folders_while_it_is_closed(tmp_path: Path) -> None:
    """Nothing is put where nobody would remove it."""
    with pytest.raises(InternalError):
        await Workdirs(tmp_path).folder("req_1").__aenter__()
