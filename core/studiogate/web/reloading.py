"""Reloads of a gateway that serves: asked for by SIGHUP or `studiogate reload`, one after the other."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

from studiogate import logs
from studiogate.config import Config, load_config
from studiogate.control import RELOAD, Outcome, answering, socket_path
from studiogate.crash import log_fault
from studiogate.errors import ConfigurationError
from studiogate.gateway import Gateway
from studiogate.settings import not_changed
from studiogate.web.running import Running

log = logging.getLogger(__name__)


class Reloads:
    """Read the configuration of a gateway again, with the flags it was started with."""

    def __init__(self, running: Running, config: Config) -> None:
        self._running = running
        self._config = config

    @asynccontextmanager
    async def on(self, hangup: asyncio.Event) -> AsyncGenerator[None]:
        """Reload inside this context whenever the event is set or a command asks; one under way ends with it."""
        following = asyncio.create_task(self._follow(hangup), name="reloads")
        try:
            async with answering(socket_path(self._config.gateway), self._answer):
                yield
        finally:
            following.cancel()
            await asyncio.wait({following})

    async def reload(self) -> Outcome:
        """Reload, and tell in the log and the outcome what came of it."""
        before = self._running.gateway
        try:
            config = load_config(self._config.path, self._config.flags)
            after = await self._running.reload(config)
        except ConfigurationError as error:
            log.error("the configuration was not reloaded, nothing has changed: %s", error)  # noqa: TRY400 - says all
            return Outcome(ok=False, lines=(*str(error).splitlines(), "Nothing has changed."))
        except Exception as error:  # noqa: BLE001 - the plugin boundary: one that can't start may raise anything
            log_fault("the reload: a plugin", error)
            failed = f"A plugin failed to start with {type(error).__name__}; the gateway's log says where."
            return Outcome(ok=False, lines=(failed, "Nothing has changed."))
        if after.settings.log_level != before.settings.log_level:
            logs.set_level(after.settings.log_level)
        lines = tuple(_told(before, after, config))
        log.info("the configuration was reloaded: %s", " ".join(lines))
        return Outcome(ok=True, lines=lines)

    async def _answer(self, command: str) -> Outcome:
        if command != RELOAD:
            return Outcome(ok=False, lines=("This gateway doesn't know that command.",))
        return await self.reload()

    async def _follow(self, hangup: asyncio.Event) -> None:
        while True:
            await hangup.wait()
            hangup.clear()
            await self.reload()


def _told(before: Gateway, after: Gateway, config: Config) -> Iterator[str]:
    """Yield what has changed."""
    backends = ", ".join(backend.plugin for backend in after.chain.backends) or "none"
    yield f"Backends, in this order: {backends}."
    started = [name for name in after.plugins.names if name not in after.plugins.kept]
    ended = [name for name in before.plugins.names if name not in after.plugins.names]
    if started:
        yield f"Started: {', '.join(started)}."
    if ended:
        yield f"Ended, once nothing needs them any more: {', '.join(ended)}."
    for name in not_changed(after.settings, config.gateway):
        yield f"[gateway] {name}: can't change while the gateway runs; what it was holds until a restart."
