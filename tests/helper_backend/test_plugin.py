import logging
import subprocess
import sys

import pytest

from studiogate.plugins import installed_plugins
from studiogate_helper_backend import HelperBackend, HelperBackendSettings
from tests.core.backends import backend, says

from .house import asking

LOADED = """
import sys
from pathlib import Path
from studiogate.config import Config
from studiogate.plugins import PluginHost
tables = {"helper_backend": {"protocol": "openai"}}
host = PluginHost(Config(path=Path("/plugins.toml"), plugins=("helper_backend",), tables=tables, environ={}))
heavy = {"playwright", "mitmproxy", "studiogate_studio", "aiohttp"}
print(host.names, heavy & {name.partition(".")[0] for name in sys.modules})
"""


def test_it_is_installed_under_its_name() -> None:
    """Its entry point names the class."""
    assert installed_plugins()["helper_backend"]() is HelperBackend


def test_another_service_needs_no_browser() -> None:
    """Nothing of the page is loaded, nor the HTTP client before something is served."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=False)

    assert (done.stdout.strip(), done.stderr) == ("('helper_backend',) set()", "")


async def test_without_an_address_it_is_inactive(caplog: pytest.LogCaptureFixture) -> None:
    """The start goes on; log and /health say what is missing, and other backends answer."""
    caplog.set_level(logging.INFO, "studiogate_helper_backend")
    async with asking(base_url=None, others={"b": backend(says("b says"))}) as house:
        answered = await house.chat()
        health = await house.health()
        ready = (await house.served.http.get("/health")).status_code

    assert answered.headers["x-studiogate-attempts"] == "helper_backend=declined: no base_url is set, b=ok"
    assert (health["ready"], health["status"]) == (False, "inactive")
    assert health["advice"] == "Set base_url in [helper_backend], or take helper_backend off the plugins."
    assert ready == 200
    assert "helper_backend is inactive: no base_url is set" in caplog.text


async def test_the_service_is_asked_for_models_that_nobody_lists() -> None:
    """It may have any, whatever others list; without a service nobody has them."""
    listing = {"a": backend(says("a says"), "gemini-2.5-pro")}
    async with asking(others=listing) as house:
        answered = await house.chat(model="any/model")
    async with asking(base_url=None, others=listing) as house:
        refused = await house.chat(model="gemini-2.5-prx")

    assert answered.headers["x-studiogate-attempts"] == "helper_backend=ok"
    assert refused.status_code == 422
    assert "gemini-2.5-pro" in refused.json()["detail"]


async def test_alone_and_inactive_the_gateway_isnt_ready() -> None:
    """Nobody could answer."""
    async with asking(base_url=None) as house:
        assert (await house.served.http.get("/health")).status_code == 503
        assert (await house.chat()).status_code == 502


async def test_with_an_address_it_is_ready() -> None:
    """It isn't asked just to see: that costs, and may fail for a moment."""
    async with asking() as house:
        health = await house.health()

    assert (health["ready"], health["status"], health["details"]["protocol"]) == (True, "ready", "openai")
    assert house.service.asked == []


async def test_mapped_models_are_listed() -> None:
    """So that clients find them, and one of them is the default."""
    async with asking(models={"gpt-4o": "vendor/model", "o3": "o3"}) as house:
        listed = (await house.served.http.get("/v1/models")).json()["data"]
        await house.chat(model=None)

    assert [(each["id"], each["display_name"], each["owned_by"]) for each in listed] == [
        ("gpt-4o", "vendor/model", "helper_backend"),
        ("o3", "o3", "helper_backend"),
    ]
    assert house.service.last.body["model"] == "vendor/model"


def test_the_plugin_shows_no_key() -> None:
    """Neither do its settings, wherever they are printed."""
    settings = HelperBackendSettings(base_url="http://127.0.0.1/v1", api_key="sk-secret")

    assert "sk-secret" not in repr(settings)
    assert "sk-secret" not in repr(HelperBackend(settings))
