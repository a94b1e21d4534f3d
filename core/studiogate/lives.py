"""The life of a plugin: its `lifespan`, entered and left in a task of its own.

A context may hold what belongs to the task that entered it, such as a task group, and plugins come and go at different
times where plugins.toml is read again. So no plugin's context lies inside another's; their order is kept by whoever
begins and ends them.
"""

import asyncio
import logging
from typing import TYPE_CHECKING

from studiogate.crash import log_fault
from studiogate.errors import ConfigurationError, PluginRefused
from studiogate.plugins import Implementation

if TYPE_CHECKING:
    from studiogate.gateway import Gateway

log = logging.getLogger(__name__)


class Life:
    """Live one plugin's lifespan from `begin` to `end`."""

    def __init__(self, hook: Implementation, limit_s: float) -> None:
        """Take a plugin's lifespan.

        :param limit_s: seconds that it gets to be entered, and as many to be left.
        """
        self._hook = hook
        self._limit_s = limit_s
        self._up = asyncio.Event()
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def broken(self) -> bool:
        """Whether it ended by itself, long before its time."""
        return self._task is not None and self._task.done() and self._up.is_set() and not self._over.is_set()

    async def begin(self, gateway: "Gateway") -> None:
        """Enter the lifespan.

        :raises PluginRefused: it can't be entered, or not in time.
        """
        self._task = asyncio.create_task(self._live(gateway), name=f"the life of {self._hook.plugin}")
        up = asyncio.create_task(self._up.wait())
        try:
            await asyncio.wait({self._task, up}, timeout=self._limit_s, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._task.cancel()
            await asyncio.wait({self._task})
            raise
        finally:
            up.cancel()
        if self._up.is_set():
            return
        if not self._task.done():
            await self._cut()
            raise self._refused(f"has not started after {self._limit_s:g} s", "did not start in time")
        await self._task

    async def end(self) -> None:
        """Leave the lifespan. What it raises is logged, and waiting has an end, as the others have to end, too."""
        self._over.set()
        if self._task is None:
            return
        await asyncio.wait({self._task}, timeout=self._limit_s)
        if not self._task.done():
            log.error("plugin %s: its lifespan has not ended after %g s", self._hook.plugin, self._limit_s)
            await self._cut()

    async def _cut(self) -> None:
        """Cancel the lifespan, and don't wait for one that takes no notice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=self._limit_s)

    async def _live(self, gateway: "Gateway") -> None:
        try:
            async with self._hook(gateway=gateway):
                self._up.set()
                await self._over.wait()
        except ConfigurationError as error:
            if not self._up.is_set():
                raise PluginRefused(self._hook.plugin, str(error), "can't start") from error
            self._fault(error)
        except Exception as error:  # the plugin boundary: whatever it is, it is this plugin's fault
            self._fault(error)
            if not self._up.is_set():
                raise self._refused(f"can't start: {type(error).__name__}: {error}", "can't start") from error

    def _fault(self, error: Exception) -> None:
        self._hook.usage.faults += 1
        log_fault(f"plugin {self._hook.plugin}: lifespan", error)

    def _refused(self, what: str, in_short: str) -> PluginRefused:
        return PluginRefused(self._hook.plugin, f"plugin {self._hook.plugin}: {what}.", in_short)
