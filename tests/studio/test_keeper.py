import asyncio
import json
import os
import shutil
import signal
from pathlib import Path

import attrs
import pytest

from studiogate_studio.errors import NotReady, PageBroken, SignedOut
from studiogate_studio.keeper import BrowserKeeper, BrowserState
from studiogate_studio.launch import BrowserLaunch, installed_browsers
from studiogate_studio.settings import StudioSettings
from studiogate_studio.trust import spki_of
from tests.connect_proxy import connect_proxy

from .conftest import Simulator, eventually, running, unchanged
from .processes import browsers, descendants

pytestmark = pytest.mark.usefixtures("own_processes")


async def test_nothing_is_left_after_the_stop(settings: StudioSettings) -> None:
    """Driver and browser are gone when the keeper has ended."""
    async with running(settings) as pool:
        async with pool.lease():
            assert browsers()
        keeper = pool.keeper

    await eventually(lambda: not descendants())
    assert keeper.state is BrowserState.STOPPED


@pytest.mark.parametrize("after_s", [0.0, 0.15, 0.4, 0.7, 1.0])
async def test_nothing_is_left_when_cancelled_during_the_launch(settings: StudioSettings, after_s: float) -> None:
    """Wherever the launch is, what it started ends."""
    keeper = BrowserKeeper(settings, unchanged)
    task = asyncio.create_task(keeper.run())
    await asyncio.sleep(after_s)
    task.cancel()
    await asyncio.wait([task])

    await eventually(lambda: not descendants())


async def test_a_killed_browser_is_started_again(settings: StudioSettings) -> None:
    """A lease in the dead browser breaks; the next one is in the new browser."""
    async with running(settings) as pool:
        async with pool.lease() as tab:
            for browser in browsers():
                os.kill(browser.pid, signal.SIGKILL)
            await eventually(lambda: tab.fault is not None)
            with pytest.raises(PageBroken):
                await tab.type_prompt("too late")

        async with pool.lease() as tab:
            await tab.type_prompt("in time")
        assert pool.keeper.launches == 2


async def test_a_killed_driver_is_started_again(settings: StudioSettings) -> None:
    """Playwright's own process may die as well."""
    async with running(settings) as pool:
        async with pool.lease() as tab:
            for driver in descendants(lambda name: name.startswith("node")):
                os.kill(driver.pid, signal.SIGKILL)
            await eventually(lambda: tab.fault is not None)

        async with pool.lease() as tab:
            await tab.type_prompt("again")
        assert pool.keeper.launches == 2


async def test_without_a_plugins_proxy_the_browser_goes_through_the_upstream_one(
    settings: StudioSettings, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """It logs in there and asks for everything by name; the password is in no argument and no log."""
    caplog.set_level("DEBUG", "studiogate_studio")

    async def trust_the_simulator(launch: BrowserLaunch) -> None:
        launch.trusted_spkis.append(spki_of(simulator.ca.read_bytes()))

    with connect_proxy(login="us:se-cret", instead=("127.0.0.1", simulator.port)) as proxy:
        behind = attrs.evolve(settings, reroute=None, upstream_proxy=f"http://us:se-cret@127.0.0.1:{proxy.port}")
        async with running(behind, configure=trust_the_simulator) as pool, pool.lease() as tab:
            await tab.type_prompt("through")
            lines = [" ".join(browser.cmdline()) for browser in browsers()]

    assert {f"{behind.page_host}:443", f"{behind.rpc_host}:443"} <= proxy.targets()
    assert lines
    assert "se-cret" not in "".join(lines) + caplog.text + repr(behind)


async def test_without_a_profile_leases_are_refused_until_one_is_there(
    settings: StudioSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """The refusal is immediate and says what to do; the file is noticed when it comes."""
    content = settings.profile.read_bytes()
    settings.profile.unlink()
    async with running(settings) as pool:
        await eventually(lambda: pool.keeper.state is BrowserState.NO_PROFILE)
        with pytest.raises(NotReady, match="storage_state") as caught:
            await pool.lease().__aenter__()
        assert caught.value.status == 503
        assert str(settings.profile) not in str(caught.value)
        assert str(settings.profile) in caplog.text
        assert "docs/operating.md" in caplog.text

        settings.profile.write_bytes(content)
        settings.profile.chmod(0o600)
        await eventually(lambda: pool.ready == 1)


async def test_waiting_leases_are_refused_when_the_profile_turns_out_dead(settings: StudioSettings) -> None:
    """Who waits while the browser starts is told as soon as waiting is no use."""
    state = json.loads(settings.profile.read_bytes())
    settings.profile.write_text(json.dumps(state | {"cookies": []}))
    async with running(settings) as pool:
        with pytest.raises(SignedOut, match="missing or have expired") as caught:
            await pool.lease().__aenter__()

    assert (caught.value.status, caught.value.retry_after_s) == (503, 60)


async def test_a_page_that_asks_to_sign_in_is_recognised(settings: StudioSettings, simulator: Simulator) -> None:
    """Cookies may look alive and be refused; a fresh profile is then picked up."""
    good = settings.profile.read_bytes()
    state = json.loads(good)
    for cookie in state["cookies"]:
        # Living by the file, but not sent to the page's host.
        cookie["path"] = "/elsewhere"
    settings.profile.write_text(json.dumps(state))
    async with running(settings) as pool:
        await eventually(lambda: pool.keeper.state is BrowserState.SIGNED_OUT)
        with pytest.raises(SignedOut):
            await pool.lease().__aenter__()

        settings.profile.write_bytes(good)
        await eventually(lambda: pool.ready == 1)


async def test_a_browser_that_is_not_there_is_told(settings: StudioSettings) -> None:
    """With advice; the start of the gateway isn't stopped."""
    async with running(attrs.evolve(settings, browser="no-such-browser")) as pool:
        await eventually(lambda: pool.keeper.state is BrowserState.NO_BROWSER)

        assert "studio.browser" in (pool.keeper.advice or "")
        with pytest.raises(NotReady):
            await pool.lease().__aenter__()


async def test_a_window_without_a_display_is_told(
    settings: StudioSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With advice; once there is one, the browser starts."""
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    # There is no display for tests, so the browser is led to believe in one.
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nexec {installed_browsers()[0]} "$@" --headless=new\n')
    browser.chmod(0o700)
    async with running(attrs.evolve(settings, headless=False, browser=str(browser))) as pool:
        await eventually(lambda: pool.keeper.state is BrowserState.NO_DISPLAY)
        with pytest.raises(NotReady, match=r"no display .*studio\.headless"):
            await pool.lease().__aenter__()

        monkeypatch.setenv("DISPLAY", ":0")
        await eventually(lambda: pool.ready == 1)


@pytest.mark.usefixtures("chromium_with_windows")
async def test_a_stand_in_is_reached_whatever_the_systems_proxy(
    settings: StudioSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chromium follows HTTPS_PROXY by itself, and no such proxy knows a stand-in."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    async with running(settings) as pool:
        await eventually(lambda: pool.ready == 1)


async def test_a_browser_that_does_not_start_is_tried_again(settings: StudioSettings, tmp_path: Path) -> None:
    """An executable that ends at once leaves the keeper restarting, and nothing behind."""
    fake = tmp_path / "chromium"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o700)
    async with running(attrs.evolve(settings, browser=str(fake), wait_s=0.2)) as pool:
        await eventually(lambda: pool.keeper.state is BrowserState.RESTARTING)

        with pytest.raises(NotReady, match="did not start"):
            await pool.lease().__aenter__()


async def test_without_any_browser_it_is_told_what_to_install(
    settings: StudioSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """None is named, none is on PATH, and Playwright has brought none of its own."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    async with running(settings) as pool:
        await eventually(lambda: pool.keeper.state is BrowserState.NO_BROWSER)

        with pytest.raises(NotReady, match="Install Chromium"):
            await pool.lease().__aenter__()
        assert "Install Chromium" in caplog.text


async def test_an_installed_browser_that_does_not_start_is_passed_over(
    settings: StudioSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The next one is taken, and taken again when it has to be restarted."""
    real = next(filter(None, map(shutil.which, ("google-chrome", "chromium", "chromium-browser"))))
    (tmp_path / "chromium").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "chromium").chmod(0o700)
    (tmp_path / "google-chrome").symlink_to(real)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    async with running(settings) as pool:
        await eventually(lambda: pool.ready == 1)
        assert caplog.text.count("trying the next browser") == 1

        for browser in browsers():
            os.kill(browser.pid, signal.SIGKILL)
        await eventually(lambda: pool.keeper.launches == 2 and pool.ready == 1)
        assert caplog.text.count("trying the next browser") == 1


async def test_plugins_change_every_launch(settings: StudioSettings) -> None:
    """`configure` is asked before each launch, and what raises in it is tried again."""
    seen: list[BrowserLaunch] = []

    async def configure(launch: BrowserLaunch) -> None:
        seen.append(launch)
        if len(seen) == 1:
            raise RuntimeError("not yet")
        launch.args.append("--user-agent-suffix-of-a-test")

    keeper = BrowserKeeper(settings, configure)
    task = asyncio.create_task(keeper.run())
    await keeper.ready()
    assert len(seen) == 2
    assert any("--user-agent-suffix-of-a-test" in p.cmdline() for p in browsers())
    task.cancel()
    await asyncio.wait([task])
