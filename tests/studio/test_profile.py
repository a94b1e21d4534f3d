import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest

from studiogate_studio.profile import (
    CRITICAL_COOKIES,
    DeadProfile,
    NoProfile,
    ReplacedProfile,
    read_profile,
    read_storage,
    stamp_of,
    write_profile,
)


def cookie(name: str, **changes: Any) -> dict[str, Any]:
    """Make a cookie as Playwright stores it."""
    return {"name": name, "value": "x", "domain": ".google.com", "path": "/", "expires": time.time() + 999} | changes


def written(folder: Path, cookies: list[dict[str, Any]]) -> Path:
    """Write a profile that only its owner can read."""
    path = folder / "studio.json"
    path.write_text(json.dumps({"cookies": cookies, "origins": []}))
    path.chmod(0o600)
    return path


def test_a_profile_with_living_cookies_is_taken(tmp_path: Path) -> None:
    """All critical cookies are there; one lasts as long as the browser."""
    path = written(tmp_path, [cookie(name) for name in CRITICAL_COOKIES[1:]] + [cookie("SID", expires=-1)])

    profile = read_profile(path)

    assert profile.stamp == stamp_of(path)
    assert len(profile.state.get("cookies", ())) == len(CRITICAL_COOKIES)


def test_a_missing_profile_is_told_from_a_dead_one(tmp_path: Path) -> None:
    """Without a file there is nothing to sign in with."""
    assert stamp_of(tmp_path / "none.json") is None

    with pytest.raises(NoProfile, match="no profile"):
        read_profile(tmp_path / "none.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cookies": [], "origins": 1}', '{"cookies": [1], "origins": []}'])
def test_what_is_no_storage_state_is_refused(tmp_path: Path, text: str) -> None:
    """JSON of another shape, or none at all."""
    path = tmp_path / "studio.json"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(NoProfile, match=r"no (JSON|storage_state)"):
        read_profile(path)


@pytest.mark.parametrize("change", [{"expires": 1.0}, {"value": ""}, {"domain": "example.com"}, {"name": "other"}])
def test_dead_cookies_are_named(tmp_path: Path, change: dict[str, Any]) -> None:
    """Expired, empty, foreign or missing: each means signed out."""
    path = written(tmp_path, [cookie(name) for name in CRITICAL_COOKIES if name != "HSID"] + [cookie("HSID") | change])

    with pytest.raises(DeadProfile, match=r"expired: HSID\."):
        read_profile(path)


def test_a_profile_others_can_read_is_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is used all the same."""
    path = written(tmp_path, [cookie(name) for name in CRITICAL_COOKIES])
    path.chmod(0o644)

    with caplog.at_level(logging.WARNING):
        read_profile(path)

    assert "chmod 600" in caplog.text


def test_a_profile_is_written_for_its_owner_only(tmp_path: Path) -> None:
    """So is the folder, if there was none; the version returned is the one that is read."""
    path = tmp_path / "auth_profiles" / "studio.json"
    state = read_profile(written(tmp_path, [cookie(name) for name in CRITICAL_COOKIES])).state

    stamp = write_profile(path, state)

    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert read_profile(path).state == state
    assert read_profile(path).stamp == stamp


def test_another_version_than_the_known_one_is_not_written_over(tmp_path: Path) -> None:
    """Nor is a file written that was removed."""
    path = written(tmp_path, [cookie(name) for name in CRITICAL_COOKIES])
    profile = read_profile(path)
    known = write_profile(path, profile.state, over=profile.stamp)
    content = path.read_bytes()

    with pytest.raises(ReplacedProfile):
        write_profile(path, {"cookies": [], "origins": []}, over=profile.stamp)
    assert path.read_bytes() == content

    path.unlink()
    with pytest.raises(ReplacedProfile):
        write_profile(path, profile.state, over=known)
    assert not path.exists()


def test_a_profile_with_dead_cookies_can_be_read_all_the_same(tmp_path: Path) -> None:
    """Whoever signs in again may go on from it."""
    assert read_storage(written(tmp_path, [cookie("NID")])).state.get("cookies", ())
