import logging
from pathlib import Path
from typing import Any

import pytest

from studiogate import ConfigurationError
from studiogate.exchange import Caller
from studiogate.keys import ApiKeys, flaw, masked, read_keys
from studiogate.settings import GatewaySettings

KEY = "sk-first-key-1234"
OTHER = "sk-second-key-5678"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a file of one key, its owner's only."""
    path = tmp_path / "key.txt"
    path.write_text(f"{KEY}\n")
    path.chmod(0o600)
    return path


def keys_of(path: Path, **settings: Any) -> ApiKeys:
    """Read keys as a gateway does."""
    return ApiKeys(GatewaySettings(keys_file=path, **settings))


@pytest.mark.parametrize(
    ("key", "mask"),
    [
        ("abcdefgh", "ab****gh"),
        ("abcdefghijk", "ab****jk"),
        ("abcdefghijkl", "abcd****ijkl"),
        ("abcd-whatever-efgh", "abcd****efgh"),
    ],
)
def test_a_mask_shows_less_than_it_hides(key: str, mask: str) -> None:
    """Eight characters of a long key; half of the shortest there is."""
    assert masked(key) == mask


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "is shorter than 8 characters"),
        ("1234567", "is shorter than 8 characters"),
        ("two words", "holds something else than ASCII letters"),
        ("tab\tinside", "holds something else than ASCII letters"),
        ("schlüssel-1", "holds something else than ASCII letters"),
        ("bell\x07inside", "holds something else than ASCII letters"),
        ("delete\x7finside", "holds something else than ASCII letters"),
        ("#12345678", "begins with '#', as comments do"),
    ],
)
def test_a_bad_key_has_a_flaw(key: str, why: str) -> None:
    """What HTTP can't carry as it is, or the file not tell from a comment, or anybody could guess."""
    assert (flaw(key) or "").startswith(why)


@pytest.mark.parametrize("key", ["12345678", "!~#$%&'()*+,-./:;<=>?@[]^_`{|}", "k" * 1000])
def test_a_good_key_has_no_flaw(key: str) -> None:
    """Any printable characters without spaces, from eight on."""
    assert flaw(key) is None


def test_comments_and_blank_lines_are_no_keys(path: Path) -> None:
    """The guide's example of a file."""
    path.write_text("your-api-key-1\r\nyour-api-key-2\r\n# 注释行会被忽略\r\n\r\n  another-api-key  ", encoding="utf-8")

    assert [(line.number, line.text) for line in read_keys(path)] == [
        (1, "your-api-key-1"),
        (2, "your-api-key-2"),
        (5, "another-api-key"),
    ]


def test_bad_lines_are_all_named_and_no_key_is(path: Path) -> None:
    """Whoever has to correct the file finds them at once; whoever reads the log learns no key."""
    path.write_text(f"{KEY}\nsh0rt\n# fine\n{OTHER} # of Alice\n")

    with pytest.raises(ConfigurationError) as refusal:
        keys_of(path)

    first, second = str(refusal.value).splitlines()
    assert first == "key.txt: line 2: the key is shorter than 8 characters."
    assert second.startswith("key.txt: line 4: the key holds something else than ASCII letters")
    assert not [word for word in (KEY, OTHER, "sh0rt", str(path.parent)) if word in str(refusal.value)]


def test_a_file_that_cant_be_read_is_no_open_door(tmp_path: Path) -> None:
    """Something is there: that it has no keys is nobody's guess to make."""
    with pytest.raises(ConfigurationError, match="can't be read"):
        keys_of(tmp_path)


def test_a_file_that_others_may_read_is_told(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A warning names the file and the remedy, for files that hold keys."""
    path.chmod(0o640)
    keys_of(path)

    assert caplog.messages == ["key.txt holds API keys and others may read it; chmod 600 it"]


def test_a_file_of_its_owner_only_is_fine(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No warning then, nor for a file without keys."""
    keys_of(path)
    path.write_text("# none")
    path.chmod(0o644)
    keys_of(path)

    assert caplog.messages == []


def test_a_holder_is_known_by_any_valid_key(path: Path) -> None:
    """The first valid one of those presented says who it is."""
    path.write_text(f"{KEY}\n{OTHER}\n")
    keys = keys_of(path)
    first, other = keys.caller([KEY.encode()]), keys.caller([OTHER.encode()])

    assert first
    assert other
    assert (first.key, other.key) == ("sk-f****1234", "sk-s****5678")
    assert first.id != other.id
    assert keys.caller([b"wrong-key", OTHER.encode(), KEY.encode()]) == other


@pytest.mark.parametrize("presented", [[], [b""], [KEY[:-1].encode()], [f"{KEY} ".encode()], [b"\xff\x00"]])
def test_nobody_else_is_known(path: Path, presented: list[bytes]) -> None:
    """A key is valid whole or not at all."""
    assert keys_of(path).caller(presented) is None


def test_an_id_tells_nothing_of_a_key(path: Path) -> None:
    """It is another one in each process, so that nobody can try keys against one they saw."""
    first, second = (keys_of(path).caller([KEY.encode()]) for _ in range(2))

    assert first
    assert second
    assert first.id != second.id
    assert len(first.id) == 16


def test_an_id_outlives_a_change_of_the_file(path: Path) -> None:
    """A fair queue goes on counting what a key has had."""
    keys = keys_of(path)
    before = keys.caller([KEY.encode()])
    path.write_text(f"{OTHER}\n{KEY}\n")

    assert keys.caller([KEY.encode()]) == before


def test_keys_are_not_kept_as_they_are(path: Path) -> None:
    """What a traceback or a debugger shows of the object is no key."""
    keys = keys_of(path)
    keys.caller([KEY.encode()])

    assert "sk-f****1234" in str(vars(keys))
    assert KEY not in str(vars(keys))


def test_changes_are_followed_and_told(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A key that is added counts at once, one that is removed no longer; the log says how many there are."""
    caplog.set_level(logging.INFO)
    keys = keys_of(path)
    path.write_text(f"{KEY}\n{OTHER}\n")
    added = keys.caller([OTHER.encode()])
    path.write_text(f"# {KEY}\n{OTHER}\n")
    removed = keys.caller([KEY.encode()])

    assert added
    assert removed is None
    assert [message for message in caplog.messages if "changed" in message] == [
        "the API keys have changed, now 2",
        "the API keys have changed, now 1",
    ]


def test_a_bad_change_is_told_once_and_changes_nothing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The keys read before hold until the file is right again."""
    keys = keys_of(path)
    path.write_text("short\n")
    held = [keys.caller([KEY.encode()]) for _ in range(3)]
    assert keys.required
    path.write_text(f"{OTHER}-longer\n")

    assert all(held)
    assert keys.caller([KEY.encode()]) is None
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith("key.txt: line 1: the key is shorter than 8 characters.")


def test_without_keys_nobody_is_asked(tmp_path: Path) -> None:
    """A missing file, made later, makes the gateway ask."""
    path = tmp_path / "key.txt"
    keys = keys_of(path)
    before = (keys.required, keys.caller([b"anything"]))
    path.write_text(KEY)

    assert before == (False, Caller())
    assert (keys.required, keys.caller([b"anything"])) == (True, None)


@pytest.mark.parametrize(
    ("settings", "asks", "told"),
    [
        ({}, False, "WARNING"),
        ({"host": "::1"}, False, "WARNING"),
        ({"host": "0.0.0.0", "insecure": True}, False, "WARNING"),
        ({"host": "0.0.0.0"}, True, "ERROR"),
        ({"host": "gateway.example"}, True, "ERROR"),
        ({"trusted_hosts": ("ai.example",)}, True, "ERROR"),
        ({"trusted_hosts": ("ai.example",), "insecure": True}, False, "WARNING"),
    ],
)
def test_keys_that_vanish_open_to_this_machine_only(
    path: Path, caplog: pytest.LogCaptureFixture, settings: dict[str, Any], *, asks: bool, told: str
) -> None:
    """Where others can reach the gateway it goes on asking, though no key is valid; the log says so once."""
    keys = keys_of(path, **settings)
    path.unlink()
    states = [(keys.required, keys.caller([KEY.encode()])) for _ in range(2)]

    assert states == [(asks, None if asks else Caller())] * 2
    assert [record.levelname for record in caplog.records] == [told]


def test_keys_that_come_back_are_valid_again(path: Path) -> None:
    """An editor that writes a file in two steps shuts the gateway for a moment, no longer."""
    keys = keys_of(path, host="0.0.0.0")
    path.write_text("")
    meanwhile = keys.caller([KEY.encode()])
    path.write_text(KEY)

    assert meanwhile is None
    assert keys.caller([KEY.encode()])


def test_a_gateway_that_never_had_keys_stays_as_open_as_its_operator_made_it(tmp_path: Path) -> None:
    """A reverse proxy in front of one that asks nobody goes on working."""
    assert not keys_of(tmp_path / "none.txt", trusted_hosts=("ai.example",)).required
