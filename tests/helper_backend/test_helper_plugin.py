"""The plugin with a helper service: what it needs, and what it says where that is missing."""

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from studiogate.gateway import Gateway
from studiogate.params import Params
from studiogate.plugins import PluginHost
from studiogate_helper_backend import NO_COOKIE, HelperBackend, HelperBackendSettings
from studiogate_studio import Studio
from tests.core.backends import config, installed

ENDPOINT = "http://127.0.0.1:3121/getStreamResponse"
PLUGINS: dict[str, type] = {"helper_backend": HelperBackend, "studio": Studio}


def host(*listed: str, studio: dict[str, Any] | None = None, **settings: Any) -> PluginHost:
    """Load the plugins that are listed, and what they need."""
    base = config(*(listed or ("helper_backend",)))
    tables = {**base.tables, "helper_backend": settings, "studio": studio or {}}
    return PluginHost(attrs.evolve(base, tables=tables, environ={}), installed(PLUGINS))


def test_a_browser_is_needed_for_a_helper_only() -> None:
    """The prompt is submitted in its page."""
    assert host(endpoint=ENDPOINT).names == ("studio", "helper_backend")
    assert host(protocol="helper").names == ("helper_backend",)
    assert host(endpoint=ENDPOINT, base_url="http://127.0.0.1/v1").names == ("helper_backend",)


def test_the_services_proxy_is_named_where_there_is_one() -> None:
    """With its authority, if that has to be trusted; an OpenAI-compatible service has none."""
    named = host(endpoint=ENDPOINT, proxy="[::1]:3120", proxy_ca="ca.pem").call("foreign_interceptor")
    unnamed = host(endpoint=ENDPOINT).call("foreign_interceptor")
    other = host("studio", "helper_backend", proxy="[::1]:3120", protocol="openai").call("foreign_interceptor")

    (found,) = (each for _, each in named)
    assert (found.host, found.port, found.ca, found.plugin) == (
        "::1",
        3120,
        Path("/somewhere/ca.pem"),
        "helper_backend",
    )
    assert (unnamed, other) == ([], [])


async def test_without_an_endpoint_it_is_inactive() -> None:
    """And says what to set."""
    loaded = host(protocol="helper")
    gateway = Gateway(loaded.config, loaded)
    async with gateway.lifespan():
        health = gateway.health()["helper_backend"]

    assert (health.ready, health.status) == (False, "inactive")
    assert health.advice == "Set endpoint in [helper_backend], or take helper_backend off the plugins."


@pytest.mark.parametrize(("cookies", "advice"), [(["SAPISID"], None), (["SID"], NO_COOKIE), ([], NO_COOKIE)])
async def test_without_the_accounts_cookie_it_is_inactive(
    tmp_path: Path, cookies: list[str], advice: str | None
) -> None:
    """The service knows the account by nothing else; a fresh profile is seen at once."""
    profile = tmp_path / "profile.json"
    entries = [{"name": name, "value": "x", "domain": ".google.com", "path": "/"} for name in cookies]
    loaded = host(endpoint=ENDPOINT, studio={"profile": str(profile)})
    gateway = Gateway(loaded.config, loaded)
    async with gateway.lifespan():
        before = gateway.health()["helper_backend"]
        profile.write_text(json.dumps({"cookies": entries, "origins": []}))
        profile.chmod(0o600)
        health = gateway.health()["helper_backend"]

    assert before.ready
    assert (health.ready, health.advice) == (advice is None, advice)


def test_parameters_are_fitted_to_the_page() -> None:
    """What it has no control for is reported; parallel calls are for the plan of functions to honour."""
    plugin = HelperBackend(HelperBackendSettings(endpoint=ENDPOINT))
    params = plugin.apply_params(Params(seed=1, temperature=0.5, other={"parallel_tool_calls": False}), None)

    assert params is not None
    assert (params.seed, params.temperature, params.other) == (None, 0.5, {})
    assert params.ignored == {"seed": "the page has no control for it"}
