"""How the browser is launched: what plugins may change, which executable, which arguments."""

import os
import shutil
import sys
from pathlib import Path

import attrs

from studiogate_studio.proxies import ForeignInterceptor, ProxyLogin
from studiogate_studio.settings import StudioSettings
from studiogate_studio.trust import spki_of

ACCOUNTS_HOST = "accounts.google.com"
"""Where the page sends who isn't signed in."""

DRIVE_HOSTS = ("www.googleapis.com", "content.googleapis.com")
"""Where the page may upload files to."""

_INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")

_ALWAYS = (
    # A tab nobody looks at must go on rendering the answer, and its timers must go on ticking.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    # HTTP/3 would go around a proxy.
    "--disable-quic",
    # Nothing but the page should be fetched.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
)


@attrs.define(kw_only=True)
class BrowserLaunch:
    """Say how the browser is about to be launched; `configure_browser` implementations change it in place."""

    args: list[str] = attrs.field(factory=list[str])
    """Command-line arguments of Chromium."""
    proxy: str | None = None
    """`http://host:port` of the proxy that all traffic goes through; None for `settings.upstream_proxy`, if there is
    one. A plugin's proxy has to find its own way through that."""
    proxy_login: ProxyLogin | None = None
    """What the proxy asks for; None for one that anybody may use."""
    trusted_spkis: list[str] = attrs.field(factory=list[str])
    """Certificates trusted besides the system's: base64 of the SHA-256 of each one's SubjectPublicKeyInfo."""
    executable: str | None = None
    """Path of the browser; None takes the first that starts of the installed ones and, last, Playwright's own."""
    headless: bool = True
    """Whether it runs without a window."""
    locale: str = "en-US"
    """The page's language. The page object knows the English labels."""
    width: int = 1440
    """Viewport in CSS pixels, 1280 or more: narrower, the page drops its settings panel."""
    height: int = 900
    """Viewport in CSS pixels, 800 or more."""

    def arguments(self) -> list[str]:
        """Return the whole command line, trust included."""
        if not self.trusted_spkis:
            return list(self.args)
        # Trusts exactly these keys; every other unknown certificate is still refused.
        return [*self.args, f"--ignore-certificate-errors-spki-list={','.join(self.trusted_spkis)}"]


class BrowserNotFound(Exception):  # noqa: N818 - a finding
    """There is no browser that could be tried; the message says which was looked for."""


class NoDisplay(Exception):  # noqa: N818 - a finding
    """A window is wanted, and there is no display to open it on."""


def check_display(launch: BrowserLaunch) -> None:
    """Find out before the launch whether a window, if one is wanted, can be opened at all.

    :raises NoDisplay: it can't; only Linux may be without a display.
    """
    if not launch.headless and sys.platform == "linux" and not any(map(os.environ.get, _DISPLAYS)):
        raise NoDisplay


def prepare_launch(settings: StudioSettings) -> BrowserLaunch:
    """Return the launch as the settings want it, before plugins change it.

    :raises BrowserNotFound: `settings.browser` is no executable.
    """
    return BrowserLaunch(args=list(_ALWAYS), executable=_find_browser(settings.browser), headless=settings.headless)


def apply_reroute(launch: BrowserLaunch, settings: StudioSettings) -> None:
    """Lead AI Studio's hosts to the stand-in of `settings.reroute`, unless a plugin's proxy is to do that.

    :raises OSError: `reroute_ca` can't be read.
    :raises ValueError: `reroute_ca` holds no certificate.
    """
    if settings.reroute is None or launch.proxy is not None:
        return
    hosts = dict.fromkeys((settings.page_host, settings.rpc_host, ACCOUNTS_HOST, *DRIVE_HOSTS))
    # The stand-in is reached directly, whatever HTTPS_PROXY or the desktop says, which Chromium follows by itself.
    launch.args.append("--no-proxy-server")
    launch.args.append("--host-resolver-rules=" + ", ".join(f"MAP {host} {settings.reroute}" for host in hosts))
    if settings.reroute_ca is not None:
        launch.trusted_spkis.append(spki_of(settings.reroute_ca.read_bytes()))


def apply_upstream(launch: BrowserLaunch, settings: StudioSettings) -> None:
    """Lead all traffic through the upstream proxy, unless a plugin's proxy is to do that.

    With a stand-in nothing is for the network, and it is reached directly: a browser can't be told to have a proxy lead
    AI Studio's names somewhere else.
    """
    upstream = settings.upstream
    if upstream is not None and launch.proxy is None and settings.reroute is None:
        launch.proxy, launch.proxy_login = upstream.url, upstream.login


def apply_interceptor(launch: BrowserLaunch, interceptor: ForeignInterceptor | None) -> None:
    """Lead all traffic through somebody else's reading proxy, unless a plugin's proxy is to do that.

    :raises OSError: its authority can't be read.
    :raises ValueError: its authority's file holds no certificate.
    """
    if interceptor is None or launch.proxy is not None:
        return
    launch.proxy = interceptor.url
    if interceptor.ca is not None:
        launch.trusted_spkis.append(spki_of(interceptor.ca.read_bytes()))


def installed_browsers() -> tuple[str, ...]:
    """Return the paths of the Chromiums and Chromes on PATH, in the order they are tried."""
    return tuple(dict.fromkeys(filter(None, map(shutil.which, _INSTALLED))))


def _find_browser(wanted: str | None) -> str | None:
    if wanted is None:
        return None
    found = shutil.which(str(Path(wanted).expanduser()))
    if found is None:
        raise BrowserNotFound(wanted)
    return found
