from pathlib import Path

import attrs
import pytest

from studiogate.errors import ConfigurationError
from studiogate_stream_intercept.destinations import PAGE_HOST, RPC_HOST, ProxySettings, Reroute, Verdict

SETTINGS = ProxySettings(ca_dir=Path("ca"))
DEMO = attrs.evolve(SETTINGS, reroute=Reroute(host="127.0.0.1", port=4000, ca_file=Path("ca.pem")))


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        (PAGE_HOST, Verdict.DECRYPT),
        (RPC_HOST, Verdict.DECRYPT),
        ("AIStudio.Google.com.", Verdict.DECRYPT),
        ("accounts.google.com", Verdict.TUNNEL),
        ("fonts.gstatic.com", Verdict.TUNNEL),
        ("a.b.googleapis.com", Verdict.TUNNEL),
        ("gstatic.com", Verdict.REFUSE),
        ("google.com.evil.example", Verdict.REFUSE),
        ("notgoogle.com", Verdict.REFUSE),
        ("127.0.0.1", Verdict.REFUSE),
        ("", Verdict.REFUSE),
    ],
)
def test_what_happens_to_a_host(host: str, verdict: Verdict) -> None:
    """The page's hosts are read, what they need is tunnelled, the rest is refused."""
    assert SETTINGS.verdict(host) is verdict


def test_a_demo_tunnels_nothing() -> None:
    """With a stand-in, passthrough hosts are decrypted too, and only the stand-in may be connected to."""
    assert DEMO.verdict("accounts.google.com") is Verdict.DECRYPT
    assert DEMO.verdict("example.com") is Verdict.REFUSE
    assert DEMO.may_connect("127.0.0.1", 4000)
    assert not DEMO.may_connect("127.0.0.1", 4001)
    assert not DEMO.may_connect(PAGE_HOST, 443)


def test_where_the_proxy_may_connect() -> None:
    """Only to listed hosts, only on the ports given."""
    assert SETTINGS.may_connect(PAGE_HOST, 443)
    assert not SETTINGS.may_connect(PAGE_HOST, 80)
    assert not SETTINGS.may_connect("example.com", 443)


@pytest.mark.parametrize(
    ("method", "host", "path", "is_rpc"),
    [
        ("POST", RPC_HOST, "/$rpc/x.v1.MakerSuiteService/GenerateContent", True),
        ("POST", RPC_HOST.upper(), "/$rpc/x.v1.MakerSuiteService/GenerateContent?alt=json", True),
        ("OPTIONS", RPC_HOST, "/$rpc/x.v1.MakerSuiteService/GenerateContent", False),
        ("POST", PAGE_HOST, "/$rpc/x.v1.MakerSuiteService/GenerateContent", False),
        ("POST", RPC_HOST, "/$rpc/x.v1.MakerSuiteService/CountTokens", False),
        ("POST", RPC_HOST, "/log?of=MakerSuiteService/GenerateContent", False),
    ],
)
def test_which_request_is_the_rpc(method: str, host: str, path: str, *, is_rpc: bool) -> None:
    """It is told by method, host and the path's end."""
    assert SETTINGS.is_rpc(method, host, path) is is_rpc


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "example.com", ""])
def test_only_loopback_is_listened_on(host: str) -> None:
    """The proxy serves this machine's browser; wider is refused with what would be right."""
    with pytest.raises(ConfigurationError, match=r"127\.0\.0\.1"):
        ProxySettings(ca_dir=Path("ca"), listen_host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_any_loopback_will_do(host: str) -> None:
    """IPv4, IPv6 and the name are all this machine."""
    assert ProxySettings(ca_dir=Path("ca"), listen_host=host).listen_host == host
