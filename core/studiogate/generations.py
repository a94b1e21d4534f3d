"""Generations: the gateways that follow each other as plugins.toml is read again, and what they share.

    reload -> the next gateway is made -> its new plugins start -> it is ready -> requests go to it
                                                                                   |
              the one before ends what runs on it, then the plugins that nobody else has  <-+

Each generation has plugins, a chain and settings; a plugin for which nothing has changed lives on in the next one. An
exchange stays with the generation that took it. Queue, files and what runs are common to all, so that slots hold for
everything that runs, whichever generation it belongs to. Until the next gateway takes over nothing is changed that
the present one uses: whatever goes wrong before leaves everything as it was.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from studiogate.errors import PluginRefused
from studiogate.lives import Life
from studiogate.queue import ExchangeQueue
from studiogate.settings import GatewaySettings
from studiogate.workdirs import Workdirs

if TYPE_CHECKING:
    from studiogate.gateway import Gateway

log = logging.getLogger(__name__)

READY_S = 30.0
"""Seconds that a new generation gets to become ready, while the one before still answers."""
_LOOK_S = 0.05


class Generations:
    """Hold the generations that are alive. Lives on the loop's thread only."""

    def __init__(self, first: "Gateway", settings: GatewaySettings, slots: int) -> None:
        self.current = first
        """The one that takes requests."""
        self.queue = ExchangeQueue(slots=slots, limit=settings.queue_limit)
        self.workdirs = Workdirs(settings.upload_files_dir)
        self.created = int(time.time())
        """When the first one was made, Unix time in seconds."""
        self.stopping = False
        self.changing = asyncio.Lock()
        """Held while the next one is made and started: one at a time."""
        self._lives: dict[Gateway, dict[str, Life]] = {first: {}}
        # Of each generation that is alive, by plugin, in order; the last one is the newest.
        self._retiring: set[asyncio.Task[None]] = set()
        self._folders = ExitStack()

    @property
    def alive(self) -> tuple["Gateway", ...]:
        """Return the generations that have plugins, oldest first."""
        return tuple(self._lives)

    def broken(self, gateway: "Gateway") -> tuple[str, ...]:
        """Return the plugins of a generation whose lifespan has ended by itself."""
        return tuple(name for name, life in self._lives.get(gateway, {}).items() if life.broken)

    @asynccontextmanager
    async def living(self) -> AsyncGenerator[None]:
        """Start the first generation; at the end cancel what runs, and end every generation that is left."""
        try:
            await self._start(self.current, {})
            try:
                yield
            finally:
                await self.end_exchanges()
                async with self.changing:
                    await asyncio.gather(*self._retiring)
                    await self._end(self.current)
        finally:
            self._folders.close()

    async def hand_over(self, following: "Gateway") -> None:
        """Start the next generation and let it take the requests from then on; returns when it does.

        Whatever is raised, what was before goes on.
        """
        before = self.current
        await self._start(following, self._lives[before])
        try:
            await self._readiness(before, following)
        except asyncio.CancelledError:
            await self._end(following)
            raise
        following.chain.take_over({name: before.chain.breakers[name] for name in following.kept_backends})
        self.current = following
        self.queue.resize(slots=following.slots, limit=following.settings.queue_limit)
        retiring = asyncio.create_task(self._retire(before), name="an earlier generation's end")
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)

    async def end_exchanges(self) -> None:
        """Take no more requests, cancel the running ones and wait until they have closed what they opened."""
        self.stopping = True
        for gateway in self.alive:
            for exchange in gateway.exchanges:
                exchange.cancel()
        await self.exchanges_over()

    async def exchanges_over(self, timeout_s: float | None = None) -> None:
        """Wait for every exchange to end."""
        running = [task for gateway in self.alive for task in gateway.supervisors]
        if running:
            await asyncio.wait(running, timeout=timeout_s)

    async def _start(self, gateway: "Gateway", known: dict[str, Life]) -> None:
        """Begin the lives of a generation's plugins, in order; those that go on from another live already."""
        lives = self._lives[gateway] = {}
        try:
            if gateway.plugins.implementations("resolve_attachments") and not self.workdirs.open:
                self._folders.enter_context(self.workdirs.opened())
            for hook in gateway.plugins.implementations("lifespan"):
                life = known.get(hook.plugin) if hook.plugin in gateway.plugins.kept else None
                try:
                    if life is None and hook.plugin in gateway.plugins.names:
                        life = Life(hook, gateway.settings.lifespan_s)
                        await life.begin(gateway)
                except PluginRefused as refusal:
                    gateway.leave_out(refusal)
                else:
                    lives |= {} if life is None else {hook.plugin: life}
        except BaseException:
            await self._end(gateway)
            raise
        gateway.started.set()

    async def _readiness(self, before: "Gateway", following: "Gateway") -> None:
        """Wait until the next generation can answer, as long as there is one that can meanwhile."""
        try:
            async with asyncio.timeout(READY_S):
                while before.ready and not following.ready:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            log.warning("the new plugins are not ready after %g s, and take over all the same", READY_S)

    async def _retire(self, gateway: "Gateway") -> None:
        if gateway.supervisors:
            await asyncio.wait(gateway.supervisors)
        await self._end(gateway)

    async def _end(self, gateway: "Gateway") -> None:
        """End the lives that only this generation needs, in reverse order."""
        lives = self._lives.pop(gateway)
        needed = {life for others in self._lives.values() for life in others.values()}
        for life in reversed(lives.values()):
            if life not in needed:
                await life.end()
