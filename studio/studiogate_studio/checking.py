"""What can be told of profile and browser without starting any: for `studiogate check`."""

import stat
import subprocess
from collections.abc import Iterator

from studiogate.checks import Check
from studiogate_studio.launch import BrowserNotFound, NoDisplay, check_display, installed_browsers, prepare_launch
from studiogate_studio.profile import DeadProfile, NoProfile, read_profile
from studiogate_studio.settings import StudioSettings

_VERSION_S = 20.0
_SIGN_IN = "Sign in: studiogate login."


def checks(settings: StudioSettings) -> Iterator[Check]:
    """Look at the profile, then at the browser."""
    yield _profile(settings)
    yield _browser(settings)


def _profile(settings: StudioSettings) -> Check:
    try:
        read_profile(settings.profile)
        mode = settings.profile.stat().st_mode
    except (NoProfile, DeadProfile) as finding:
        return Check(what="profile", ok=False, said=str(finding), advice=_SIGN_IN)
    except OSError as error:
        return Check(what="profile", ok=False, said=f"It can't be read: {error.strerror}.", advice=_SIGN_IN)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Check(what="profile", ok=False, said="Others may read it.", advice="chmod 600 it.")
    return Check(what="profile", ok=True, said="It is there, for its owner only, and its cookies have not expired.")


def _browser(settings: StudioSettings) -> Check:
    try:
        launch = prepare_launch(settings)
        check_display(launch)
    except BrowserNotFound:
        return Check(what="browser", ok=False, said="[studio] browser names no executable.", advice="Correct it.")
    except NoDisplay:
        return Check(
            what="browser",
            ok=False,
            said="[studio] headless is false, and there is no display.",
            advice="Start where DISPLAY is set, or leave it headless.",
        )
    found = launch.executable or next(iter(installed_browsers()), None)
    if found is None:
        return Check(what="browser", ok=True, said="None is installed on PATH; Playwright's own will be tried.")
    try:
        told = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=_VERSION_S, check=True)  # noqa: S603 - what the gateway itself would start
    except (OSError, subprocess.SubprocessError) as error:
        return Check(
            what="browser",
            ok=False,
            said=f"It can't say its version: {type(error).__name__}.",
            advice="Install Chromium or Chrome, or name one in [studio] browser.",
        )
    return Check(what="browser", ok=True, said=f"{told.stdout.strip()}.")
