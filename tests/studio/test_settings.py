from pathlib import Path
from typing import Any

import pytest

from studiogate.strict import WrongValue
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
