import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from studiogate.errors import InvalidRequest, TooLarge
from studiogate_attachments.fetching import Fetched, Fetcher
from studiogate_attachments.hosts import AllowedHosts
from studiogate_attachments.settings import AttachmentsSettings
from studiogate_simulator.certificates import make_certificates

from .samples import png
from .webhost import Host, serving_host

NOT_ALLOWED = "none that this gateway fetches files from"
NOT_PUBLIC = "address is not public"


@pytest.fixture
async def host() -> AsyncGenerator[Host]:
    """Serve files."""
    async with serving_host() as serving:
        yield serving


def fetcher(*allowed: str, **settings: Any) -> Fetcher:
    """Make a fetcher for some hosts."""
    return Fetcher(AllowedHosts(allowed), AttachmentsSettings(allowed_hosts=allowed, **settings))


async def fetch(fetcher: Fetcher, url: str) -> tuple[bytes, Fetched]:
    """Fetch all of a file."""
    got: list[bytes] = []

    async def write(piece: bytes) -> None:
        got.append(piece)

    fetched = await fetcher.fetch(url, write)
    return b"".join(got), fetched


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Have names resolve to these addresses, another list each time; return the names asked for."""
    left, asked = list(answers), list[str]()
    loop = asyncio.get_running_loop()

    async def getaddrinfo(name: str, port: int, **options: object) -> list[tuple[Any, ...]]:
        asked.append(name)
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    return asked


async def test_a_file_of_an_allowed_host_is_fetched(host: Host) -> None:
    """With the type that the host declares, and the name that its address ends with."""
    url = host.serve("/pictures/a%20b.png?size=1", png(), headers={"content-type": "image/png"})

    assert await fetch(fetcher(f"127.0.0.1:{host.port}"), url) == (png(), Fetched(mime="image/png", name="a b.png"))


async def test_a_host_is_asked_under_its_name_at_the_address_that_was_checked(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is resolved once: what it would resolve to a moment later doesn't count."""
    asked = resolving(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
    host.serve("/a", b"x")
    got, _ = await fetch(
        fetcher(f"files.example:{host.port}", f"127.0.0.0/8:{host.port}"), host.url("/a", "FILES.example")
    )

    assert got == b"x"
    assert asked == ["files.example"]
    assert f"\r\nhost: files.example:{host.port}\r\n" in host.asked[0].lower()


async def test_what_is_sent_says_nothing_of_the_gateway_or_its_client(host: Host) -> None:
    """Neither cookies nor keys; and only what has to be said at all."""
    await fetch(fetcher(f"127.0.0.1:{host.port}"), host.serve("/a", b"x") + "#fragment")

    names = [line.partition(":")[0].lower() for line in host.asked[0].split("\r\n")[1:] if line]
    assert sorted(names) == ["accept", "accept-encoding", "connection", "host", "user-agent"]
    assert "fragment" not in host.asked[0]


async def test_the_next_address_is_tried(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host may have several, of which one is down."""
    resolving(monkeypatch, ["127.0.0.2", "127.0.0.1"])
    host.serve("/a", b"x")
    got, _ = await fetch(
        fetcher(f"files.example:{host.port}", f"127.0.0.0/8:{host.port}"), host.url("/a", "files.example")
    )

    assert got == b"x"


@pytest.mark.parametrize("name", ["localhost", "files.example"])
async def test_a_name_that_leads_home_is_refused(name: str, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a name server says, loopback and private networks are reached only if the operator listed them."""
    if name != "localhost":
        resolving(monkeypatch, ["8.8.8.8", "127.0.0.1"])
    host.serve("/a", b"secret")

    with pytest.raises(InvalidRequest, match=NOT_PUBLIC):
        await fetch(fetcher(f"{name}:{host.port}"), host.url("/a", name))
    assert host.asked == []


async def test_redirects_are_followed_and_checked(host: Host) -> None:
    """Each hop as the first address was."""
    host.redirect("/1", "/2", 301)
    host.redirect("/2", host.url("/3"), 307)
    host.serve("/3", b"x")
    allowing = fetcher(f"127.0.0.1:{host.port}")

    assert (await fetch(allowing, host.url("/1")))[0] == b"x"


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("http://localhost:{port}/secret", NOT_ALLOWED),
        ("http://169.254.169.254/latest/meta-data", NOT_ALLOWED),
        ("http://private.example/", NOT_PUBLIC),
        ("file:///etc/passwd", "http: or https:"),
        ("gopher://127.0.0.1/", "http: or https:"),
        ("http://user:password@127.0.0.1:{port}/secret", "no user name"),
        ("http://127.0.0.1:a/", "can't be fetched"),
    ],
)
async def test_a_redirect_does_not_lead_where_one_may_not_go(
    to: str, why: str, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To other hosts, to private addresses, to other schemes."""
    host.serve("/secret", b"secret")
    url = host.redirect("/1", to.format(port=host.port))
    allowing = fetcher(f"127.0.0.1:{host.port}", "private.example")
    real = asyncio.get_running_loop().getaddrinfo

    async def getaddrinfo(name: str, port: int, **options: Any) -> list[Any]:
        return await real("10.0.0.1" if name == "private.example" else name, port, **options)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)

    with pytest.raises(InvalidRequest, match=why):
        await fetch(allowing, url)
    assert len(host.asked) == 1


async def test_redirects_come_to_an_end(host: Host) -> None:
    """A circle is left after as many as the operator allows."""
    url = host.redirect("/1", "/1")

    with pytest.raises(InvalidRequest, match="more than 2 times"):
        await fetch(fetcher(f"127.0.0.1:{host.port}", max_redirects=2), url)
    assert len(host.asked) == 3


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com/", NOT_ALLOWED),
        ("http://127.0.0.1/", NOT_ALLOWED),
        ("http://2130706433/", NOT_ALLOWED),
        ("http://[::1]/", NOT_ALLOWED),
        ("http:///a", "with a host"),
        ("http://", "with a host"),
        ("http://a b/", NOT_ALLOWED),
        ("http://a:99999/", NOT_ALLOWED),
        ("http://a:b/", "no URL"),
        ("http://allowed.invalid/", "has no address"),
    ],
)
async def test_what_may_not_be_asked_is_not(url: str, why: str) -> None:
    """The client reads that it may not, and nobody is asked."""
    with pytest.raises(InvalidRequest, match=why):
        await fetch(fetcher("allowed.invalid", "files.example"), url)


async def test_what_is_no_file_is_refused(host: Host) -> None:
    """Failures of the host are told by their number."""
    allowing = fetcher(f"127.0.0.1:{host.port}")
    for status in ("404 Not Found", "500 Oops", "204 No Content", "206 Partial Content"):
        with pytest.raises(InvalidRequest, match=f"answers {status[:3]}"):
            await fetch(allowing, host.serve("/a", b"", status))


async def test_compressed_files_are_refused(host: Host) -> None:
    """Nobody could say how big they get."""
    url = host.serve("/a", b"x", headers={"content-encoding": "gzip"})

    with pytest.raises(InvalidRequest, match="compressed"):
        await fetch(fetcher(f"127.0.0.1:{host.port}"), url)
    assert "accept-encoding: identity" in host.asked[0].lower()


async def test_a_file_that_says_it_is_too_big_is_not_read(host: Host) -> None:
    """One that doesn't say is found out by who stores it."""
    url = host.serve("/a", b"x" * 11)

    with pytest.raises(TooLarge, match="at most 10 bytes"):
        await fetch(fetcher(f"127.0.0.1:{host.port}", max_file_bytes=10), url)


async def test_a_file_has_a_time_to_come_in(host: Host) -> None:
    """All of it, however it trickles."""
    with pytest.raises(InvalidRequest, match=r"not come within 0\.2 s"):
        await fetch(fetcher(f"127.0.0.1:{host.port}", fetch_s=0.2), host.url("/never"))


async def test_what_breaks_on_the_way_is_told(host: Host) -> None:
    """By its kind, without an address."""
    host.answers["/a"] = b"nonsense"
    host.answers["/b"] = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"
    allowing = fetcher(f"127.0.0.1:{host.port}")
    for path in ("/a", "/b"):
        with pytest.raises(InvalidRequest, match="can't be fetched: RemoteProtocolError") as refusal:
            await fetch(allowing, host.url(path))
        assert "127.0.0.1" not in refusal.value.message


async def test_tls_is_verified_for_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the connection goes to an address."""
    certificates = make_certificates(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates.leaf, certificates.leaf_key)
    resolving(monkeypatch, ["127.0.0.1"])
    async with serving_host(tls) as host:
        host.serve("/a", b"x")
        hosts = AllowedHosts(
            [f"aistudio.google.com:{host.port}", f"other.example:{host.port}", f"127.0.0.1:{host.port}"]
        )
        trusting = ssl.create_default_context(cafile=certificates.ca)
        allowing = Fetcher(hosts, AttachmentsSettings(), trusting)
        got, _ = await fetch(allowing, f"https://aistudio.google.com:{host.port}/a")
        with pytest.raises(InvalidRequest, match="can't be fetched: ConnectError"):
            await fetch(allowing, f"https://other.example:{host.port}/a")

    assert got == b"x"
