import asyncio
import logging
import ssl
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from studiogate.errors import ConfigurationError
from studiogate_helper_backend.service import KEPT_S, chat_url, system_proxy
from studiogate_simulator.certificates import Certificates, make_certificates

from .house import KEY, asking
from .standin import StandIn, answer, standing_in


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("https://api.example.com/v1", "https://api.example.com/v1/chat/completions"),
        ("https://api.example.com/v1/", "https://api.example.com/v1/chat/completions"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/chat/completions"),
        ("https://example.com/a/b?version=7", "https://example.com/a/b/chat/completions?version=7"),
        ("https://example.com/v1#top", "https://example.com/v1/chat/completions"),
    ],
)
def test_completions_are_asked_for_below_the_base(base: str, expected: str) -> None:
    """As OpenAI's own clients do; a query stays."""
    assert str(chat_url(base)) == expected


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        ("https://example.com", {}, None),
        ("https://example.com", {"HTTPS_PROXY": "http://proxy:1"}, "http://proxy:1"),
        ("https://example.com", {"https_proxy": "http://proxy:1", "HTTPS_PROXY": "http://other:2"}, "http://proxy:1"),
        ("https://example.com", {"HTTPS_PROXY": "proxy:1"}, "http://proxy:1"),
        ("https://example.com", {"HTTP_PROXY": "http://proxy:1"}, None),
        ("http://example.com", {"HTTP_PROXY": "http://proxy:1"}, "http://proxy:1"),
        ("http://example.com", {"HTTP_PROXY": "http://proxy:1", "NO_PROXY": "localhost, .example.com"}, None),
        ("http://api.example.com", {"HTTP_PROXY": "http://proxy:1", "NO_PROXY": "example.com"}, None),
        ("http://badexample.com", {"HTTP_PROXY": "http://proxy:1", "NO_PROXY": "example.com"}, "http://proxy:1"),
        ("http://example.com", {"HTTP_PROXY": "http://proxy:1", "NO_PROXY": "*"}, None),
        ("http://example.com", {"HTTP_PROXY": "http://proxy:1", "NO_PROXY": " , "}, "http://proxy:1"),
        ("http://127.0.0.1:11434", {"HTTP_PROXY": "http://proxy:1"}, None),
        ("http://localhost:11434", {"HTTP_PROXY": "http://proxy:1"}, None),
    ],
)
def test_the_systems_proxy_is_found(url: str, environ: dict[str, str], expected: str | None) -> None:
    """By the variables that everybody has; what is on this machine is asked directly."""
    assert system_proxy(URL(url), environ) == expected


async def test_the_service_is_asked_through_the_systems_proxy() -> None:
    """The proxy gets the whole address."""
    async with (
        standing_in() as proxy,
        asking(proxy, base_url="http://api.example.com/v1", environ={"HTTP_PROXY": proxy.url}) as house,
    ):
        answered = await house.chat()

    assert answered.status_code == 200
    assert proxy.last.path == "http://api.example.com/v1/chat/completions"


async def test_redirects_are_not_followed() -> None:
    """The key would go wherever the service says."""
    async with standing_in() as elsewhere, asking() as house:
        house.service.reply(answer(307, b"", location=f"{elsewhere.url}/chat/completions"))
        answered = await house.chat()

    assert answered.status_code == 502
    assert elsewhere.asked == []


def tls(certificates: Certificates) -> ssl.SSLContext:
    """Make a server's context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.leaf, certificates.leaf_key)
    return context


async def test_a_service_of_ones_own_authority_is_trusted_by_its_file(tmp_path: Path) -> None:
    """And by nothing else: without the file the key isn't sent, and a second try would be no better."""
    certificates = make_certificates(tmp_path)
    async with standing_in(tls(certificates)) as service:
        async with asking(service, ca=str(certificates.ca)) as house:
            trusted = await house.chat()
        async with asking(service) as house:
            untrusted = await house.chat()

    assert trusted.status_code == 200
    assert untrusted.status_code == 502
    assert "the service's certificate is not trusted" in untrusted.text
    assert len(service.asked) == 1
    assert service.connections <= 2


async def test_a_service_without_encryption_is_not_taken_for_one_with() -> None:
    """An address of the wrong scheme is told as that."""

    async def refuses(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuses, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, asking(StandIn(url=f"https://127.0.0.1:{port}/v1")) as house:
        answered = await house.chat()

    assert answered.status_code == 502
    assert "no encrypted connection to the service came about" in answered.text


@pytest.mark.parametrize(("content", "why"), [(None, "No such file or directory"), ("x", "holds no certificate")])
async def test_a_file_that_holds_no_authority_stops_the_start(tmp_path: Path, content: str | None, why: str) -> None:
    """It is looked at before anything is served, and its path is told to nobody."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ConfigurationError, match=rf"^\[helper_backend\] ca: the file can't be used: {why}\.$"):
        async with asking(ca=str(path)):
            pass


async def test_an_idle_connection_is_not_used_when_the_service_may_have_closed_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Many servers close theirs after 5 s, and a request lost so couldn't be sent again."""
    assert KEPT_S < 5

    monkeypatch.setattr("studiogate_helper_backend.service.KEPT_S", 0.01)
    async with asking() as house:
        await house.chat()
        await house.service.last.gone.wait()
        await house.chat()

    assert house.service.connections == 2


async def test_a_key_that_would_travel_in_the_clear_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """Over plain HTTP everybody on the way can read it; on this machine there is nobody."""
    with caplog.at_level(logging.WARNING, "studiogate_helper_backend"):
        async with asking():
            pass
        quiet = caplog.text
        async with asking(base_url="http://api.example.com/v1"):
            pass

    assert quiet == ""
    assert "the key for the service travels unencrypted; its base_url should be https" in caplog.text
    assert KEY not in caplog.text


def test_posts_are_sent_once() -> None:
    """The client library sends some requests again by itself where a kept connection was closed; never a POST."""
    assert "POST" not in aiohttp.client.IDEMPOTENT_METHODS
