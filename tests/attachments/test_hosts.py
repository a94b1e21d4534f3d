import pytest

from studiogate.errors import ConfigurationError
from studiogate_attachments.hosts import AllowedHosts

HOSTS = AllowedHosts(
    ["files.example.com", "*.cdn.example", "odd.example:8443", "10.1.0.0/16", "127.0.0.1:9000", "[::1]:9000", "8.8.8.8"]
)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("files.example.com", 443),
        ("FILES.example.com.", 80),
        ("a.cdn.example", 443),
        ("a.b.cdn.example", 443),
        ("odd.example", 8443),
        ("10.1.2.3", 80),
        ("127.0.0.1", 9000),
        ("::1", 9000),
        ("::ffff:127.0.0.1", 9000),
        ("8.8.8.8", 443),
    ],
)
def test_what_is_listed_may_be_asked(host: str, port: int) -> None:
    """Names, names below a name, addresses and networks; on the usual ports, or on the one that is listed."""
    assert HOSTS.allow(host, port)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("example.com", 443),
        ("xfiles.example.com", 443),
        ("files.example.com.evil.example", 443),
        ("files.example.com", 22),
        ("cdn.example", 443),
        ("xcdn.example", 443),
        ("odd.example", 443),
        ("10.2.0.1", 80),
        ("127.0.0.1", 80),
        ("2130706433", 9000),
        ("0x7f.1", 9000),
        ("127.1", 9000),
        ("localhost", 9000),
        ("", 80),
    ],
)
def test_what_is_not_listed_may_not(host: str, port: int) -> None:
    """Neither what looks alike, nor other ports."""
    assert not HOSTS.allow(host, port)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "0.0.0.0",
            "127.0.0.1",
            "127.8.8.8",
            "10.2.0.1",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
        ),
        *("224.0.0.1", "255.255.255.255", "240.0.0.1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1"),
        *("::ffff:192.168.0.1", "::192.168.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::", "not an address"),
    ],
)
def test_addresses_that_are_not_public_are_not_reached(address: str) -> None:
    """Whatever guise they come in."""
    assert not AllowedHosts(["files.example.com"]).reach(address, 443)


@pytest.mark.parametrize(
    ("address", "port"),
    [
        *(("8.8.4.4", 443), ("2606:4700::1111", 22), ("10.1.255.255", 443), ("::ffff:10.1.0.1", 80)),
        *(("127.0.0.1", 9000), ("::1", 9000)),
    ],
)
def test_public_and_listed_addresses_are_reached(address: str, port: int) -> None:
    """The operator may name a network of their own; of a public host, which port is the name's matter."""
    assert HOSTS.reach(address, port)


@pytest.mark.parametrize(("address", "port"), [("127.0.0.1", 80), ("::1", 443), ("10.1.0.1", 22)])
def test_a_listed_address_is_listed_with_its_ports(address: str, port: int) -> None:
    """A name that resolves to it reaches no other service there."""
    assert not HOSTS.reach(address, port)


@pytest.mark.parametrize(
    "entry", ["", "http://example.com", "a b", "*", "*.", "exa*mple.com", "10.0.0.1/8", "a/b", "-"]
)
def test_an_entry_of_no_known_form_stops_the_start(entry: str) -> None:
    """The operator reads which, and what would be right."""
    with pytest.raises(ConfigurationError, match="allowed_hosts"):
        AllowedHosts([entry])


def test_an_empty_list_allows_nothing() -> None:
    """Which is the default."""
    assert not AllowedHosts([])
