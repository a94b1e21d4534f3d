import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest

from studiogate_studio.profile import CRITICAL_COOKIES, DeadProfile, NoProfile, read_profile, stamp_of


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
