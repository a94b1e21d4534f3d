"""Tell Chromium a proxy's password, for which it has no argument."""

import asyncio
from contextlib import suppress
from typing import Any

from playwright.async_api import BrowserContext, Error as PlaywrightError

from studiogate_studio.proxies import ProxyLogin


async def log_in(context: BrowserContext, login: ProxyLogin) -> None:
    """Answer the proxy's challenge once; Chromium remembers it for the context's life, connections to come included.

    Playwright's own way would stop every request of every page for it and turn the cache off (coreBundle.js,
    `_updateProtocolRequestInterception`); and it would give the password to sites that ask as well.
    """
    page = await context.new_page()
    cdp = await context.new_cdp_session(page)
    answers = set[asyncio.Task[None]]()

    async def answer_with(method: str, params: dict[str, Any]) -> None:
        # The page may go first; the browser itself says whether the proxy lets it in.
        with suppress(PlaywrightError):
            await cdp.send(method, params)  # pyright: ignore[reportUnknownMemberType] - Playwright's open dict

    def send(method: str, params: dict[str, Any]) -> None:
        answers.add(asyncio.create_task(answer_with(method, params)))

    def challenged(event: dict[str, Any]) -> None:
        answer = {"response": "CancelAuth"}
        if event["authChallenge"].get("source") == "Proxy":
            answer = {"response": "ProvideCredentials", "username": login.username, "password": login.password}
        send("Fetch.continueWithAuth", {"requestId": event["requestId"], "authChallengeResponse": answer})

    def paused(event: dict[str, Any]) -> None:
        send("Fetch.continueRequest", {"requestId": event["requestId"]})

    cdp.on("Fetch.authRequired", challenged)
    cdp.on("Fetch.requestPaused", paused)
    try:
        await cdp.send("Fetch.enable", {"handleAuthRequests": True})  # pyright: ignore[reportUnknownMemberType]
        with suppress(PlaywrightError):
            # Never leaves the proxy, which need not serve it: only the challenge is wanted.
            await page.goto("http://proxy-login.invalid/")
    finally:
        await asyncio.gather(*answers)
        await page.close()
        # Requests are paused until the page is gone.
        await asyncio.gather(*answers)
