from pathlib import Path
from typing import Any

import pytest

from studiogate.config import Config
from studiogate.errors import ConfigurationError
from studiogate_mcp import Mcp, McpSettings
from studiogate_mcp.naming import declared_names
from studiogate_mcp.settings import endpoint
from tests.core.backends import backend as backend_of, config, installed, says, serving


def settings(table: dict[str, Any], environ: dict[str, str] | None = None) -> McpSettings:
    """Read a table as the gateway does."""
    made = Config(path=Path("plugins.toml"), plugins=("mcp",), tables={"mcp": table}, environ=environ or {})
    return made.settings("mcp", McpSettings)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"servers": {"a": {}}}, "either url or command must be given"),
        ({"servers": {"a": {"url": "http://x", "command": ["y"]}}}, "either url or command must be given"),
        ({"servers": {"a": {"command": ["y"], "token_env": "T"}}}, "token_env: is for servers with a url"),
        ({"servers": {"a": {"command": ["y"], "transport": "sse"}}}, "transport: is for servers with a url"),
        ({"servers": {"a": {"url": "http://x", "pass_env": ["A"]}}}, "pass_env: is for servers with a command"),
        ({"servers": {"a": {"url": "http://x", "transport": "ws"}}}, "must be one of auto, http, sse, legacy"),
        ({"servers": {"a": {"url": "x"}}}, "must be an address such as https://"),
        ({"servers": {"a b": {"url": "http://x"}}}, "'a b' must be letters, digits"),
        ({"allowed_endpoints": ["http://user:secret@x"]}, "must hold no user, password or fragment"),
        ({"allowed_endpoints": ["ftp://x"]}, "must be an address such as https://"),
        ({"connect_s": 0}, "must be more than 0"),
        ({"list_s": 0}, "must be more than 0"),
        ({"servre": {}}, "servre"),
    ],
)
def test_wrong_settings_are_told(table: dict[str, Any], message: str) -> None:
    """By the key that is wrong and what would be right, and no password."""
    with pytest.raises(ConfigurationError) as caught:
        settings(table)

    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_environment_names_an_endpoint() -> None:
    """As the older guide has it."""
    assert settings({}, {"MCP_HTTP_ENDPOINT": "http://x/mcp"}).endpoint == "http://x/mcp"


@pytest.mark.parametrize("key", ["token_env", "pass_env"])
async def test_a_variable_that_is_not_there_stops_the_start(key: str, tmp_path: Path) -> None:
    """And says which it is, and where it is named."""
    server: dict[str, Any] = {
        "token_env": {"url": "http://127.0.0.1:9", "token_env": "NO_SUCH"},
        "pass_env": {"command": ["x"], "pass_env": ["NO_SUCH"]},
    }[key]
    made = config("mcp", state_dir=str(tmp_path))
    made.tables["mcp"] = {"servers": {"a": server}}  # type: ignore[index] - a plain dict, made two lines above
    with pytest.raises(ConfigurationError, match=rf"\[mcp.servers.a\] {key}: the environment has no variable NO_SUCH"):
        async with running(made):
            pass


def running(made: Config) -> Any:
    """Serve a configuration with the plugin."""
    from studiogate.web.server import running_gateway  # noqa: PLC0415

    return running_gateway(made, installed({"mcp": Mcp}))


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("HTTP://Tools.Example.COM:80/mcp/", "http://tools.example.com/mcp"),
        ("https://tools.example.com:443", "https://tools.example.com/"),
        ("https://tools.example.com.:8443/a?b=c", "https://tools.example.com:8443/a?b=c"),
        ("http://[::1]:80/x", "http://[::1]/x"),
    ],
)
def test_addresses_have_one_form(written: str, same: str) -> None:
    """So a list can be compared with what a client writes."""
    assert endpoint(written) == same
    assert endpoint(same) == same


@pytest.mark.parametrize(
    "text", ["http://a b/", "http://x/\\y", "http://ex\u00e4mple/", "http:///x", "http://x:99999/"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """It can't be compared with anything."""
    with pytest.raises(ValueError, match=r"must|range"):
        endpoint(text)


def test_names_are_kept_where_they_can_be() -> None:
    """Else they get their server's in front, or a number; all are different and fit for functions."""
    tools = [
        ("a", "add"),
        ("b", "add"),
        ("a", "mine"),
        ("a", "9 lives"),
        ("a", "9-lives"),
        ("a", "x" * 80),
        ("a", "_9_lives"),
    ]

    names = declared_names(tools, taken={"mine"})

    assert names == ["a_add", "b_add", "a_mine", "a_9_lives", "_9-lives", "x" * 64, "a__9_lives"]
    assert declared_names([("a", "f"), ("a", "f")], taken={"a_f"}) == ["a_f_2", "a_f_3"]


async def test_without_servers_nothing_changes() -> None:
    """An operator may list the plugin before there is anything to list."""
    async with serving({"mcp": Mcp, "a": backend_of(says("hello"), "test-model")}) as served:
        assert (await served.chat()).status_code == 200
        health = (await served.http.get("/health")).json()["plugins"]["mcp"]

    assert health["status"] == "no servers"
