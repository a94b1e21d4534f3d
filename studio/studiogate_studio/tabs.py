"""Keeps tabs ready and lends them: a fresh chat is opened after an exchange, not before the next one.

Each place in the pool is a task that goes: open a tab, offer it, wait until it is given back or breaks, renew or
replace it. All tabs live in the keeper's one browser context; when that goes, so do they, and the places begin anew in
the next. Who waits for a tab gets one in the order of asking.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import attrs
from playwright.async_api import Error as PlaywrightError, Page

from studiogate.exchange import Exchange
from studiogate_studio.browser import BrowserSession
from studiogate_studio.errors import NotReady, PageBroken, SignedOut, StudioError, before_quotes
from studiogate_studio.failures import kept
from studiogate_studio.floor import Floor
from studiogate_studio.keeper import WAITING_HELPS, BrowserKeeper
from studiogate_studio.model_listener import ModelListener
from studiogate_studio.page import ChatPage
from studiogate_studio.selectors import Selectors
from studiogate_studio.tab import Tab

log = logging.getLogger(__name__)

_FIRST_DELAY_S = 0.5
_LAST_DELAY_S = 30.0
_CLOSE_S = 3.0


@attrs.define(eq=False)
class TabPool:
    """Keep `size` tabs of the keeper's browser ready. `run` is its life."""

    keeper: BrowserKeeper
    selectors: Selectors
    models: ModelListener
    size: int
    trouble: StudioError | None = attrs.field(default=None, init=False)
    """Why the last tab could not be opened; None once one could."""
    opened: bool = attrs.field(default=False, init=False)
    """Whether a tab could be opened in the running browser at all."""
    broken: int = attrs.field(default=0, init=False)
    """Tabs that were replaced because they broke."""
    floor: Floor = attrs.field(factory=Floor, init=False)
    """Which tabs may have an answer under way."""
    _tabs: set[Tab] = attrs.field(factory=set[Tab], init=False)
    _free: deque[Tab] = attrs.field(factory=deque[Tab], init=False)
    # There are free tabs or there is somebody waiting, never both.
    _waiting: "deque[asyncio.Future[Tab]]" = attrs.field(factory=deque["asyncio.Future[Tab]"], init=False)

    def __attrs_post_init__(self) -> None:
        self.keeper.listeners.append(self._refuse_hopeless)

    @property
    def ready(self) -> int:
        """Return how many tabs wait to be lent."""
        return len(self._free)

    @property
    def busy(self) -> int:
        """Return how many tabs are lent."""
        return sum(tab.leased for tab in self._tabs)

    @property
    def renewing(self) -> int:
        """Return how many tabs are being opened, renewed or replaced."""
        return self.size - self.ready - self.busy

    @property
    def usable(self) -> bool:
        """Return whether a lease would be given, at once or after the moment that renewing a tab takes."""
        return bool(self._tabs) or (self.opened and self.trouble is None)

    @asynccontextmanager
    async def lease(self) -> AsyncGenerator[Tab]:
        """Lend a tab with a fresh chat; in the order of asking. It is renewed in the background afterwards.

        A tab whose page broke while nobody used it is replaced, and another is lent.

        :raises NotReady: the browser lacks something, or no tab was ready within `wait_s`.
        :raises SignedOut: nobody is signed in.
        :raises PageBroken: no tab can be opened, or one after the other broke.
        """
        tab = await self._take_sound()
        try:
            yield tab
        finally:
            tab.give_back()

    async def run(self) -> None:
        """Keep the tabs of each browser session ready, until cancelled."""
        while True:
            session = await self.keeper.ready()
            places = [asyncio.create_task(self._keep_place(session)) for _ in range(self.size)]
            over = asyncio.create_task(session.over.wait())
            try:
                # A place never ends by itself; if one does, it is a bug to be heard of.
                done, _ = await asyncio.wait([over, *places], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (over, *places):
                    task.cancel()
                await asyncio.gather(over, *places, return_exceptions=True)
                self._drop_all()
            for task in done:
                task.result()

    async def _keep_place(self, session: BrowserSession) -> None:
        tab: Tab | None = None
        while True:
            if tab is None:
                tab = await self._open(session)
            self._offer(tab)
            await tab.over(self.keeper.settings.renew_idle_s)
            with suppress(ValueError):
                self._free.remove(tab)
            if not await self._renew(tab, session):
                self._tabs.discard(tab)
                try:
                    await _close(tab.page)
                finally:
                    tab.closed()
                tab = None

    async def _open(self, session: BrowserSession) -> Tab:
        """Open a tab; tries until it works."""
        delay_s = _FIRST_DELAY_S
        while True:
            page: Page | None = None
            try:
                page = await session.context.new_page()
                tab = Tab(chat=ChatPage(page, self.selectors, self.keeper.settings), floor=self.floor)
                # One failure tells as much as all that follow while the page stays as it is.
                async with self.models.listening(page), kept(tab.chat, "opening a tab", known=self.trouble):
                    await tab.chat.open_new_chat()
            except PlaywrightError as error:
                log.debug("no tab could be opened: %s", before_quotes(error.message))
                self._troubled(PageBroken("The browser opens no tab."))
            except SignedOut as error:
                self._troubled(error)
                session.give_up(signed_out=True)
            except StudioError as error:
                self._troubled(error)
            else:
                self.trouble = None
                self.opened = session.signed_in = True
                self._tabs.add(tab)
                return tab
            if page is not None:
                await _close(page)
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, _LAST_DELAY_S)

    async def _renew(self, tab: Tab, session: BrowserSession) -> bool:
        """Give the tab a fresh chat; returns False if it has to be replaced."""
        if tab.fault is not None:
            log.info("a tab is replaced: %s", tab.fault)
            self.broken += 1
            return False
        if tab.renewals >= self.keeper.settings.renewals:
            return False
        try:
            if tab.submitted:
                # Politer than to cut the answer by leaving the page.
                await tab.chat.stop()
            if await self._outgrown(tab):
                return False
            async with self.models.listening(tab.page), kept(tab.chat, "opening a new chat"):
                await tab.chat.open_new_chat()
        except SignedOut:
            session.give_up(signed_out=True)
            return False
        except StudioError as error:
            log.info("a tab is replaced: %s", error.reason)
            self.broken += 1
            return False
        tab.renewed()
        return tab.fault is None

    async def _outgrown(self, tab: Tab) -> bool:
        most = self.keeper.settings.tab_mb
        return most > 0 and await tab.chat.heap_mb() > most

    async def _take_sound(self) -> Tab:
        """Take a tab whose page has just been looked at."""
        found = PageBroken("No tab was sound.")
        # All may have broken, and one more was opened since.
        for _ in range(self.size + 1):
            tab = await self._take()
            try:
                async with kept(tab.chat, "looking at a free tab"):
                    await tab.chat.check()
            except PageBroken as error:
                found = error
                tab.broken(error.reason)
                tab.give_back()
            except SignedOut:
                if self.keeper.session is not None:
                    self.keeper.session.give_up(signed_out=True)
                tab.give_back()
                raise
            except BaseException:
                tab.give_back()
                raise
            else:
                return tab
        raise found

    async def _take(self) -> Tab:
        while self._free:
            tab = self._free.popleft()
            # One that has just broken stands here until its place comes round to replacing it.
            if tab.fault is None:
                tab.lend()
                return tab
        if hopeless := self._hopeless():
            raise hopeless
        asker: asyncio.Future[Tab] = asyncio.get_running_loop().create_future()
        self._waiting.append(asker)
        try:
            async with asyncio.timeout(self.keeper.settings.wait_s):
                return await asker
        except TimeoutError:
            self._hand_back(asker)
            raise self.keeper.trouble() or _anew(self.trouble) or NotReady("No tab was free in time.") from None
        except asyncio.CancelledError:
            self._hand_back(asker)
            raise
        finally:
            with suppress(ValueError):
                self._waiting.remove(asker)

    def _hand_back(self, asker: "asyncio.Future[Tab]") -> None:
        """Return the tab that came in the moment its taker went."""
        if asker.done() and not asker.cancelled() and asker.exception() is None:
            asker.result().give_back()

    def _offer(self, tab: Tab) -> None:
        while self._waiting:
            asker = self._waiting.popleft()
            if not asker.done():
                tab.lend()
                asker.set_result(tab)
                return
        self._free.append(tab)

    def _hopeless(self) -> StudioError | None:
        """Return why waiting for a tab is no use; None if it may help."""
        if self.keeper.state not in WAITING_HELPS:
            return self.keeper.trouble()
        return None if self._tabs else _anew(self.trouble)

    def _refuse_hopeless(self) -> None:
        while self._waiting and (hopeless := self._hopeless()):
            asker = self._waiting.popleft()
            if not asker.done():
                asker.set_exception(hopeless)

    def _troubled(self, error: StudioError) -> None:
        if self.trouble is None or self.trouble.reason != error.reason:
            log.warning("no tab could be opened: %s", error.reason)
        self.trouble = error
        self._refuse_hopeless()

    def _drop_all(self) -> None:
        for tab in self._tabs:
            tab.broken("The browser is gone.")
            tab.closed()
        self._tabs.clear()
        self._free.clear()
        self.trouble = None
        self.opened = False


async def lease_for(exchange: Exchange, pool: TabPool) -> Tab:
    """Return the exchange's tab, leased until its round ends: the one an earlier backend had, or a fresh one.

    Look at `tab.submitted`: if it is set, the prompt is not to be sent again. A tab that broke before anything was
    submitted is replaced by another.

    :raises PageBroken: the tab broke after the prompt was submitted in it.
    :raises StudioError: as `TabPool.lease`.
    """
    tab = exchange.shared(Tab)
    if tab is not None and tab.submitted:
        tab.check()
    if tab is None or tab.fault is not None:
        tab = exchange.share(await exchange.round_stack.enter_async_context(pool.lease()))
    return tab


def _anew(error: StudioError | None) -> StudioError | None:
    """Return an equal error; one instance raised by many would collect all their tracebacks."""
    return None if error is None else type(error)(error.reason, retry_after_s=error.retry_after_s)


async def _close(page: Page) -> None:
    with suppress(PlaywrightError, TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await page.close()
