import asyncio
import subprocess
import sys
from typing import Any, cast

import attrs
import pytest

from studiogate_studio import NotReady, Studio, StudioSettings, hookspecs

from .conftest import eventually


@attrs.define
class FakePlugins:
    """Stand for the plugin host."""

    called: list[str] = attrs.field(factory=list[str])

    async def call_async(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Note the hook."""
        assert set(arguments) == {"launch"}
        self.called.append(hook)
        return []


@attrs.define
class FakeGateway:
    """Stand for the gateway."""

    started: asyncio.Event = attrs.field(factory=asyncio.Event)
    plugins: FakePlugins = attrs.field(factory=FakePlugins)


async def test_the_browser_starts_once_the_gateway_has(settings: StudioSettings) -> None:
    """Not before: another plugin's proxy may be up only then. Health and models follow the tabs."""
    studio, gateway = Studio(settings), FakeGateway()
    assert (studio.capacity(), studio.list_models(), studio.health().ready) == (1, (), False)
    with pytest.raises(NotReady):
        _ = studio.pool

    async with studio.lifespan(cast("Any", gateway)):
        assert not gateway.plugins.called
        assert studio.health().status == "starting"
        gateway.started.set()
        await eventually(lambda: studio.health().ready and bool(studio.list_models()))

        health = studio.health()
        assert gateway.plugins.called == ["configure_browser"]
        assert (health.status, health.advice) == ("ready", None)
        assert health.details["tabs"] == {"ready": 1, "busy": 0, "renewing": 0}
        async with studio.pool.lease():
            assert studio.health().ready
    assert studio.health().status == "stopped"


async def test_health_stays_ready_while_the_only_tab_is_renewed(settings: StudioSettings) -> None:
    """A request would only wait for a moment; before the first tab it might wait in vain."""
    studio, gateway = Studio(settings), FakeGateway()
    gateway.started.set()
    async with studio.lifespan(cast("Any", gateway)):
        await eventually(lambda: studio.pool.keeper.session is not None)
        assert not studio.health().ready
        await eventually(lambda: studio.pool.ready == 1)
        async with studio.pool.lease():
            pass

        assert (studio.pool.ready, studio.pool.renewing) == (0, 1)
        assert (studio.health().ready, studio.health().status) == (True, "ready")


async def test_without_a_profile_health_says_what_to_do(settings: StudioSettings) -> None:
    """The gateway runs on."""
    studio, gateway = Studio(attrs.evolve(settings, profile=settings.profile.with_name("none.json"))), FakeGateway()
    gateway.started.set()
    async with studio.lifespan(cast("Any", gateway)):
        await eventually(lambda: studio.health().status == "no profile")

        assert not studio.health().ready
        assert "storage_state" in (studio.health().advice or "")


async def test_configure_browser_is_a_hook() -> None:
    """The specification is what the plugin brings."""
    assert Studio.hookspecs is hookspecs
    assert hasattr(hookspecs.configure_browser, "studiogate_spec")


def test_the_package_is_light() -> None:
    """Importing the plugin brings no Playwright."""
    code = "import sys, studiogate_studio; sys.exit('playwright' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
