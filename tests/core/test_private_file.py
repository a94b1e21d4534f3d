from pathlib import Path

import pytest

from studiogate.private_file import locked_folder, replace_file


def test_a_file_becomes_its_owners_only(tmp_path: Path) -> None:
    """Whatever it was before; what is returned is how it stands."""
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)

    status = replace_file(path, b"new")

    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert (status.st_ino, status.st_mtime_ns) == (path.stat().st_ino, path.stat().st_mtime_ns)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_link_goes_on_leading_to_the_file(tmp_path: Path) -> None:
    """What it leads to is what changes."""
    path = tmp_path / "file"
    path.write_text("old")
    link = tmp_path / "link"
    link.symlink_to(path)
    replace_file(link, b"new")

    assert link.is_symlink()
    assert path.read_bytes() == b"new"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """Here a folder stands where the file should."""
    path = tmp_path / "file"
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(path, b"new")

    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_missing_folder_is_made_its_owners_only(tmp_path: Path) -> None:
    """The file in it is to be private."""
    path = tmp_path / "folder" / "file"
    with locked_folder(path):
        assert path.parent.stat().st_mode & 0o777 == 0o700
