"""Tier 3: answers read from the AI Studio page itself, every control set in the page; needs no proxy."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, ClassVar

from studiogate.errors import Declined
from studiogate.events import Event
from studiogate.health import Health
from studiogate.hookspecs import hookimpl
from studiogate.models import Model
from studiogate.params import Params
from studiogate_dom_scrape.settings import DomScrapeSettings
from studiogate_studio import Studio
from studiogate_studio.params import fit
from studiogate_studio.wire import SWITCHES

if TYPE_CHECKING:
    from studiogate.exchange import Exchange
    from studiogate.gateway import Gateway

__all__ = ["DomScrape", "DomScrapeSettings"]


class DomScrape:
    """The backend `dom_scrape`: the page, and nothing else."""

    settings: ClassVar[type[DomScrapeSettings]] = DomScrapeSettings
    requires: ClassVar[tuple[str, ...]] = ("studio",)

    def __init__(self, settings: DomScrapeSettings) -> None:
        self.options = settings
        """This plugin's settings; `settings` is their class."""
        self._studio: Studio | None = None

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, gateway: "Gateway") -> AsyncGenerator[None]:
        """Find the tabs to answer in."""
        self._studio = gateway.plugin(Studio)
        yield
        self._studio = None

    @hookimpl
    def apply_params(self, params: Params, model: Model | None) -> Params:
        """Fit the parameters to the model; what the page has no control for is reported."""
        params = fit(params, model)
        return params if params.seed is None else params.drop("seed", "the page has no control for it")

    @hookimpl
    async def fetch_response(self, exchange: "Exchange") -> AsyncGenerator[Event]:
        """Submit the prompt in a tab, or find it submitted by an earlier backend, and yield what the page shows."""
        from studiogate_dom_scrape.answering import answer  # noqa: PLC0415 - brings Playwright
        from studiogate_studio.tabs import lease_for  # noqa: PLC0415

        if self._studio is None:
            raise Declined("the browser is not running")
        if strange := sorted(exchange.plan.switches.keys() - SWITCHES.keys()):
            raise Declined(f"AI Studio has no tool {strange[0]}")
        self._studio.model_of(exchange)
        tab = await lease_for(exchange, self._studio.pool)
        # Looked up once more: the first tab of all brings the list.
        model = self._studio.model_of(exchange)
        async with aclosing(answer(exchange, tab, model, self.options)) as events:
            async for event in events:
                yield event

    @hookimpl
    def health(self) -> Health:
        """Return whether it runs; the browser and its tabs are the studio's to tell of."""
        return Health(ready=self._studio is not None, status="stopped" if self._studio is None else "ready")
