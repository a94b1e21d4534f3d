"""What the browser has on record of the page's own request for the answer, once that is over.

The page doesn't show why an answer ended, what it took, which passage rests on which source, or the bytes of an image.
The browser keeps what it was sent, as its developer tools show it; it is looked up there after the end, so nothing lies
in between. It only adds to what the page shows: where it can't be read, the answer goes without. The text is taken from
it only where the page shows nothing of the answer at all.
"""

import asyncio
import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import attrs
from playwright.async_api import Error as PlaywrightError, Page, Request

from studiogate.events import Citation, Finish, Media, TextDelta, Usage
from studiogate_studio.wire import AnswerDecoder, WireError

log = logging.getLogger(__name__)

_METHOD = "/GenerateContent"
_OVER_S = 0.3
"""Seconds the browser gets to note the end of a request that the page has seen."""
_READ_S = 2.0


@attrs.frozen(kw_only=True)
class Told:
    """What a request's record says of its answer."""

    finish: Finish | None = None
    usage: Usage | None = None
    citations: tuple[Citation, ...] = ()
    media: tuple[Media, ...] = ()
    text: str = ""
    """The text that the citations' places are in."""


@attrs.define(eq=False)
class Record:
    """Follow one page's requests for answers."""

    page: Page
    _over: Request | None = attrs.field(default=None, init=False)
    _changed: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    @contextmanager
    def kept(self) -> Generator[None]:
        """Follow what the page sends, until this is left; requests that are under way count too."""
        # Playwright marks what it is given, which methods of this class don't bear.
        ended: Callable[[Request], Any] = lambda request: self._ended(request)  # noqa: E731, PLW0108
        self.page.on("requestfinished", ended)
        try:
            yield
        finally:
            self.page.remove_listener("requestfinished", ended)

    async def told(self) -> Told:
        """Return what the record of the newest request says; nothing where there is none, or none that can be read."""
        try:
            async with asyncio.timeout(_OVER_S):
                await self._changed.wait()
            async with asyncio.timeout(_READ_S):
                response = await self._over.response() if self._over else None
                body = await response.body() if response else b""
            return told_by(body)
        except (TimeoutError, PlaywrightError, WireError) as error:
            log.debug("no record of the answer's request: %s", type(error).__name__)
            return Told()

    def _ended(self, request: Request) -> None:
        if request.method == "POST" and urlsplit(request.url).path.endswith(_METHOD):
            self._over = request
            self._changed.set()


def told_by(body: bytes) -> Told:
    """Read a response's body.

    :raises WireError: it is none, or not in a form that is known.
    """
    decoder = AnswerDecoder()
    events = [*decoder.feed(body), *decoder.close()]
    return Told(
        finish=next((event for event in events if isinstance(event, Finish)), None),
        usage=next((event for event in reversed(events) if isinstance(event, Usage)), None),
        citations=tuple(event for event in events if isinstance(event, Citation)),
        media=tuple(event for event in events if isinstance(event, Media)),
        text="".join(event.text for event in events if isinstance(event, TextDelta)),
    )
