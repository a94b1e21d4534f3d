import pytest

from studiogate_studio.proxies import ProxyLogin, UpstreamProxy, parse_upstream


@pytest.mark.parametrize(
    ("text", "expected", "url"),
    [
        (
            "http://127.0.0.1:7890",
            UpstreamProxy(scheme="http", host="127.0.0.1", port=7890),
            "http://127.0.0.1:7890",
        ),
        (
            " HTTP://Proxy.Example:3128/ ",
            UpstreamProxy(scheme="http", host="proxy.example", port=3128),
            "http://proxy.example:3128",
        ),
        (
            "http://me:p%40ss:w@[::1]:1",
            UpstreamProxy(scheme="http", host="::1", port=1, login=ProxyLogin(username="me", password="p@ss:w")),
            "http://[::1]:1",
        ),
        (
            "http://me@proxy:1",
            UpstreamProxy(scheme="http", host="proxy", port=1, login=ProxyLogin(username="me", password="")),
            "http://proxy:1",
        ),
        (
            "socks5://127.0.0.1:1080",
            UpstreamProxy(scheme="socks5", host="127.0.0.1", port=1080),
            "socks5://127.0.0.1:1080",
        ),
    ],
)
def test_an_upstream_proxy_is_read(text: str, expected: UpstreamProxy, url: str) -> None:
    """Scheme, host, port and, escaped as URLs are, a login; the address without the login is what is handed on."""
    assert parse_upstream(text) == expected
    assert expected.url == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "proxy:3128",
        "127.0.0.1:7890",
        "http://proxy",
        "http://proxy:0",
        "http://proxy:port",
        "http://proxy:99999",
        "http://:3128",
        "https://proxy:3128",
        "socks4://proxy:1080",
        "http://proxy:3128/path",
        "http://proxy:3128?x",
        "http://proxy:3128#x",
        "http://a b:3128",
        "http://[::1:3128",
        "direct",
    ],
)
def test_what_is_no_upstream_proxy_is_refused(text: str) -> None:
    """The message says what would be right."""
    with pytest.raises(ValueError, match=r"^must be http://\[user:password@\]host:port or socks5://host:port$"):
        parse_upstream(text)


def test_a_login_for_socks_is_refused() -> None:
    """Chromium has no way to log in there; the message quotes no password."""
    with pytest.raises(ValueError, match="can't hold a user for socks5") as refusal:
        parse_upstream("socks5://me:se-cret@proxy:1080")

    assert "se-cret" not in str(refusal.value)


def test_a_password_is_not_shown() -> None:
    """Whoever prints a proxy prints no password."""
    assert "se-cret" not in repr(parse_upstream("http://me:se-cret@proxy:1"))


def test_a_login_is_sent_as_basic() -> None:
    """User and password in UTF-8, as proxies read them."""
    assert ProxyLogin(username="me", password="pä:ss").authorization == "Basic bWU6cMOkOnNz"
