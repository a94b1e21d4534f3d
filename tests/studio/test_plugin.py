import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from studiogate.errors import Declined
from studiogate.models import Model
from studiogate.settings import GatewaySettings
from studiogate_studio import NotReady, Studio, StudioSettings, hookspecs
from studiogate_studio.model_store import ModelStore
from tests.core.backends import exchange_of

from .conftest import eventually

NOT_YET = {"playwright_ready": False, "browser_connected": False, "page_ready": False}


@attrs.define
class FakePlugins:
    """Stand for the plugin host."""

    called: list[str] = attrs.field(factory=list[str])

    def call(self, hook: str) -> list[tuple[str, Any]]:
        """Name no interceptor."""
        assert hook == "foreign_interceptor"
        return []

    async def call_async(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Note the hook."""
        assert set(arguments) == {"launch"}
        self.called.append(hook)
        return []


@attrs.define
class FakeGateway:
    """Stand for the gateway."""

    settings: GatewaySettings
    started: asyncio.Event = attrs.field(factory=asyncio.Event)
    plugins: FakePlugins = attrs.field(factory=FakePlugins)


@pytest.fixture
def gateway(tmp_path: Path) -> FakeGateway:
    """Return a gateway with a state folder of the test's own."""
    return FakeGateway(settings=GatewaySettings(state_dir=tmp_path / "state"))


async def test_the_browser_starts_once_the_gateway_has(settings: StudioSettings, gateway: FakeGateway) -> None:
    """Not before: another plugin's proxy may be up only then. Health and models follow the tabs."""
    studio = Studio(settings)
    assert (studio.capacity(), studio.list_models(), studio.health().ready) == (1, (), False)
    assert studio.health().flags == NOT_YET
    assert studio.metrics() == ()
    with pytest.raises(NotReady):
        _ = studio.pool

    async with studio.lifespan(cast("Any", gateway)):
        assert not gateway.plugins.called
        assert (studio.health().status, studio.health().flags) == ("starting", NOT_YET)
        assert "passes by itself" in (studio.health().advice or "")
        gateway.started.set()
        await eventually(lambda: studio.health().ready and bool(studio.list_models()))

        health = studio.health()
        assert gateway.plugins.called == ["configure_browser"]
        assert (health.status, health.advice) == ("ready", None)
        assert health.details["tabs"] == {"ready": 1, "busy": 0, "renewing": 0}
        assert health.flags == dict.fromkeys(NOT_YET, True)
        async with studio.pool.lease():
            assert studio.health().ready
            told = {metric.name: metric.value for metric in studio.metrics()}
            assert told["tabs"] == {"ready": 0, "lent": 1, "renewing": 0}
            assert (told["browser_restarts"], told["tabs_broken"], told["selector_misses"]) == (0, 0, {})
    assert (studio.health().status, studio.health().flags) == ("stopped", NOT_YET)


async def test_health_tells_driver_browser_and_page_apart(
    settings: StudioSettings, gateway: FakeGateway, tmp_path: Path
) -> None:
    """A browser that starts and never answers leaves a running driver, and nothing else to use."""
    browser = tmp_path / "browser"
    browser.touch(0o700)
    browser.write_text("#!/bin/sh\nexec sleep 60\n")
    studio = Studio(attrs.evolve(settings, browser=str(browser)))
    gateway.started.set()
    async with studio.lifespan(cast("Any", gateway)):
        await eventually(lambda: studio.health().flags["playwright_ready"])

        assert (studio.health().ready, studio.health().flags) == (False, {**NOT_YET, "playwright_ready": True})
    assert studio.health().flags == NOT_YET


async def test_a_browser_that_shows_no_page_is_connected_all_the_same(
    settings: StudioSettings, gateway: FakeGateway
) -> None:
    """Until the first tab could be opened there is no page to use."""
    studio = Studio(settings)
    gateway.started.set()
    async with studio.lifespan(cast("Any", gateway)):
        session = await studio.pool.keeper.ready()

        assert studio.health().flags == {"playwright_ready": True, "browser_connected": True, "page_ready": False}
        session.give_up()
        assert studio.health().flags["browser_connected"] is False


async def test_models_are_kept_for_the_next_start(settings: StudioSettings, gateway: FakeGateway) -> None:
    """A gateway whose browser can't start knows what the page said last time."""
    gateway.started.set()
    first = Studio(settings)
    async with first.lifespan(cast("Any", gateway)):
        await eventually(lambda: bool(first.list_models()))
        told = first.list_models()
        saved = gateway.settings.state_dir / "studio" / "models.json"
        await eventually(saved.exists)
    second = Studio(attrs.evolve(settings, profile=settings.profile.with_name("none.json")))
    async with second.lifespan(cast("Any", gateway)):
        assert second.list_models() == told
        assert second.health().details["models"] == len(told)


async def test_a_model_is_as_the_page_lists_it(settings: StudioSettings, gateway: FakeGateway) -> None:
    """While the page has told of none, any may be there; then only those, and what the operator adds."""
    studio = Studio(settings)
    listed = Model(id="gemini-2.5-pro", display_name="Gemini 2.5 Pro", input_token_limit=9)
    ModelStore(gateway.settings.state_dir / "studio" / "models.json").save((listed,))

    assert studio.takes_model()
    assert studio.model_of(exchange_of(model=Model(id="other", display_name="other"))) is None
    async with studio.lifespan(cast("Any", gateway)):
        assert not studio.takes_model()
        assert studio.model_of(exchange_of(model=attrs.evolve(listed, input_token_limit=None))) == listed
        assert studio.model_of(exchange_of()) is None
        assert studio.model_of(exchange_of(model=Model(id="secret", display_name="secret", injected=True))) is None
        with pytest.raises(Declined, match="doesn't list the model other") as declined:
            studio.model_of(exchange_of(model=Model(id="other", display_name="other")))
    assert declined.value.status == 422


async def test_health_stays_ready_while_the_only_tab_is_renewed(settings: StudioSettings, gateway: FakeGateway) -> None:
    """A request would only wait for a moment; before the first tab it might wait in vain."""
    studio = Studio(settings)
    gateway.started.set()
    async with studio.lifespan(cast("Any", gateway)):
        await eventually(lambda: studio.pool.keeper.session is not None)
        assert not studio.health().ready
        await eventually(lambda: studio.pool.ready == 1)
        async with studio.pool.lease():
            pass

        assert (studio.pool.ready, studio.pool.renewing) == (0, 1)
        assert (studio.health().ready, studio.health().status) == (True, "ready")


async def test_without_a_profile_health_says_what_to_do(settings: StudioSettings, gateway: FakeGateway) -> None:
    """The gateway runs on."""
    studio = Studio(attrs.evolve(settings, profile=settings.profile.with_name("none.json")))
    gateway.started.set()
    async with studio.lifespan(cast("Any", gateway)):
        await eventually(lambda: studio.health().status == "no profile")

        assert not studio.health().ready
        assert "storage_state" in (studio.health().advice or "")


async def test_configure_browser_is_a_hook() -> None:
    """The specification is what the plugin brings."""
    assert Studio.hookspecs is hookspecs
    assert hasattr(hookspecs.configure_browser, "studiogate_spec")
    assert hasattr(hookspecs.foreign_interceptor, "studiogate_spec")


def test_the_package_is_light() -> None:
    """Importing the plugin brings no Playwright."""
    code = "import sys, studiogate_studio; sys.exit('playwright' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
