"""Learns the models from the list that the page fetches for itself at each load."""

import asyncio
import logging

import attrs
from playwright.async_api import Error as PlaywrightError, Page, Response

from studiogate.models import Model
from studiogate_studio.wire import WireError, read_models

log = logging.getLogger(__name__)

LIST_MODELS = "MakerSuiteService/ListModels"
"""What the address of the page's own request contains."""

_BODY_S = 15.0


# No slots: Playwright sets an attribute on the object of a bound method that it is given as a listener.
@attrs.define(eq=False, slots=False)
class ModelListener:
    """Remember the last list of models that any watched page received."""

    models: tuple[Model, ...] = attrs.field(default=(), init=False)
    """Empty until a page has loaded."""
    _reading: set[asyncio.Task[None]] = attrs.field(factory=set[asyncio.Task[None]], init=False)

    def watch(self, page: Page) -> None:
        """Listen on a page; before it opens anything, for the list comes early."""
        page.on("response", self._heard)

    def _heard(self, response: Response) -> None:
        if LIST_MODELS in response.url and response.ok and response.request.method == "POST":
            task = asyncio.create_task(self._read(response))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _read(self, response: Response) -> None:
        # The body is gone when the page has moved on; another load brings another list.
        try:
            async with asyncio.timeout(_BODY_S):
                models = read_models(await response.body()).models
        except (PlaywrightError, TimeoutError) as error:
            log.debug("a list of models could not be read: %s", error)
        except WireError as error:
            log.warning("AI Studio's list of models has an unknown form: %s", error)
        else:
            if models:
                self.models = models

    async def close(self) -> None:
        """Forget what is still being read."""
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)
