"""What each plugin's hooks cost: how often they were called, for how long, and how often they were at fault.

Counted where the host calls hooks, in plain numbers; `/metrics` shows them. A sync hook runs on the loop's thread, so
one that takes long holds up every request of the gateway: the log names it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable

import attrs

log = logging.getLogger(__name__)

SLOW_S = 0.1
"""Seconds from which a sync hook is called slow in the log: no other answer went on meanwhile."""
QUIET_S = 60.0
"""Seconds for which the log doesn't repeat itself about one hook of one plugin."""


@attrs.define(eq=False)
class HookUsage:
    """Add up the calls of one hook of one plugin. Lives on the loop's thread only."""

    plugin: str
    hook: str
    calls: int = attrs.field(default=0, init=False)
    """Calls that are over."""
    seconds: float = attrs.field(default=0.0, init=False)
    """What they took together, waiting included."""
    faults: int = attrs.field(default=0, init=False)
    """How often it raised what no hook should."""
    _told_at: float = attrs.field(default=float("-inf"), init=False)

    def add(self, seconds: float) -> None:
        """Count a call that is over, however it ended."""
        self.calls += 1
        self.seconds += seconds

    def add_sync(self, seconds: float) -> None:
        """Count a call that ran on the loop's thread and let nobody else run; says so if that was long."""
        self.add(seconds)
        if seconds >= SLOW_S and _in_loop() and time.monotonic() - self._told_at >= QUIET_S:
            self._told_at = time.monotonic()
            log.warning(
                "plugin %s: %s took %.2f s and held up every request meanwhile", self.plugin, self.hook, seconds
            )

    async def timed[T](self, work: Awaitable[T]) -> T:
        """Await a call and count it."""
        began = time.perf_counter()
        try:
            return await work
        finally:
            self.add(time.perf_counter() - began)


def _in_loop() -> bool:
    """Tell whether a loop is held up: the command line calls hooks before there is one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
