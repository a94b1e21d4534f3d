"""The `[studio]` table of plugins.toml."""

import math
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from studiogate.strict import WrongValue, within
from studiogate_studio.proxies import UpstreamProxy, parse_upstream

_HOST_PORT = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):(\d{1,5})")
_LAST_PORT = 65535


def _check_url(_: Any, attribute: "attrs.Attribute[str]", value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname:
        raise WrongValue(
            attribute.name,
            f"must be an https address such as https://aistudio.google.com/prompts/new_chat, not {value!r}",
        )


def _check_host(_: Any, attribute: "attrs.Attribute[str]", value: str) -> None:
    if not value or any(c in value for c in "/: \t"):
        raise WrongValue(
            attribute.name,
            f"must be a bare host name such as alkalimakersuite-pa.clients6.google.com, not {value!r}",
        )


def _check_host_port(_: Any, attribute: "attrs.Attribute[str | None]", value: str | None) -> None:
    if value is None:
        return
    found = _HOST_PORT.fullmatch(value)
    if found is None or not 0 < int(found[1]) <= _LAST_PORT:
        raise WrongValue(attribute.name, f"must be host:port such as 127.0.0.1:8443, not {value!r}")


def _check_upstream(_: Any, attribute: "attrs.Attribute[str | None]", value: str | None) -> None:
    try:
        if value:
            parse_upstream(value)
    except ValueError as error:
        raise WrongValue(attribute.name, str(error)) from None


@attrs.frozen(kw_only=True)
class StudioSettings:
    """Configure the browser and its tabs. Times are in seconds."""

    profile: Path = Path("auth_profiles/studio.json")
    """The operator's signed-in browser state: a Playwright storage_state JSON. Should be readable by its owner only."""
    tabs: int = attrs.field(default=2, validator=within(1, math.inf))
    """How many tabs are kept ready, and so how many prompts run at once; 1 or more, each costs about 10 MB and more."""
    headless: bool = True
    """Whether the browser runs without a window."""
    browser: str | None = None
    """The browser's executable, a path or a name on PATH; None finds an installed Chromium or Chrome, else takes
    Playwright's own."""
    selectors: Path | None = None
    """A TOML file like the built-in `selectors.toml`; each element it names replaces ours."""
    page_url: str = attrs.field(default="https://aistudio.google.com/prompts/new_chat", validator=_check_url)
    """The page of a new chat."""
    rpc_host: str = attrs.field(default="alkalimakersuite-pa.clients6.google.com", validator=_check_host)
    """The host that the page's RPCs go to."""
    reroute: str | None = attrs.field(default=None, validator=_check_host_port)
    """`host:port` of a stand-in that plays AI Studio's hosts, such as the simulator; None goes to the real ones."""
    reroute_ca: Path | None = None
    """The stand-in's certificate authority, PEM; trusted by this browser only, next to nothing else."""
    upstream_proxy: str | None = attrs.field(
        default=None, repr=False, validator=_check_upstream, metadata={"env": ("UNIFIED_PROXY_CONFIG",)}
    )
    """`http://[user:password@]host:port` or `socks5://host:port` of a proxy that everything for the network goes
    through, whoever's proxy comes before it; None or an empty text for the direct way."""
    temporary_chat: bool = True
    """Whether chats are temporary, so that none is kept in the account's history."""
    launch_s: float = attrs.field(default=30.0, validator=within(1, math.inf))
    """How long the browser may take to start."""
    navigation_s: float = attrs.field(default=60.0, validator=within(1, math.inf))
    """How long the page may take to answer when a new chat is opened."""
    ready_s: float = attrs.field(default=30.0, validator=within(1, math.inf))
    """How long the page may then take to show its composer."""
    type_s: float = attrs.field(default=5.0, validator=within(0.5, math.inf))
    """How long each way of typing may take until Run is ready; long prompts get more, see `type_s_per_mb`."""
    type_s_per_mb: float = attrs.field(default=20.0, validator=within(0, math.inf))
    """What each million characters add to `type_s`, and each ten thousand lines."""
    upload_s: float = attrs.field(default=60.0, validator=within(1, math.inf))
    """How long the page may take with the files of a prompt, whatever their size."""
    upload_s_per_mb: float = attrs.field(default=2.0, validator=within(0, math.inf))
    """What each million bytes of them add to `upload_s`."""
    upload_quiet_s: float = attrs.field(default=10.0, validator=within(0.5, math.inf))
    """How long the page may show nothing of a file it was given, nor why."""
    acknowledge_copyright: bool = True
    """Whether to agree, in the account owner's name, to the notice that AI Studio shows before the first upload: that
    one only uploads what one may. Otherwise requests with files fail until the owner has agreed in a window."""
    submit_s: float = attrs.field(default=10.0, validator=within(0.5, math.inf))
    """How long the page may take to show that it took a submitted prompt."""
    wait_s: float = attrs.field(default=20.0, validator=within(0, math.inf))
    """How long an exchange waits for a tab while the browser starts or tabs are renewed; then 503."""
    stop_s: float = attrs.field(default=4.0, validator=within(0.5, math.inf))
    """How long the browser gets to end."""
    profile_poll_s: float = attrs.field(default=2.0, validator=within(0.05, math.inf))
    """How often a missing or dead profile is looked at again."""
    profile_save_s: float = attrs.field(default=600.0, validator=within(0, math.inf))
    """How often the page's cookies are saved back to the profile, besides at the end; 0 never writes it."""
    signed_out_retry_s: float = attrs.field(default=600.0, validator=within(1, math.inf))
    """After how long a profile that the page refused is tried again although its file did not change."""
    debug_dir: Path | None = None
    """A folder that gets what the page showed (HTML, picture, elements) whenever a step in it failed: with prompts and
    answers in it, readable by its owner only; None keeps nothing."""
    debug_failures: int = attrs.field(default=20, validator=within(1, math.inf))
    """How many failures are kept there; the oldest go."""
    renewals: int = attrs.field(default=50, validator=within(0, math.inf))
    """How often a tab is loaded anew before it is replaced: page, browser and driver keep something of every load until
    the tab is closed."""
    tab_mb: float = attrs.field(default=512.0, validator=within(0, math.inf))
    """Above how many megabytes of its page's scripts a tab is replaced rather than loaded anew: its process seldom
    gives back what it once had; 0 for never."""
    renew_idle_s: float = attrs.field(default=1800.0, validator=within(1, math.inf))
    """After how long an unused tab is loaded anew, so that no exchange meets a stale page."""

    @property
    def page_host(self) -> str:
        """Return the host of `page_url`."""
        return urlsplit(self.page_url).hostname or ""

    @property
    def upstream(self) -> UpstreamProxy | None:
        """Return `upstream_proxy`, read."""
        return parse_upstream(self.upstream_proxy) if self.upstream_proxy else None
