"""What Google AI Studio is: its wire format, its page, and the browser that shows it, shared by the backends for it.

`Studio` is the plugin. A backend requires it, takes a tab with `studiogate_studio.tabs.lease_for(exchange, pool)` and
drives the page through it. This package itself is light; Playwright is imported when the gateway starts.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, ClassVar

from studiogate.errors import Declined, ModelNotFound
from studiogate.health import Health
from studiogate.hookspecs import hookimpl
from studiogate.metrics import Kind, Metric
from studiogate.models import Model
from studiogate.strict import shown_name
from studiogate_studio import hookspecs as studio_hookspecs
from studiogate_studio.errors import FileRefused, NotReady, PageBroken, PromptRefused, SignedOut, StudioError
from studiogate_studio.launch import BrowserLaunch, apply_interceptor
from studiogate_studio.proxies import interceptor_of
from studiogate_studio.selectors import load_selectors
from studiogate_studio.settings import StudioSettings

if TYPE_CHECKING:
    import rich_click as click

    from studiogate.checks import Check
    from studiogate.exchange import Exchange
    from studiogate.gateway import Gateway
    from studiogate_studio.tabs import TabPool

__all__ = [
    "BrowserLaunch",
    "FileRefused",
    "NotReady",
    "PageBroken",
    "PromptRefused",
    "SignedOut",
    "Studio",
    "StudioError",
    "StudioSettings",
]

log = logging.getLogger(__name__)

PASSING = ("starting", "restarting", "opening tabs")
"""Of the states that `health` tells, those that pass without anybody doing anything."""
WAIT = "This passes by itself; requests wait meanwhile."
"""What to do about them."""


class Studio:
    """Run the browser and its tabs for the backends; answers nothing itself."""

    settings: ClassVar[type[StudioSettings]] = StudioSettings
    hookspecs = studio_hookspecs
    requires: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: StudioSettings) -> None:
        self.options = settings
        """This plugin's settings; `settings` is their class."""
        self.selectors = load_selectors(settings.selectors)
        self._pool: TabPool | None = None

    @property
    def pool(self) -> "TabPool":
        """Return the tabs.

        :raises NotReady: the gateway has not started, or has ended.
        """
        if self._pool is None:
            raise NotReady("The browser is starting.")
        return self._pool

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, gateway: "Gateway") -> AsyncGenerator[None]:
        """Run browser and tabs from when every plugin has started until the gateway ends."""
        from studiogate_studio.keeper import BrowserKeeper  # noqa: PLC0415 - brings Playwright, which takes its time
        from studiogate_studio.model_listener import ModelListener  # noqa: PLC0415
        from studiogate_studio.model_store import ModelStore  # noqa: PLC0415
        from studiogate_studio.tabs import TabPool  # noqa: PLC0415

        interceptor = interceptor_of(gateway.plugins)

        async def configure(launch: BrowserLaunch) -> None:
            await gateway.plugins.call_async("configure_browser", launch=launch)
            apply_interceptor(launch, interceptor)

        keeper = BrowserKeeper(self.options, configure)
        models = ModelListener(ModelStore(gateway.settings.state_dir / "studio" / "models.json"))
        self._pool = TabPool(keeper, self.selectors, models, self.options.tabs)
        browsing = asyncio.create_task(_browse(self._pool, gateway.started), name="studio")
        try:
            yield
        finally:
            browsing.cancel()
            with suppress(asyncio.CancelledError):
                await browsing

    @hookimpl
    def capacity(self) -> int:
        """Return one exchange per tab."""
        return self.options.tabs

    @hookimpl
    def list_models(self) -> Sequence[Model]:
        """Return the models that the page was last told of, in this run or an earlier one."""
        return () if self._pool is None else self._pool.models.models

    @hookimpl
    def takes_model(self) -> bool:
        """Take any model while the page has told of none."""
        return not self.list_models()

    def model_of(self, exchange: "Exchange") -> Model | None:
        """Return the exchange's model as AI Studio lists it; None where it lists none yet, or where none was asked for.

        None too for one that only the operator's `[[models]]` names: AI Studio may have more than it lists.

        :raises Declined: AI Studio doesn't have the model; another backend may.
        """
        asked = exchange.model
        listed = {model.id: model for model in self.list_models()}
        if asked is None or asked.id in listed or asked.injected or not listed:
            return None if asked is None else listed.get(asked.id)
        raise Declined(f"AI Studio doesn't list the model {shown_name(asked.id)}", status=ModelNotFound.status)

    @hookimpl
    def check(self) -> "Sequence[Check]":
        """Look at the profile and the browser."""
        from studiogate_studio.checking import checks  # noqa: PLC0415 - a command's only

        return tuple(checks(self.options))

    @hookimpl
    def register_cli(self, group: "click.RichGroup") -> None:
        """Add `studiogate demo`, `studiogate doctor` and `studiogate login`."""
        from studiogate_studio.demo import demo  # noqa: PLC0415 - needed for the command line only
        from studiogate_studio.doctor_cli import doctor  # noqa: PLC0415
        from studiogate_studio.login_cli import login  # noqa: PLC0415

        group.add_command(demo)
        group.add_command(doctor)
        group.add_command(login)

    @hookimpl
    def health(self) -> Health:
        """Return how browser and tabs fare; ready from the first tab on, also while all tabs are renewed."""
        if self._pool is None:
            return Health(ready=False, status="starting", advice=WAIT, flags=_flags())
        pool, keeper = self._pool, self._pool.keeper
        ready = keeper.session is not None and pool.usable
        if ready or keeper.session is None:
            status = str(keeper.state)
        else:
            status = "opening tabs" if pool.trouble is None else "page broken"
        details = {
            "tabs": {"ready": pool.ready, "busy": pool.busy, "renewing": pool.renewing},
            "browser": keeper.session.version if keeper.session else None,
            "restarts": max(0, keeper.launches - 1),
            "models": len(pool.models.models),
        }
        advice = keeper.advice or (pool.trouble.reason if pool.trouble else None)
        if advice is None and status in PASSING:
            advice = WAIT
        flags = _flags(driver=keeper.driver_runs, browser=keeper.connected, page=ready)
        return Health(ready=ready, status=status, advice=advice, details=details, flags=flags)

    @hookimpl
    def metrics(self) -> Sequence[Metric]:
        """Return how many tabs and browsers there were, and which elements could not be found."""
        if self._pool is None:
            return ()
        pool = self._pool
        return (
            Metric(
                name="tabs",
                help="Tabs by state: ready to be lent, lent, or being opened, renewed or replaced.",
                label="state",
                value={"ready": pool.ready, "lent": pool.busy, "renewing": pool.renewing},
            ),
            Metric(name="tabs_broken", help="Tabs replaced because they broke.", kind=Kind.COUNTER, value=pool.broken),
            Metric(
                name="browser_restarts",
                help="Launches of the browser after the first.",
                kind=Kind.COUNTER,
                value=max(0, pool.keeper.launches - 1),
            ),
            Metric(
                name="selector_misses",
                help="Pages given up because nothing found an element.",
                kind=Kind.COUNTER,
                label="element",
                value=dict(self.selectors.misses),
            ),
        )


def _flags(*, driver: bool = False, browser: bool = False, page: bool = False) -> dict[str, bool]:
    return {"playwright_ready": driver, "browser_connected": browser, "page_ready": page}


async def _browse(pool: "TabPool", started: asyncio.Event) -> None:
    """Run keeper and pool; waits for the other plugins first, whose proxy the browser may need."""
    try:
        await started.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(pool.keeper.run())
            group.create_task(pool.run())
    except Exception:
        log.exception("the browser's supervision failed; no tab will be ready until the gateway is restarted")
        raise
    finally:
        await pool.models.close()
