"""The page's own request for an answer, as the browser tells of it: when it was sent, how it was answered, its end.

The helper service tells what an answer says; that there is one at all, that it was refused or has ended, the page knows
for itself. So a service that falls silent is found out when the page has its answer, however long a model thinks.
"""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import attrs
from playwright.async_api import Page, Request, Response

_METHOD = "/GenerateContent"


# Without slots: Playwright leaves a mark on whom it calls.
@attrs.define(eq=False, slots=False)
class PageRequest:
    """What is known of the newest request with a prompt; the page may send one again."""

    rpc_host: str
    """The host that the page's RPCs go to."""
    sent: bool = attrs.field(default=False, init=False)
    status: int | None = attrs.field(default=None, init=False)
    """HTTP status of its answer; None before that came."""
    over_at: float | None = attrs.field(default=None, init=False)
    """When it ended, in the event loop's time; None while it runs."""
    whole: bool = attrs.field(default=False, init=False)
    """Whether its answer came to its end, as far as HTTP can tell."""
    _request: Request | None = attrs.field(default=None, init=False)

    @contextmanager
    def watching(self, page: Page) -> Generator[None]:
        """Follow what a page sends."""
        hearers: dict[str, Callable[[Any], None]] = {
            "request": self._begun,
            "response": self._answered,
            "requestfinished": lambda request: self._ended(request, whole=True),
            "requestfailed": lambda request: self._ended(request, whole=False),
        }
        for event, hearer in hearers.items():
            page.on(event, hearer)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
        try:
            yield
        finally:
            for event, hearer in hearers.items():
                page.remove_listener(event, hearer)

    def _begun(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if request.method == "POST" and parts.hostname == self.rpc_host and parts.path.endswith(_METHOD):
            self._request, self.sent = request, True
            self.status, self.over_at, self.whole = None, None, False

    def _answered(self, response: Response) -> None:
        if response.request is self._request:
            self.status = response.status

    def _ended(self, request: Request, *, whole: bool) -> None:
        if request is self._request:
            self.whole, self.over_at = whole, asyncio.get_running_loop().time()
