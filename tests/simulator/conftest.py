from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.browsers import CHROMIUM

from .harness import Running, running


@pytest.fixture(scope="session")
def shared_simulator() -> Iterator[Running]:
    """Start the process that most tests share."""
    with running() as started:
        yield started


@pytest.fixture
def simulator(shared_simulator: Running) -> Running:
    """Give a running simulator without scenarios and log."""
    shared_simulator.reset()
    return shared_simulator


@pytest.fixture
async def rpc(simulator: Running) -> AsyncIterator[httpx.AsyncClient]:
    """Open a signed-in client of the RPC host."""
    async with simulator.rpc() as client:
        yield client


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Find the browser; skips where there is none."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    return Path(CHROMIUM)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(shared_simulator: Running, chromium: Path) -> AsyncIterator[Browser]:
    """Launch the browser that all tests share, for which the played hosts are the simulator.

    It lives in the session's event loop; tests that use it run there too.
    """
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                f"--host-resolver-rules={shared_simulator.resolver_rules}",
                f"--ignore-certificate-errors-spki-list={shared_simulator.spki}",
            ],
        )
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def signed_in(browser: Browser, simulator: Running) -> AsyncIterator[BrowserContext]:
    """Open a browser context with the account's state, as wide as the run settings need."""
    context = await browser.new_context(
        storage_state=simulator.storage_state, viewport={"width": 1280, "height": 800}, locale="en-US"
    )
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(signed_in: BrowserContext) -> Page:
    """Open a new chat, hydrated and with its model."""
    opened = await signed_in.new_page()
    await opened.goto("https://aistudio.google.com/prompts/new_chat", wait_until="domcontentloaded")
    await opened.locator("ms-model-selector .title").get_by_text("Gemini").wait_for()
    return opened
