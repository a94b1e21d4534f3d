"""Where the browser may go through the proxy, and what happens to it there.

A host is decrypted, tunnelled untouched, or refused; nothing else exists. The lists are data: the plugin's settings
fill them, this module only compares names.
"""

import enum
import ipaddress
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import attrs
import certifi

from studiogate.errors import ConfigurationError
from studiogate_studio.proxies import ForeignInterceptor, ProxyLogin, UpstreamProxy

PAGE_HOST = "aistudio.google.com"
RPC_HOST = "alkalimakersuite-pa.clients6.google.com"

PASSTHROUGH = (
    "accounts.youtube.com",
    "google.com",
    "*.google.com",
    "*.gstatic.com",
    "*.googleapis.com",
    "*.googleusercontent.com",
    "*.ggpht.com",
)
"""What the page needs beside its own hosts: sign-in, scripts and fonts, Drive, pictures."""


def _names(hosts: Iterable[str]) -> frozenset[str]:
    return frozenset(host.lower() for host in hosts)


def _patterns(hosts: Iterable[str]) -> tuple[str, ...]:
    return tuple(host.lower() for host in hosts)


def _numbers(ports: Iterable[int]) -> frozenset[int]:
    return frozenset(ports)


class Verdict(enum.Enum):
    """What the proxy does with a host."""

    DECRYPT = enum.auto()
    """Read it: TLS ends at the proxy."""
    TUNNEL = enum.auto()
    """Pass its bytes untouched, still encrypted end to end."""
    REFUSE = enum.auto()
    """Answer 403 before anything leaves the machine."""


@attrs.frozen(kw_only=True)
class Reroute:
    """A stand-in server that gets everything, so that a demo or a test sends nothing to the network."""

    host: str
    """Name or address to connect to; the server's certificate must be valid for it."""
    port: int
    ca_file: Path
    """PEM of the certificate (or CA) that the stand-in is verified against."""


@attrs.frozen(kw_only=True)
class ProxySettings:
    """All that the proxy is told; it knows nothing of the RPC's format."""

    ca_dir: Path
    """Folder of this installation's CA; made on the first start, 0700."""
    listen_host: str = attrs.field(default="127.0.0.1")
    """A loopback address: the proxy serves this machine's browser only."""
    port: int = attrs.field(default=0, validator=[attrs.validators.ge(0), attrs.validators.le(65535)])
    """0 takes any free port."""
    login: ProxyLogin | None = None
    """Who may use the proxy; None lets every process of this machine."""
    hosts: frozenset[str] = attrs.field(default=frozenset({PAGE_HOST, RPC_HOST}), converter=_names)
    """Hosts whose traffic is decrypted; they win over `passthrough`."""
    rpc_host: str = RPC_HOST
    """The host of the RPC; one of `hosts`."""
    rpc_path: str = "MakerSuiteService/GenerateContent"
    """How the RPC's path ends, without the query. The service's name follows a dot, so no slash leads."""
    passthrough: tuple[str, ...] = attrs.field(default=PASSTHROUGH, converter=_patterns)
    """Host patterns that are tunnelled; `*` stands for any number of characters, dots too."""
    ports: frozenset[int] = attrs.field(default=frozenset({443}), converter=_numbers)
    """The only ports a tunnel may be opened to."""
    reroute: Reroute | None = None
    """Where everything goes instead; `passthrough` hosts are decrypted then, since a tunnel would leave the machine."""
    upstream: UpstreamProxy | None = None
    """An HTTP proxy that every connection goes through, `reroute` or not; None for the direct way."""
    interceptor: ForeignInterceptor | None = None
    """Somebody else's reading proxy that everything decrypted goes through; it finds its own way from there."""
    buffer_limit: int = attrs.field(default=64 * 2**20, validator=attrs.validators.gt(0))
    """Bytes of one answer that may wait for its reader; more breaks that answer off."""

    @listen_host.validator  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUntypedFunctionDecorator]
    def _loopback_only(self, _attribute: object, value: str) -> None:
        try:
            loopback = ipaddress.ip_address(value).is_loopback
        except ValueError:
            loopback = value == "localhost"
        if not loopback:
            message = f"The proxy can only listen on a loopback address such as 127.0.0.1, not on {value!r}."
            raise ConfigurationError(message)

    @property
    def trusted_files(self) -> tuple[Path, ...]:
        """Return the files that upstream servers are verified against; none means the usual CAs.

        Whatever is decrypted goes through `interceptor`, so its authority counts for nobody else. It may leave some
        hosts encrypted: then they show their own certificates.
        """
        usual = () if self.reroute is None else (self.reroute.ca_file,)
        if self.interceptor is None or self.interceptor.ca is None:
            return usual
        return (*(usual or (Path(certifi.where()),)), self.interceptor.ca)

    def verdict(self, host: str) -> Verdict:
        """Say what happens to a host; names are compared without case and without the root's dot."""
        name = host.lower().removesuffix(".")
        if name in self.hosts:
            return Verdict.DECRYPT
        if not any(fnmatchcase(name, pattern) for pattern in self.passthrough):
            return Verdict.REFUSE
        return Verdict.TUNNEL if self.reroute is None else Verdict.DECRYPT

    def may_connect(self, host: str, port: int) -> bool:
        """Tell whether the proxy itself may open a connection there."""
        if self.interceptor is not None and (host, port) == self.interceptor.address:
            return True
        if self.upstream is not None:
            return (host, port) == (self.upstream.host, self.upstream.port)
        past_interceptor = self.reroute is not None or self.verdict(host) is not Verdict.TUNNEL
        return self.may_reach(host, port) and not (self.interceptor is not None and past_interceptor)

    def may_reach(self, host: str, port: int) -> bool:
        """Tell whether bytes may go there, directly or through `upstream`: the last check before they leave."""
        if self.reroute is not None:
            return (host, port) == (self.reroute.host, self.reroute.port)
        return port in self.ports and self.verdict(host) is not Verdict.REFUSE

    def is_rpc(self, method: str, host: str, path: str) -> bool:
        """Tell the RPC that carries a prompt from the page's other traffic, CORS preflights among it."""
        return method == "POST" and host.lower() == self.rpc_host and path.partition("?")[0].endswith(self.rpc_path)
