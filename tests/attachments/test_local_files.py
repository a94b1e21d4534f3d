import os
import socket
from pathlib import Path

import pytest

from studiogate import InvalidRequest
from studiogate_attachments.local_files import SharedFolders

NOT_SHARED = "in no folder that this gateway shares"
MISSING = "no such file"


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Make a shared folder with a file in it, and a secret beside it."""
    folder = tmp_path / "shared"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.txt").write_text("Hello")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def read(shared: Path, path: object) -> bytes:
    """Read a file by path, below a shared folder."""
    return b"".join(SharedFolders([shared]).pieces(str(path)))


def test_a_file_below_a_shared_folder_is_read(shared: Path) -> None:
    """Also by a path that goes round within it."""
    for path in ("sub/a.txt", "./sub//a.txt", "sub/../sub/a.txt"):
        assert read(shared, f"{shared}/{path}") == b"Hello"


def test_a_long_file_is_read_in_pieces(shared: Path) -> None:
    """Not all of it is in memory at once."""
    data = os.urandom(3 * 1024 * 1024 + 5)
    (shared / "long").write_bytes(data)
    pieces = list(SharedFolders([shared]).pieces(str(shared / "long")))

    assert b"".join(pieces) == data
    assert len(pieces) > 10


def test_links_within_the_folder_lead_where_they_lead(shared: Path) -> None:
    """The operator's own links are fine, and so is a shared folder that is itself behind one."""
    (shared / "link").symlink_to("sub/a.txt")
    (shared.parent / "alias").symlink_to(shared)

    assert read(shared, shared / "link") == b"Hello"
    assert read(shared.parent / "alias", shared.parent / "alias" / "sub" / "a.txt") == b"Hello"
    assert read(shared.parent / "alias", shared / "sub" / "a.txt") == b"Hello"


@pytest.mark.parametrize(
    "path",
    [
        "{shared}/../secret.txt",
        "{shared}/sub/../../secret.txt",
        "{shared}/../shared/../secret.txt",
        "{shared}-not/a.txt",
        "//{shared}/sub/../../secret.txt",
        "/etc/passwd",
        "/etc/../etc/passwd",
        "//server/share/a.txt",
        "/proc/self/environ",
        "/proc/self/root/etc/passwd",
        "/dev/zero",
        "/",
        "relative.txt",
        "",
    ],
)
def test_what_is_not_shared_is_not_even_looked_for(shared: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal is the same whether the file is there or not, and comes before the file system is asked."""
    asked: list[object] = []
    realpath = os.path.realpath

    def watched(path: str | Path, *, strict: bool = False) -> str:
        asked.append(path)
        return realpath(path, strict=strict)

    monkeypatch.setattr(os.path, "realpath", watched)
    monkeypatch.setattr(os, "open", None)

    with pytest.raises(InvalidRequest, match=NOT_SHARED):
        read(shared, path.format(shared=shared))
    assert asked == [shared]


def test_a_link_does_not_lead_out(shared: Path) -> None:
    """Of a file, of a folder on the way, through `..` behind a link."""
    secret = shared.parent / "secret.txt"
    (shared / "file").symlink_to(secret)
    (shared / "folder").symlink_to(shared.parent)
    (shared / "chain").symlink_to(shared / "file")
    for path in ("file", "folder/secret.txt", "chain", "folder/shared/../secret.txt"):
        with pytest.raises(InvalidRequest, match=NOT_SHARED):
            read(shared, shared / path)


@pytest.mark.parametrize("swapped", ["sub", "b.txt"])
def test_a_swap_after_the_check_does_not_lead_out(shared: Path, swapped: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was checked as a folder or a file, and is a link when it is opened, is refused."""
    secrets = shared.parent / "secrets"
    secrets.mkdir()
    (secrets / "a.txt").write_text("secret")
    (shared / "b.txt").write_text("Hello")
    target = shared / swapped
    path = target / "a.txt" if target.is_dir() else target
    realpath = os.path.realpath

    def then_swapped(asked: str | Path, *, strict: bool = False) -> str:
        found = realpath(asked, strict=strict)
        if str(asked) == str(path):
            is_folder = target.is_dir()
            target.rename(shared / "was")
            target.symlink_to(secrets if is_folder else secrets / "a.txt")
        return found

    monkeypatch.setattr(os.path, "realpath", then_swapped)

    with pytest.raises(InvalidRequest, match=r"no such file|no regular file"):
        read(shared, path)
    assert target.is_symlink()


def test_only_regular_files_are_opened(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe would be waited for, a device woken, a folder means nothing."""
    os.mkfifo(shared / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(shared)  # a socket's path may be 100 bytes long
        server.bind("socket")
        for name in ("pipe", "socket", "sub", ""):
            with pytest.raises(InvalidRequest, match="no regular file"):
                read(shared, shared / name)


def test_devices_are_not_opened() -> None:
    """Not even where their folder is shared."""
    for path in ("/dev/zero", "/dev/null"):
        with pytest.raises(InvalidRequest, match="no regular file"):
            read(Path("/dev"), path)


@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc/self/status", "/sys/kernel/notes", "/proc/version"])
def test_the_kernels_views_are_never_read(path: str) -> None:
    """Not even by an operator who shares everything."""
    with pytest.raises(InvalidRequest, match=NOT_SHARED):
        read(Path("/"), path)


def test_nobody_learns_what_there_is_elsewhere(shared: Path) -> None:
    """A link of the operator's own that leads out tells neither what is there nor what isn't."""
    (shared / "up").symlink_to(shared.parent)
    for name in ("secret.txt", "gone.txt", "gone/gone.txt"):
        with pytest.raises(InvalidRequest, match=NOT_SHARED):
            read(shared, shared / "up" / name)


@pytest.mark.parametrize("name", ["loop", "loop/a.txt", "x" * 300])
def test_what_leads_nowhere_is_refused(shared: Path, name: str) -> None:
    """A link in a circle, a name that is too long."""
    (shared / "loop").symlink_to("loop")

    with pytest.raises(InvalidRequest, match=r"no regular file|can't be read|no such file"):
        read(shared, f"{shared}/{name}")


@pytest.mark.parametrize("name", ["gone.txt", "gone/a.txt", "sub/a.txt/x", "a\0b", "a\ud800b"])
def test_what_is_not_there_is_told(shared: Path, name: str) -> None:
    """In a shared folder, and nowhere else, a client may know what there is."""
    with pytest.raises(InvalidRequest, match=MISSING):
        read(shared, f"{shared}/{name}")


def test_without_a_shared_folder_the_refusal_says_how_to_get_one() -> None:
    """By default nothing is shared."""
    with pytest.raises(InvalidRequest, match=r"allowed_roots in the \[attachments\] table"):
        list(SharedFolders([]).pieces("/etc/hostname"))


def test_what_the_gateway_may_not_read_is_told(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is the system's, without a path."""
    really = os.open

    def denied(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == "a.txt":
            raise PermissionError(13, "Permission denied", "/srv/a.txt")
        return really(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", denied)

    with pytest.raises(InvalidRequest) as refusal:
        read(shared, shared / "sub" / "a.txt")
    assert refusal.value.message == "The file can't be read: Permission denied."
