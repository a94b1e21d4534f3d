from pathlib import Path

import attrs
import pytest

from studiogate_studio.launch import (
    BrowserLaunch,
    BrowserNotFound,
    apply_interceptor,
    apply_reroute,
    apply_upstream,
    prepare_launch,
)
from studiogate_studio.proxies import ForeignInterceptor, ProxyLogin
from studiogate_studio.settings import StudioSettings

from .conftest import Simulator


def test_a_missing_browser_is_found_out_before_the_launch() -> None:
    """The operator's executable must be one."""
    with pytest.raises(BrowserNotFound):
        prepare_launch(StudioSettings(browser="no-such-browser-anywhere"))


def test_trusted_keys_become_one_argument() -> None:
    """Chromium takes them joined by commas; without any, nothing is trusted."""
    launch = BrowserLaunch(args=["--x"], trusted_spkis=["a=", "b="])

    assert launch.arguments() == ["--x", "--ignore-certificate-errors-spki-list=a=,b="]
    assert BrowserLaunch(args=["--x"]).arguments() == ["--x"]


def test_reroute_maps_every_host_and_trusts_the_stand_in(settings: StudioSettings) -> None:
    """Page, RPC, accounts and Drive go to the stand-in."""
    launch = prepare_launch(settings)
    apply_reroute(launch, settings)

    rules = next(arg for arg in launch.args if arg.startswith("--host-resolver-rules="))
    assert rules.count("MAP ") == 5
    assert f"MAP accounts.google.com {settings.reroute}" in rules
    assert len(launch.trusted_spkis) == 1


def test_reroute_is_left_to_the_proxy_of_a_plugin(settings: StudioSettings) -> None:
    """With a proxy, the browser resolves no names itself."""
    launch = BrowserLaunch(proxy="http://127.0.0.1:3120")
    apply_reroute(launch, settings)

    assert (launch.args, launch.trusted_spkis) == ([], [])


UPSTREAM = StudioSettings(upstream_proxy="http://us:se-cret@proxy.example:3128")


def test_the_upstream_proxy_is_the_browsers_unless_a_plugin_has_one() -> None:
    """A plugin's proxy gets neither replaced nor the operator's login."""
    plain, plugins = BrowserLaunch(), BrowserLaunch(proxy="http://127.0.0.1:3120")
    apply_upstream(plain, UPSTREAM)
    apply_upstream(plugins, UPSTREAM)

    assert (plain.proxy, plain.proxy_login) == (
        "http://proxy.example:3128",
        ProxyLogin(username="us", password="se-cret"),
    )
    assert (plugins.proxy, plugins.proxy_login) == ("http://127.0.0.1:3120", None)


def test_without_an_upstream_proxy_the_browser_has_none() -> None:
    """It goes directly."""
    launch = BrowserLaunch()
    apply_upstream(launch, StudioSettings())

    assert launch.proxy is None


def test_a_stand_in_is_reached_without_the_upstream_proxy(settings: StudioSettings) -> None:
    """A browser behind a proxy would ask it for AI Studio itself."""
    launch = BrowserLaunch()
    apply_upstream(launch, attrs.evolve(settings, upstream_proxy="http://proxy.example:3128"))

    assert launch.proxy is None


def test_a_ca_that_is_none_is_refused(simulator: Simulator, tmp_path: Path) -> None:
    """What can't be trusted must not be skipped."""
    ca = tmp_path / "ca.pem"
    ca.write_text("nothing")

    with pytest.raises(ValueError, match="PEM"):
        apply_reroute(BrowserLaunch(), StudioSettings(reroute="127.0.0.1:1", reroute_ca=ca))


def test_somebody_elses_interceptor_is_the_browsers_unless_a_plugin_has_a_proxy(simulator: Simulator) -> None:
    """Its authority is trusted with it, and not where a plugin's proxy stands before it."""
    interceptor = ForeignInterceptor(host="::1", port=3121, ca=simulator.ca, plugin="x")
    direct, behind, open_to_all = BrowserLaunch(), BrowserLaunch(proxy="http://127.0.0.1:3120"), BrowserLaunch()
    apply_interceptor(direct, interceptor)
    apply_interceptor(behind, interceptor)
    apply_interceptor(open_to_all, attrs.evolve(interceptor, ca=None))

    assert (direct.proxy, len(direct.trusted_spkis)) == ("http://[::1]:3121", 1)
    assert (behind.proxy, behind.trusted_spkis) == ("http://127.0.0.1:3120", [])
    assert (open_to_all.proxy, open_to_all.trusted_spkis) == ("http://[::1]:3121", [])


def test_no_interceptor_changes_nothing() -> None:
    """As where no plugin names one."""
    launch = BrowserLaunch()
    apply_interceptor(launch, None)

    assert (launch.proxy, launch.trusted_spkis) == (None, [])
