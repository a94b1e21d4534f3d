"""The proxies that traffic goes through, and what they ask of whoever uses them."""

import base64
from urllib.parse import SplitResult, unquote, urlsplit

import attrs

HTTP = "http"
SOCKS = "socks5"


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
