import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import attrs
import psutil
import pytest
from playwright.async_api import BrowserContext, Error as PlaywrightError, Page, StorageState, async_playwright

from studiogate_studio.browser import open_window, running_driver
from studiogate_studio.launch import apply_reroute, installed_browsers, prepare_launch
from studiogate_studio.login import NotSignedIn, sign_in
from studiogate_studio.profile import check_cookies, read_profile, stamp_of
from studiogate_studio.selectors import load_selectors
from studiogate_studio.settings import StudioSettings

from .conftest import eventually
from .processes import browsers, descendants

pytestmark = pytest.mark.usefixtures("own_processes")

END_S = 60


async def fill_in(page: Page) -> None:
    """Do what a person does on the sign-in page."""
    await page.wait_for_selector("#identifierId")
    await page.fill("#identifierId", "somebody@example.com")
    await page.click("button")


@attrs.frozen(kw_only=True)
class SigningIn:
    """A browser in which nobody is signed in yet, and what waits for it."""

    context: BrowserContext
    result: "asyncio.Task[StorageState]"
    said: list[str]

    async def page(self) -> Page:
        """Return the first page, as soon as it is there."""
        await eventually(lambda: bool(self.context.pages))
        return self.context.pages[0]


@asynccontextmanager
async def signing_in(settings: StudioSettings, state: StorageState | None = None) -> AsyncGenerator[SigningIn]:
    """Run the flow in a browser without a window."""
    launch = prepare_launch(settings)
    apply_reroute(launch, settings)
    said: list[str] = []
    async with running_driver(settings) as driver, open_window(driver, launch, state, settings) as context:
        result = asyncio.create_task(sign_in(context, settings, load_selectors(), said.append))
        yield SigningIn(context=context, result=result, said=said)
        result.cancel()
        await asyncio.wait([result])


async def test_whoever_signs_in_is_recognised(settings: StudioSettings) -> None:
    """The state has all that a sign-in needs, and nothing was said."""
    async with signing_in(settings) as it:
        await fill_in(await it.page())
        state = await it.result

    check_cookies(state)
    assert it.said == []


async def test_who_is_signed_in_already_need_not_again(settings: StudioSettings) -> None:
    """The cookies of the profile are still good."""
    async with signing_in(settings, read_profile(settings.profile).state) as it:
        check_cookies(await it.result)


async def test_another_tab_counts_too(settings: StudioSettings) -> None:
    """People open tabs, and close the one they were given."""
    async with signing_in(settings) as it:
        first = await it.page()
        second = await it.context.new_page()
        await second.goto(settings.page_url)
        await first.close()
        await fill_in(second)

        check_cookies(await it.result)


async def test_closing_the_window_ends_it(settings: StudioSettings) -> None:
    """Without anybody signed in there is nothing to save."""
    async with signing_in(settings) as it:
        page = await it.page()
        await page.wait_for_selector("#identifierId")
        await page.close()

        with pytest.raises(NotSignedIn, match="was closed before"):
            await it.result


async def test_a_browser_that_ends_ends_it(settings: StudioSettings) -> None:
    """Whatever ended it."""
    async with signing_in(settings) as it:
        await (await it.page()).wait_for_selector("#identifierId")
        for browser in browsers():
            os.kill(browser.pid, signal.SIGKILL)

        with pytest.raises(NotSignedIn):
            await it.result


async def test_a_sign_in_without_all_its_cookies_is_waited_for(settings: StudioSettings) -> None:
    """The gateway would take nobody for signed in; what is missing is told once."""
    state = json.loads(settings.profile.read_bytes())
    hsid = next(cookie for cookie in state["cookies"] if cookie["name"] == "HSID")
    # The simulator takes it, the check doesn't.
    state["cookies"] = [
        cookie | ({"domain": "aistudio.google.com"} if cookie == hsid else {}) for cookie in state["cookies"]
    ]
    async with signing_in(settings, state) as it:
        await eventually(lambda: it.said != [])
        await it.context.add_cookies([hsid])
        check_cookies(await it.result)

    assert len(it.said) == 1
    assert it.said[0].endswith("expired: HSID.")


async def test_a_page_that_cannot_be_reached_is_told(settings: StudioSettings) -> None:
    """The window stays, in which it can be tried again."""
    async with signing_in(attrs.evolve(settings, reroute="127.0.0.1:9")) as it:
        await eventually(lambda: it.said != [])

        assert "ERR_CONNECTION_REFUSED" in it.said[0]
        assert not it.result.done()


# From here on the command itself. There is no display for tests, so its browser is led to believe in one.


@attrs.frozen(kw_only=True)
class Command:
    """A running `studiogate login`."""

    process: asyncio.subprocess.Process
    pages: BrowserContext
    """Its window, by a connection of the test's own."""
    left: list[psutil.Process]

    async def end(self) -> tuple[int, str]:
        """Return exit code and output, when nothing of it is left."""
        async with asyncio.timeout(END_S):
            output, _ = await self.process.communicate()
        await eventually(lambda: not descendants(lambda name: "chrom" in name))
        assert self.process.returncode is not None
        return self.process.returncode, output.decode()


def write_config(settings: StudioSettings, browser: Path | str, profile: Path) -> Path:
    """Write a plugins.toml that leads to the simulator."""
    path = settings.profile.with_name("plugins.toml")
    values = {"profile": profile, "browser": browser, "reroute": settings.reroute, "reroute_ca": settings.reroute_ca}
    lines = [f"{key} = {json.dumps(str(value))}" for key, value in values.items()]
    path.write_text("\n".join(['plugins = ["studio"]', "[studio]", *lines]))
    return path


async def start(config: Path, *arguments: str, display: str = ":0") -> asyncio.subprocess.Process:
    """Start the command."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "studiogate", "login", "--config", str(config), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "DISPLAY": display, "WAYLAND_DISPLAY": ""},
        cwd=config.parent,
    )


@asynccontextmanager
async def command(settings: StudioSettings, profile: Path, *arguments: str) -> AsyncGenerator[Command]:
    """Run the command with a browser that draws nothing and can be reached by a port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    browser = settings.profile.with_name("browser")
    browser.write_text(
        f'#!/bin/sh\nexec {installed_browsers()[0]} "$@" --headless=new --remote-debugging-port={port}\n'
    )
    browser.chmod(0o700)
    process = await start(write_config(settings, browser, profile), *arguments)
    try:
        async with AsyncExitStack() as stack:
            driver = await stack.enter_async_context(async_playwright())
            async with asyncio.timeout(END_S):
                while True:
                    with suppress(PlaywrightError):
                        window = await driver.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
                        break
                    await asyncio.sleep(0.1)
            yield Command(process=process, pages=window.contexts[0], left=[])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def first_page(it: Command) -> Page:
    """Return the window's page once it shows the sign-in form."""
    await eventually(lambda: any("accounts.google.com" in page.url for page in it.pages.pages))
    return next(page for page in it.pages.pages if "accounts.google.com" in page.url)


async def test_the_command_saves_a_profile(settings: StudioSettings, tmp_path: Path) -> None:
    """It is its owner's only, in a folder of its owner's; the window closes by itself."""
    profile = tmp_path / "auth_profiles" / "studio.json"
    async with command(settings, profile) as it:
        await fill_in(await first_page(it))
        code, said = await it.end()

    assert code == 0, said
    state = read_profile(profile).state
    assert (profile.stat().st_mode & 0o777, profile.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert f"The profile is {profile}" in said
    assert not any(cookie.get("value", "") in said for cookie in state.get("cookies", ()))


async def test_another_account_starts_with_nothing_remembered(settings: StudioSettings, tmp_path: Path) -> None:
    """And goes to the file that the command line names."""
    before = settings.profile.read_bytes()
    other = tmp_path / "other.json"
    async with command(settings, settings.profile, "--new", "--profile", "other.json") as it:
        await fill_in(await first_page(it))
        code, said = await it.end()

    assert code == 0, said
    assert read_profile(other)
    assert settings.profile.read_bytes() == before


@pytest.mark.parametrize("how", ["close", "ctrl-c"])
async def test_without_a_sign_in_the_old_profile_stands(settings: StudioSettings, how: str) -> None:
    """One message, exit code 1, and nothing is left running."""
    before = stamp_of(settings.profile)
    async with command(settings, settings.profile, "--new") as it:
        page = await first_page(it)
        if how == "close":
            await page.close()
        else:
            it.process.send_signal(signal.SIGINT)
        code, said = await it.end()

    assert code == 1
    assert "nothing was saved" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert stamp_of(settings.profile) == before


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    """Return exit code and output."""
    async with asyncio.timeout(END_S):
        output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_without_a_display_it_says_what_else_to_do(settings: StudioSettings) -> None:
    """Servers have none."""
    code, said = await ended(await start(write_config(settings, "chromium", settings.profile), display=""))

    assert code == 1
    assert "no display" in said
    assert "copy the profile here" in said


@pytest.mark.usefixtures("chromium_with_windows")
async def test_a_window_that_cannot_be_opened_is_told(settings: StudioSettings) -> None:
    """The display is set, and isn't there."""
    code, said = await ended(
        await start(write_config(settings, installed_browsers()[0], settings.profile), display=":987")
    )

    assert code == 1
    assert "could not be opened" in said.splitlines()[-1]
    assert "Traceback" not in said


async def test_a_missing_browser_is_told(settings: StudioSettings) -> None:
    """With what to do."""
    code, said = await ended(await start(write_config(settings, "no-such-browser", settings.profile)))

    assert code == 1
    assert "there is no browser (no-such-browser)" in said


async def test_a_profile_that_cannot_be_written_is_told_first(settings: StudioSettings, tmp_path: Path) -> None:
    """Before anybody takes the trouble to sign in."""
    file = tmp_path / "file"
    file.touch()
    code, said = await ended(await start(write_config(settings, "no-such-browser", file / "studio.json")))

    assert code == 1
    assert "can't be written" in said
    assert len(said.splitlines()) == 1


async def test_a_wrong_stand_in_authority_is_a_configuration_error(settings: StudioSettings) -> None:
    """As everywhere."""
    missing = attrs.evolve(settings, reroute_ca=settings.profile.with_name("none.pem"))
    code, said = await ended(await start(write_config(missing, installed_browsers()[0], settings.profile)))

    assert code == 2
    assert "studio.reroute_ca" in said
