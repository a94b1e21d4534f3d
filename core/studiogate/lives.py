"""The life of a plugin: its `lifespan`, entered and left in a task of its own.

A context may hold what belongs to the task that entered it, such as a task group, and plugins come and go at different
times where plugins.toml is read again. So no plugin's context lies inside another's; their order is kept by whoever
begins and ends them.
"""

import asyncio
from contextlib import AbstractAsyncContextManager

from studiogate.chain import log_fault
from studiogate.plugins import Implementation


class Life:
    """Live one plugin's lifespan from `begin` to `end`."""

    def __init__(self, hook: Implementation, context: AbstractAsyncContextManager[None]) -> None:
        self._hook = hook
        self._context = context
        self._up = asyncio.Event()
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def broken(self) -> bool:
        """Whether it ended by itself, long before its time."""
        return self._task is not None and self._task.done() and self._up.is_set() and not self._over.is_set()

    async def begin(self) -> None:
        """Enter the lifespan; raises what entering it raises."""
        self._task = asyncio.create_task(self._live(), name=f"the life of {self._hook.plugin}")
        up = asyncio.create_task(self._up.wait())
        try:
            await asyncio.wait({self._task, up}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._task.cancel()
            await asyncio.wait({self._task})
            raise
        finally:
            up.cancel()
        if not self._up.is_set():
            await self._task

    async def end(self) -> None:
        """Leave the lifespan. What that raises is logged: the others have to end all the same."""
        self._over.set()
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _live(self) -> None:
        try:
            async with self._context:
                self._up.set()
                await self._over.wait()
        except Exception as error:  # the plugin boundary: whatever it is, it is this plugin's fault
            if not self._up.is_set():
                raise
            self._hook.usage.faults += 1
            log_fault(f"plugin {self._hook.plugin}: lifespan", error)
