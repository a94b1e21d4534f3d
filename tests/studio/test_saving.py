import json
import os
import signal
from pathlib import Path
from typing import Any

import attrs
import pytest

from studiogate_studio.keeper import BrowserState
from studiogate_studio.profile import Stamp, stamp_of
from studiogate_studio.settings import StudioSettings
from studiogate_studio.tabs import TabPool

from .conftest import Simulator, eventually, running
from .processes import browsers

pytestmark = pytest.mark.usefixtures("own_processes")

SOON = 0.1
NEVER = float("inf")


def cookie(path: Path, name: str = "SIDCC") -> str:
    """Return a cookie's value as the profile has it."""
    return cookie_of(json.loads(path.read_bytes()), name)


def cookie_of(state: dict[str, Any], name: str = "SIDCC") -> str:
    """Return a cookie's value in a storage_state."""
    return next(each["value"] for each in state["cookies"] if each["name"] == name)


async def sign_out(pool: TabPool) -> None:
    """Have the account's cookies taken away, as Google does when it ends a session."""
    assert pool.keeper.session
    await pool.keeper.session.context.clear_cookies()


async def test_renewed_cookies_are_saved_while_the_browser_runs(settings: StudioSettings) -> None:
    """The file is its owner's only, and the browser goes on: our own writing is no new profile."""
    before, sid = cookie(settings.profile), cookie(settings.profile, "SID")
    async with running(attrs.evolve(settings, profile_save_s=SOON)) as pool:
        await eventually(lambda: cookie(settings.profile) != before)
        second = cookie(settings.profile)
        async with pool.lease():
            pass
        await eventually(lambda: cookie(settings.profile) != second)

        assert pool.keeper.launches == 1
        assert pool.keeper.state is BrowserState.READY
    assert cookie(settings.profile, "SID") == sid
    assert settings.profile.stat().st_mode & 0o777 == 0o600
    assert list(settings.profile.parent.iterdir()) == [settings.profile]


async def test_the_last_cookies_are_saved_at_the_end(settings: StudioSettings) -> None:
    """What was saved signs in at the next start; the local storage stays as it was at the sign-in."""
    before = json.loads(settings.profile.read_bytes())
    settings = attrs.evolve(settings, profile_save_s=NEVER)
    async with running(settings) as pool:
        async with pool.lease() as tab:
            await tab.page.evaluate("localStorage.setItem('aistudio_all_system_instructions', 'a secret')")
        assert cookie(settings.profile) == cookie_of(before)

    assert cookie(settings.profile) != cookie_of(before)
    assert json.loads(settings.profile.read_bytes())["origins"] == before["origins"]
    async with running(settings) as pool, pool.lease() as tab:
        await tab.type_prompt("still signed in")


async def test_nothing_is_written_when_it_is_switched_off(settings: StudioSettings) -> None:
    """Neither at intervals nor at the end."""
    before = stamp_of(settings.profile)
    async with running(attrs.evolve(settings, profile_save_s=0)) as pool, pool.lease():
        pass

    assert stamp_of(settings.profile) == before


async def test_a_profile_that_the_operator_replaced_stands(
    settings: StudioSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told once, and the running browser goes on."""
    async with running(attrs.evolve(settings, profile_save_s=SOON)) as pool:
        await eventually(lambda: pool.ready == 1)
        state = json.loads(settings.profile.read_bytes())
        theirs = json.dumps(state | {"cookies": [*state["cookies"], {**state["cookies"][0], "name": "theirs"}]})
        new = settings.profile.with_name("new.json")
        new.write_text(theirs)
        new.chmod(0o600)
        new.replace(settings.profile)
        # What the browser had before may be saved already; the fresh chat that follows a lease brings new cookies.
        async with pool.lease():
            pass
        await eventually(lambda: "was replaced meanwhile" in caplog.text)
        assert pool.keeper.launches == 1

    assert settings.profile.read_text() == theirs
    assert caplog.text.count("was replaced meanwhile") == 1


async def test_a_profile_that_the_operator_removed_stays_away(settings: StudioSettings) -> None:
    """Whoever deletes it means it."""
    async with running(attrs.evolve(settings, profile_save_s=NEVER)) as pool, pool.lease():
        settings.profile.unlink()

    assert not settings.profile.exists()


async def test_a_lost_sign_in_is_not_saved(settings: StudioSettings, caplog: pytest.LogCaptureFixture) -> None:
    """Before the page has noticed, at the next load, what is in the file may be the last that is good."""
    async with running(attrs.evolve(settings, profile_save_s=NEVER)) as pool:
        await eventually(lambda: pool.ready == 1)
        before = stamp_of(settings.profile)
        await sign_out(pool)

    assert stamp_of(settings.profile) == before
    assert "missing or have expired" in caplog.text
    assert cookie(settings.profile) not in caplog.text


async def test_after_a_sign_out_our_own_saves_are_no_fresh_profile(
    settings: StudioSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser waits for somebody to sign in, and starts with what they bring."""
    looked: list[Path] = []

    def look(path: Path) -> Stamp | None:
        looked.append(path)
        return stamp_of(path)

    monkeypatch.setattr("studiogate_studio.keeper.stamp_of", look)
    settings = attrs.evolve(settings, profile_save_s=SOON)
    before = cookie(settings.profile)
    async with running(settings) as pool:
        await eventually(lambda: cookie(settings.profile) != before and pool.ready == 1)
        async with pool.lease():
            await sign_out(pool)
        await eventually(lambda: pool.keeper.state is BrowserState.SIGNED_OUT)
        saved = settings.profile.read_bytes()
        looks = len(looked)
        await eventually(lambda: len(looked) > looks + 5)
        assert (pool.keeper.launches, pool.keeper.state) == (1, BrowserState.SIGNED_OUT)
        assert settings.profile.read_bytes() == saved

        settings.profile.write_bytes(saved + b"\n")
        await eventually(lambda: pool.ready == 1)
        assert pool.keeper.launches == 2


async def test_a_browser_that_never_got_ready_saves_nothing(settings: StudioSettings, simulator: Simulator) -> None:
    """Its cookies are the profile's, or worse."""
    nowhere = attrs.evolve(settings, reroute="127.0.0.1:9", profile_save_s=SOON)
    before = stamp_of(settings.profile)
    async with running(nowhere) as pool:
        await eventually(lambda: pool.trouble is not None)
        assert pool.keeper.session
        await pool.keeper.session.context.add_cookies(
            [{"name": "SIDCC", "value": "other", "domain": ".google.com", "path": "/"}]
        )

    assert stamp_of(settings.profile) == before


async def test_a_restarted_browser_saves_on(settings: StudioSettings) -> None:
    """It starts with the cookies of the last save."""
    async with running(attrs.evolve(settings, profile_save_s=SOON)) as pool:
        before = cookie(settings.profile)
        await eventually(lambda: pool.ready == 1 and cookie(settings.profile) != before)
        for browser in browsers():
            os.kill(browser.pid, signal.SIGKILL)
        await eventually(lambda: pool.keeper.launches == 2 and pool.ready == 1)
        at_restart = cookie(settings.profile)
        async with pool.lease():
            pass
        await eventually(lambda: cookie(settings.profile) != at_restart)


async def test_a_profile_that_cannot_be_written_costs_nothing_but_that(
    settings: StudioSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk or a read-only folder is told once."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("studiogate.private_file.tempfile.mkstemp", full)
    before = settings.profile.read_bytes()
    async with running(attrs.evolve(settings, profile_save_s=SOON)) as pool:
        await eventually(lambda: "No space left" in caplog.text)
        async with pool.lease() as tab:
            await tab.type_prompt("works")

    assert settings.profile.read_bytes() == before
    assert caplog.text.count("No space left") == 1
    assert str(tmp_path) not in caplog.text
