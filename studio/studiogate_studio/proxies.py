"""The proxies that traffic goes through, and what they ask of whoever uses them."""

import base64
import re
from pathlib import Path
from typing import cast
from urllib.parse import SplitResult, unquote, urlsplit

import attrs

from studiogate.errors import ConfigurationError
from studiogate.plugins import PluginHost

HTTP = "http"
SOCKS = "socks5"
_HOST_PORT = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^\s:/@\[\]]+)):(\d{1,5})")
_LAST_PORT = 65535


@attrs.frozen(kw_only=True)
class ProxyLogin:
    """What a proxy asks of whoever uses it (Basic)."""

    username: str
    password: str = attrs.field(repr=False)

    @property
    def authorization(self) -> str:
        """Return the value of the header `Proxy-Authorization`."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


@attrs.frozen(kw_only=True)
class UpstreamProxy:
    """The operator's own proxy: the way from this machine to the network."""

    scheme: str
    """`http` (it tunnels with CONNECT) or `socks5`."""
    host: str
    """Name or address, an IPv6 one without brackets."""
    port: int
    login: ProxyLogin | None = None
    """What it asks for; None for one that anybody may use."""

    @property
    def url(self) -> str:
        """Return its address without the login, such as `http://proxy.example:3128`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@attrs.frozen(kw_only=True)
class ForeignInterceptor:
    """A proxy of somebody else's that reads what passes between the page and AI Studio, where that traffic goes first.

    It is the browser's own proxy, or behind ours where ours reads too; and finds its own way to the network.
    """

    host: str
    """Name or address, an IPv6 one without brackets."""
    port: int
    ca: Path | None = None
    """PEM of its certificate authority; None where it is one that everybody trusts, or it leaves hosts encrypted."""
    plugin: str
    """Who named it, for messages."""

    @property
    def address(self) -> tuple[str, int]:
        """Return where to connect to."""
        return self.host, self.port

    @property
    def url(self) -> str:
        """Return its address, such as `http://127.0.0.1:3121`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{HTTP}://{host}:{self.port}"


def parse_host_port(text: str) -> tuple[str, int]:
    """Read `host:port`, an IPv6 address in brackets.

    :raises ValueError: it is none.
    """
    found = _HOST_PORT.fullmatch(text)
    if found is None or not 0 < int(found[3]) <= _LAST_PORT:
        raise ValueError("must be host:port such as 127.0.0.1:3121")
    return found[1] or found[2], int(found[3])


def parse_upstream(text: str) -> UpstreamProxy:
    """Read an upstream proxy's address.

    :raises ValueError: it is none; says what would be right, and nothing of the text, which may hold a password.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = parts = None
    if parts is None or not host or not port or parts.scheme not in {HTTP, SOCKS} or not _is_bare(parts):
        raise ValueError("must be http://[user:password@]host:port or socks5://host:port")
    if parts.scheme == SOCKS and parts.username is not None:
        raise ValueError("can't hold a user for socks5: browsers have no way to log in there")
    login = None
    if parts.username is not None:
        login = ProxyLogin(username=unquote(parts.username), password=unquote(parts.password or ""))
    return UpstreamProxy(scheme=parts.scheme, host=host, port=port, login=login)


def _is_bare(parts: SplitResult) -> bool:
    """Tell whether an address says no more than where the proxy is."""
    return parts.path in {"", "/"} and not parts.query and not parts.fragment and " " not in parts.netloc


def interceptor_of(plugins: PluginHost) -> ForeignInterceptor | None:
    """Return the reading proxy that a plugin names, for AI Studio's traffic to pass; None where none does.

    :raises ConfigurationError: there are two.
    """
    named = cast("list[tuple[str, ForeignInterceptor]]", plugins.call("foreign_interceptor"))
    if len(named) > 1:
        names = " and ".join(name for name, _ in named)
        raise ConfigurationError(f"plugins {names} both name a proxy for AI Studio's traffic; there can be only one.")
    return named[0][1] if named else None
