from pathlib import Path

import pytest

from studiogate.config import Config
from studiogate.errors import ConfigurationError
from studiogate.gateway import Gateway
from studiogate.plugins import PluginHost
from studiogate_stream_intercept.settings import StreamInterceptSettings


def config(**environ: str) -> Config:
    """Make a configuration of this plugin alone."""
    return Config(path=Path("/somewhere/plugins.toml"), plugins=("stream_intercept",), tables={}, environ=environ)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, (True, 0)),
        ({"STREAM_PORT": ""}, (True, 0)),
        ({"STREAM_PORT": "3120"}, (True, 3120)),
        ({"STREAM_PORT": "0"}, (False, 0)),
        ({"STREAM_PORT": "3120", "STUDIOGATE_STREAM_INTERCEPT_PORT": "3121"}, (True, 3121)),
        ({"STREAM_PORT": "0", "STUDIOGATE_STREAM_INTERCEPT_ENABLED": "true"}, (True, 0)),
    ],
)
def test_the_older_guides_port_is_a_switch_too(environ: dict[str, str], expected: tuple[bool, int]) -> None:
    """`STREAM_PORT` names the port; 0 switches the plugin off, while `port = 0` takes any free port."""
    settings = config(**environ).settings("stream_intercept", StreamInterceptSettings)

    assert (settings.enabled, settings.port) == expected


@pytest.mark.parametrize(("text", "message"), [("x", "must be a whole number"), ("65536", "must be from 0 to 65535")])
def test_a_wrong_port_is_the_variables(text: str, message: str) -> None:
    """The message names the variable that the operator set."""
    with pytest.raises(ConfigurationError, match=f"^environment variable STREAM_PORT: .*{message}"):
        config(STREAM_PORT=text).settings("stream_intercept", StreamInterceptSettings)


async def test_a_gateway_without_its_only_backend_starts_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """Switched off, the backend isn't there, nor the browser it would need; the log names the variable."""
    caplog.set_level("INFO")
    off = config(STREAM_PORT="0")
    gateway = Gateway(off, PluginHost(off))
    async with gateway.lifespan():
        ready = gateway.ready

    assert gateway.plugins.names == ()
    assert not ready
    assert "plugin stream_intercept is switched off (environment variable STREAM_PORT)" in caplog.text
