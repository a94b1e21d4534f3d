from pathlib import Path
from typing import Any

import pytest

from studiogate.config import Config
from studiogate.errors import ConfigurationError
from studiogate.strict import WrongValue
from studiogate_studio.page import new_chat_url
from studiogate_studio.proxies import UpstreamProxy
from studiogate_studio.settings import StudioSettings


def test_defaults_drive_the_real_page_with_two_headless_tabs() -> None:
    """Without a table, the real page is driven with the profile in its usual place."""
    settings = StudioSettings()

    assert (settings.tabs, settings.headless, settings.reroute) == (2, True, None)
    assert settings.profile == Path("auth_profiles/studio.json")
    assert settings.page_host == "aistudio.google.com"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"tabs": 0}, "at least 1"),
        ({"page_url": "http://aistudio.google.com/"}, "https"),
        ({"rpc_host": "https://host/path"}, "bare host name"),
        ({"reroute": "127.0.0.1"}, "host:port"),
        ({"reroute": "127.0.0.1:99999"}, "host:port"),
        ({"ready_s": 0.0}, "at least 1"),
        ({"upload_s": 0.0}, "at least 1"),
        ({"upload_s_per_mb": -1.0}, "at least 0"),
        ({"upstream_proxy": "proxy:3128"}, "must be http://"),
    ],
)
def test_wrong_values_say_what_would_be_right(wrong: dict[str, Any], right: str) -> None:
    """A value out of bounds names its key and what is expected."""
    with pytest.raises(WrongValue, match=right) as caught:
        StudioSettings(**wrong)

    assert caught.value.field == next(iter(wrong))


@pytest.mark.parametrize("reroute", ["127.0.0.1:8443", "localhost:1", "[::1]:8443"])
def test_reroute_takes_hosts_and_addresses(reroute: str) -> None:
    """Names, IPv4 and bracketed IPv6 are all hosts."""
    assert StudioSettings(reroute=reroute).reroute == reroute


@pytest.mark.parametrize("variable", ["UNIFIED_PROXY_CONFIG", "STUDIOGATE_STUDIO_UPSTREAM_PROXY"])
def test_the_upstream_proxy_may_come_from_the_environment(variable: str) -> None:
    """The older guide's name sets it too."""
    environ = {variable: "http://127.0.0.1:7890"}
    made = Config(path=Path("/plugins.toml"), plugins=(), tables={}, environ=environ).settings("studio", StudioSettings)

    assert made.upstream == UpstreamProxy(scheme="http", host="127.0.0.1", port=7890)
    assert StudioSettings().upstream is None
    assert StudioSettings(upstream_proxy="").upstream is None


def test_a_wrong_upstream_proxy_is_refused_without_its_password() -> None:
    """The message names the variable and what would be right, and quotes nothing."""
    environ = {"UNIFIED_PROXY_CONFIG": "http://us:se-cret@proxy"}
    config = Config(path=Path("/plugins.toml"), plugins=(), tables={}, environ=environ)

    with pytest.raises(ConfigurationError) as refusal:
        config.settings("studio", StudioSettings)

    assert str(refusal.value).startswith("environment variable UNIFIED_PROXY_CONFIG: [studio] upstream_proxy: must be ")
    assert "se-cret" not in str(refusal.value)


def test_a_new_chat_is_asked_to_be_temporary() -> None:
    """The rest of the operator's address stays."""
    url = "https://aistudio.google.com/prompts/new_chat?model=m"

    assert new_chat_url(StudioSettings(page_url=url)) == f"{url}&incognito=true"
    assert new_chat_url(StudioSettings(page_url=url, temporary_chat=False)) == url
