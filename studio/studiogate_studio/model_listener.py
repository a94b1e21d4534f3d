"""Learns the models from the list that the page fetches for itself at each load."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import attrs
from playwright.async_api import Error as PlaywrightError, Page, Response

from studiogate_studio.errors import before_quotes
from studiogate_studio.model_store import Models, ModelStore
from studiogate_studio.wire import WireError, read_models

log = logging.getLogger(__name__)

LIST_MODELS = "MakerSuiteService/ListModels"
"""What the address of the page's own request contains."""

_BODY_S = 15.0
_LATE_S = 3.0
"""How long a page that is ready is still listened to for its list."""
_FRESH_S = 1800.0
"""How old the list may be before a page's next load is listened to again."""
_RETRY_S = 60.0
"""The same where no list could be read, so that a page of another form doesn't delay every tab."""


@attrs.define(eq=False)
class ModelListener:
    """Remember the last list of models that a loading page received, from the last start on if there is a store.

    Pages are listened to only while they load and the list is missing or old: Playwright keeps an object for every
    request and response it tells of, thousands of them before it lets any go.
    """

    _store: ModelStore | None = None
    """None keeps nothing between starts."""
    models: Models = attrs.field(default=(), init=False)
    """Empty until a page has loaded, unless a list has been kept."""
    _again_at: float = attrs.field(default=0.0, init=False)
    """When to listen again, in the event loop's time, seconds."""
    _reading: set[asyncio.Task[None]] = attrs.field(factory=set[asyncio.Task[None]], init=False)

    def __attrs_post_init__(self) -> None:
        if self._store is not None:
            self.models = self._store.load()

    @asynccontextmanager
    async def listening(self, page: Page) -> AsyncGenerator[None]:
        """Listen to a page that is opened inside this context; waits a moment for a list that comes late."""
        now = asyncio.get_running_loop().time
        if now() < self._again_at:
            yield
            return
        read = asyncio.Event()

        def heard(response: Response) -> None:
            if LIST_MODELS in response.url and response.ok and response.request.method == "POST":
                task = asyncio.create_task(self._read(response, read))
                self._reading.add(task)
                task.add_done_callback(self._reading.discard)

        page.on("response", heard)
        try:
            yield
            with suppress(TimeoutError):
                async with asyncio.timeout(_LATE_S):
                    await read.wait()
            self._again_at = now() + (_FRESH_S if read.is_set() else _RETRY_S)
        finally:
            page.remove_listener("response", heard)

    async def _read(self, response: Response, read: asyncio.Event) -> None:
        # The body is gone when the page has moved on; another load brings another list.
        try:
            async with asyncio.timeout(_BODY_S):
                models = read_models(await response.body()).models
        except (PlaywrightError, TimeoutError) as error:
            log.debug("a list of models could not be read: %s", before_quotes(str(error)))
        except WireError as error:
            log.warning("AI Studio's list of models has an unknown form: %s", error)
        else:
            if models:
                self.models = models
                read.set()
                if self._store is not None:
                    await asyncio.to_thread(self._store.save, models)

    async def close(self) -> None:
        """Forget what is still being read."""
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)
