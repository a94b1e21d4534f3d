"""Which hosts files may be fetched from, and which addresses may be reached for it."""

import ipaddress
import re
from collections.abc import Iterable

import attrs

from studiogate.errors import ConfigurationError

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_PORTS = frozenset({80, 443})
_NAME = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.?)+", re.IGNORECASE)
_TRANSLATED = tuple(ipaddress.ip_network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
"""IPv6 addresses that stand for an IPv4 address, which may be any."""


@attrs.frozen
class _Entry:
    name: str = ""
    """In lower case; empty where it is a network."""
    below: bool = False
    """Whether any name below `name` is meant, and not it."""
    network: Network | None = None
    ports: frozenset[int] = DEFAULT_PORTS


class AllowedHosts:
    """Check hosts by name, and addresses by what names them."""

    def __init__(self, entries: Iterable[str]) -> None:
        """Read the operator's list.

        :raises ConfigurationError: an entry is none of the forms.
        """
        self._entries = tuple(_entry(text) for text in entries)

    def __bool__(self) -> bool:
        """Tell whether anything is allowed."""
        return bool(self._entries)

    def allow(self, host: str, port: int) -> bool:
        """Tell whether a URL's host, a name or an address, may be asked."""
        address = _address(host)
        name = host.lower().rstrip(".")
        return any(port in entry.ports and _means(entry, name, address) for entry in self._entries)

    def reach(self, text: str, port: int) -> bool:
        """Tell whether an address may be connected to: it is public, or listed as an address, with this port."""
        address = _address(text)
        if address is None:
            return False
        return _is_public(address) or any(
            port in entry.ports and entry.network is not None and address in entry.network for entry in self._entries
        )


def _entry(text: str) -> _Entry:
    host, port = _parted(text.strip())
    try:
        ports = frozenset({int(port)}) if port else DEFAULT_PORTS
        if not _NAME.fullmatch(host) or _address(host) is not None:
            return _Entry(network=ipaddress.ip_network(host), ports=ports)
    except ValueError:
        raise ConfigurationError(
            f"[attachments] allowed_hosts: {text!r} is no host. Write a name (files.example.com), any name below one "
            "(*.example.com), an address or a network (10.0.0.0/8), with a port where it isn't 80 or 443."
        ) from None
    name = host.lower().rstrip(".")
    return _Entry(name=name.removeprefix("*."), below=name.startswith("*."), ports=ports)


def _parted(text: str) -> tuple[str, str]:
    """Return host and port, empty where there is none; an IPv6 address with a port stands in brackets."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = text.partition(":")
    return (text, "") if ":" in port else (host, port)


def _means(entry: _Entry, name: str, address: Address | None) -> bool:
    if address is not None:
        return entry.network is not None and address in entry.network
    return bool(entry.name) and (name.endswith(f".{entry.name}") if entry.below else name == entry.name)


def _address(text: str) -> Address | None:
    """Read an address; IPv4 in the guise of IPv6 is what it is."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _is_public(address: Address) -> bool:
    odd = address.is_multicast or address.is_reserved or any(address in network for network in _TRANSLATED)
    return address.is_global and not odd
