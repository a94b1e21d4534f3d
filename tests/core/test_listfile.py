from pathlib import Path

import pytest

from studiogate import ConfigurationError
from studiogate.listfile import Line, Watched, read_lines


def _texts(path: Path) -> list[str]:
    return [line.text for line in read_lines(path)]


def _refusing_bad(path: Path) -> list[str]:
    texts = _texts(path)
    if "bad" in texts:
        raise ConfigurationError("bad")
    return texts


def test_entries_are_numbered_and_comments_left_out(tmp_path: Path) -> None:
    """A person finds the line an error names."""
    path = tmp_path / "list.txt"
    path.write_text("\ufeff# first\n\n  one  \r\n#two\nthree", encoding="utf-8")

    assert read_lines(path) == [Line(3, "one"), Line(5, "three")]


def test_a_missing_file_is_empty(tmp_path: Path) -> None:
    """Nobody has to make one."""
    assert read_lines(tmp_path / "none.txt") == []


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """The message names the file, and no folder of the server."""
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigurationError, match=r"^list\.txt: is not UTF-8 text\.$"):
        read_lines(path)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    """What can't be read is no empty list: a list of keys would open the gateway."""
    with pytest.raises(ConfigurationError, match="can't be read: Is a directory"):
        read_lines(tmp_path)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """Made, changed, replaced and removed files all count."""
    path = tmp_path / "list.txt"
    watched = Watched(path, _texts)
    seen = [watched.current]
    path.write_text("one")
    seen.append(watched.current)
    path.write_text("one\ntwo")
    seen.append(watched.current)
    (tmp_path / "new.txt").write_text("six\ntwo")
    (tmp_path / "new.txt").replace(path)
    seen.append(watched.current)
    path.unlink()
    seen.append(watched.current)

    assert seen == [[], ["one"], ["one", "two"], ["six", "two"], []]


def test_a_bad_change_is_told_once_and_changes_nothing(tmp_path: Path) -> None:
    """The last good value holds until the file is right again."""
    path = tmp_path / "list.txt"
    path.write_text("good")
    watched = Watched(path, _refusing_bad)
    path.write_text("bad")

    with pytest.raises(ConfigurationError, match="bad"):
        _ = watched.current
    assert watched.current == ["good"]
    path.write_text("better")
    assert watched.current == ["better"]
