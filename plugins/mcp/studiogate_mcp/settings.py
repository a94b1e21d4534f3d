"""The `[mcp]` table of plugins.toml."""

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import attrs

from studiogate.strict import WrongValue, one_of, positive

TRANSPORTS = ("auto", "http", "sse", "legacy")
"""How a server with a URL is spoken to: `http` is streamable HTTP, `sse` its predecessor, `legacy` the older
`POST {url}/tools/execute`; `auto` finds out, in this order."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


def endpoint(text: str) -> str:
    """Return a server's address in the one form in which addresses are compared.

    :raises ValueError: it is no http(s) address, or holds a user or a fragment; says which.
    """
    parts = urlsplit(text.strip())
    if parts.scheme.lower() not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("must be an address such as https://tools.example.com/mcp")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("must hold no user, password or fragment")
    scheme, host = parts.scheme.lower(), parts.hostname.rstrip(".").lower()
    if not text.strip().isascii() or not re.fullmatch(r"[^\s\\]+", text.strip()):
        raise ValueError("must be printable ASCII characters without spaces")
    port = parts.port
    shown = f"[{host}]" if ":" in host else host
    if port not in (None, _DEFAULT_PORTS[scheme]):
        shown += f":{port}"
    return urlunsplit((scheme, shown, parts.path.rstrip("/") or "/", parts.query, ""))


def _address(_: Any, field: "attrs.Attribute[Any]", value: str | None) -> None:
    if value is not None:
        try:
            endpoint(value)
        except ValueError as error:
            raise WrongValue(field.name, str(error)) from None


def _addresses(_: Any, field: "attrs.Attribute[Any]", value: tuple[str, ...]) -> None:
    for each in value:
        _address(None, field, each)


@attrs.frozen(kw_only=True)
class ServerSettings:
    """Configure one server: a `[mcp.servers.<name>]` table, with either `url` or `command`."""

    url: str | None = attrs.field(default=None, validator=_address)
    """Where it is, such as `https://tools.example.com/mcp`."""
    transport: str = attrs.field(default="auto", validator=one_of(*TRANSPORTS))
    """One of `TRANSPORTS`."""
    token_env: str | None = None
    """Environment variable with the token that it gets as `Authorization: Bearer`."""
    command: tuple[str, ...] = ()
    """Program and arguments of a server that speaks on its standard input and output; run without a shell."""
    pass_env: tuple[str, ...] = ()
    """Environment variables that the program gets besides PATH, HOME and the like."""
    always: bool = True
    """Whether every request may use its tools; otherwise those that name it: `{"type": "mcp", "server_label": …}`."""

    def __attrs_post_init__(self) -> None:
        if bool(self.command) == bool(self.url):
            raise WrongValue("url", "either url or command must be given")
        if self.command and (self.transport != "auto" or self.token_env):
            raise WrongValue("transport" if self.transport != "auto" else "token_env", "is for servers with a url")
        if self.url and self.pass_env:
            raise WrongValue("pass_env", "is for servers with a command")


def _names(_: Any, field: "attrs.Attribute[Any]", value: dict[str, Any]) -> None:
    for name in value:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,31}", name):
            raise WrongValue(field.name, f"{name!r} must be letters, digits, _ and -, at most 32, a letter first")


@attrs.frozen(kw_only=True)
class McpSettings:
    """Configure the servers whose tools the gateway runs."""

    servers: dict[str, ServerSettings] = attrs.field(factory=dict[str, ServerSettings], validator=_names)
    """The operator's servers, by the names that requests and logs use."""
    allowed_endpoints: tuple[str, ...] = attrs.field(default=(), validator=_addresses)
    """Addresses that a request's `mcp_endpoint`, or the `server_url` of an `mcp` tool, may be; no others are ever
    contacted."""
    endpoint: str | None = attrs.field(default=None, validator=_address, metadata={"env": ("MCP_HTTP_ENDPOINT",)})
    """Address used for requests that name none; allowed by being here."""
    connect_s: float = attrs.field(default=10.0, validator=positive)
    """Seconds in which a server must be ready, its start and greeting included."""
    list_s: float = attrs.field(default=60.0, validator=positive)
    """Seconds for which a server's list of tools is remembered."""

    @property
    def addresses(self) -> frozenset[str]:
        """Return every address that a request may name, in the one form."""
        own = [self.endpoint] if self.endpoint else []
        return frozenset(endpoint(each) for each in (*self.allowed_endpoints, *own))
