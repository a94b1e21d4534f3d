import os
import threading
from pathlib import Path

import pytest

from studiogate import ConfigurationError
from studiogate.keys import read_keys
from studiogate.keys_file import add_key, remove_key

KEY = "sk-first-key-1234"
OTHER = "sk-second-key-5678"
TWIN = "sk-first-but-another-1234"
"""Looks like KEY when masked, in the first four characters and the last."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a file of keys as people keep them."""
    path = tmp_path / "key.txt"
    path.write_bytes(f"# Alice\r\n{KEY}\r\n\r\n  {OTHER}  \n# the end, without a newline".encode())
    path.chmod(0o600)
    return path


def mode(path: Path) -> int:
    """Return who may do what with it."""
    return path.stat().st_mode & 0o777


def test_the_first_key_makes_file_and_folder(tmp_path: Path) -> None:
    """Both are their owner's only, whatever the process's mask allows."""
    path = tmp_path / "auth_profiles" / "key.txt"
    mask = os.umask(0)
    try:
        add_key(path, KEY)
    finally:
        os.umask(mask)

    assert path.read_text() == f"{KEY}\n"
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


def test_a_key_is_added_at_the_end(path: Path) -> None:
    """On a line of its own, and nothing else changes by a byte."""
    before = path.read_bytes()
    add_key(path, "another-key")

    assert path.read_bytes() == before + b"\nanother-key\n"


def test_a_file_that_others_could_read_no_longer_can_be(path: Path) -> None:
    """Whoever changes it makes it private."""
    path.chmod(0o644)
    add_key(path, "another-key")

    assert mode(path) == 0o600


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("short", "the key is shorter than 8 characters."),
        ("", "the key is shorter than 8 characters."),
        ("with a space", "the key holds something else"),
        ("#comment-or-key", "the key begins with '#'"),
        (KEY, "key.txt: line 2 holds this key already."),
    ],
)
def test_bad_keys_are_not_added(path: Path, key: str, message: str) -> None:
    """The file stays as it is, and the message doesn't repeat the key."""
    before = path.read_bytes()
    with pytest.raises(ConfigurationError) as refusal:
        add_key(path, key)

    assert str(refusal.value).startswith(message)
    assert KEY not in str(refusal.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("which", [KEY, "sk-f****1234", "2"])
def test_a_key_is_removed_by_what_is_shown_of_it(path: Path, which: str) -> None:
    """Itself, masked, or the number of its line; the rest stays as it is, comments and ends of lines too."""
    assert remove_key(path, which) == "sk-f****1234"
    assert path.read_bytes() == f"# Alice\r\n\r\n  {OTHER}  \n# the end, without a newline".encode()


def test_a_key_is_removed_from_every_line(path: Path) -> None:
    """Removed means that it is valid no longer."""
    path.write_text(f"{KEY}\n{OTHER}\n{KEY}\n")
    remove_key(path, "3")

    assert path.read_text() == f"{OTHER}\n"


@pytest.mark.parametrize("which", ["1", "3", "9", "", "****", "sk-f****", KEY[:-1], "# Alice", "short"])
def test_what_is_no_key_is_not_removed(path: Path, which: str) -> None:
    """Comments and blank lines have numbers too, but aren't keys."""
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match=r"^key\.txt: holds no such key\. 'studiogate keys list' shows"):
        remove_key(path, which)

    assert path.read_bytes() == before


def test_what_fits_several_keys_is_refused(path: Path) -> None:
    """One message tells the lines, and the key or a number still says which."""
    path.write_text(f"{KEY}\n# twin\n{TWIN}\n")
    with pytest.raises(ConfigurationError) as refusal:
        remove_key(path, "sk-f****1234")
    remove_key(path, KEY)

    assert str(refusal.value) == ("key.txt: that fits several keys, in lines 1, 3. Name one by the number of its line.")
    assert path.read_text() == f"# twin\n{TWIN}\n"


def test_removing_from_a_missing_file_makes_nothing(tmp_path: Path) -> None:
    """Neither a file nor a folder for it."""
    with pytest.raises(ConfigurationError, match="holds no such key"):
        remove_key(tmp_path / "auth_profiles" / "key.txt", KEY)

    assert list(tmp_path.iterdir()) == []


def test_a_broken_file_is_not_changed(path: Path) -> None:
    """What stands in it has to be put right first; the message says where."""
    path.write_text("short\n")
    for change in (add_key, remove_key):
        with pytest.raises(ConfigurationError, match="line 1: the key is shorter"):
            change(path, KEY)

    assert path.read_text() == "short\n"


def test_a_link_stays_a_link(path: Path) -> None:
    """The file it leads to is the one that changes."""
    link = path.with_name("link.txt")
    link.symlink_to(path.name)
    add_key(link, "another-key")

    assert link.is_symlink()
    assert "another-key" in path.read_text()


def test_a_file_that_cant_be_written_is_told(tmp_path: Path) -> None:
    """As wrong configuration, without the path of its folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"^key\.txt: can't be changed: File exists\.$"):
        add_key(tmp_path / "file" / "key.txt", KEY)


def test_a_change_that_fails_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stays, and no piece of a new one lies beside it."""
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", _full_disk)
    with pytest.raises(ConfigurationError, match="can't be changed: No space left on device"):
        add_key(path, "another-key")

    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def _full_disk(_: int) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays_the_owner(path: Path) -> None:
    """A gateway that runs as somebody else can still read what root changed."""
    os.chown(path, 1234, 1235)
    add_key(path, "another-key")

    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)


def test_changes_at_the_same_time_all_count(path: Path) -> None:
    """None overwrites another's, and whoever reads meanwhile finds a whole file."""
    names = [f"key-number-{number}" for number in range(20)]
    threads = [threading.Thread(target=add_key, args=(path, name)) for name in names]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert read_keys(path)[0].text == KEY

    assert {line.text for line in read_keys(path)} == {KEY, OTHER, *names}
