"""Telling the browser a proxy's password."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from playwright.async_api import BrowserContext, Error as PlaywrightError

from studiogate_studio.proxies import ProxyLogin
from studiogate_studio.proxy_login import log_in

type Handler = Callable[[dict[str, Any]], None]


class Chromium:
    """Stand in for a context, its page and the session with it."""

    def __init__(self) -> None:
        self.closed = False
        self.handlers: dict[str, Handler] = {}
        self.said: list[tuple[str, dict[str, Any]]] = []

    async def new_page(self) -> "Chromium":
        """Open the page; this stands for it too."""
        return self

    async def new_cdp_session(self, _: object) -> "Chromium":
        """Attach; this stands for the session too."""
        return self

    def on(self, event: str, handler: Handler) -> None:
        """Take a handler of events."""
        self.handlers[event] = handler

    async def send(self, method: str, params: dict[str, Any]) -> None:
        """Take a command, while there is a page."""
        if self.closed:
            raise PlaywrightError("Target page, context or browser has been closed")
        self.said.append((method, params))

    async def goto(self, _: str) -> None:
        """Be challenged by the proxy and by a site."""
        for source in ("Proxy", "Server"):
            self.handlers["Fetch.authRequired"]({"requestId": source, "authChallenge": {"source": source}})

    async def close(self) -> None:
        """Go, with a request still paused."""
        self.closed = True
        self.handlers["Fetch.requestPaused"]({"requestId": "late"})


async def test_a_page_that_goes_first_is_no_error() -> None:
    """Only the proxy gets the password, and a request that is paused while the page closes leaves nothing behind."""
    chromium = Chromium()
    before = asyncio.all_tasks()

    await log_in(cast("BrowserContext", chromium), ProxyLogin(username="me", password="secret"))

    assert asyncio.all_tasks() == before
    answered = {params["requestId"]: params["authChallengeResponse"] for _, params in chromium.said[1:]}
    assert answered == {
        "Proxy": {"response": "ProvideCredentials", "username": "me", "password": "secret"},
        "Server": {"response": "CancelAuth"},
    }
