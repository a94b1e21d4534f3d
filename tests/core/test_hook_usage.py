import logging
import time
from collections.abc import AsyncGenerator

import pytest

from studiogate import hookimpl
from studiogate.errors import Unavailable
from studiogate.events import Event
from studiogate.exchange import Exchange
from studiogate.hook_usage import SLOW_S, HookUsage
from studiogate.params import Params
from studiogate.plugins import PluginHost
from studiogate.tools import ToolPlan

from .backends import ask, backend, host, living, read, says, yields


def usage(plugins: PluginHost, plugin: str, hook: str) -> HookUsage:
    """Return what a hook of a plugin has cost."""
    (found,) = [each for each in plugins.usages if (each.plugin, each.hook) == (plugin, hook)]
    return found


class Dawdling:
    """Hold the loop up in `apply_params`."""

    @hookimpl
    def apply_params(self, params: Params) -> Params:
        """Take longer than a sync hook should."""
        until = time.perf_counter() + SLOW_S
        while time.perf_counter() < until:
            pass
        return params


async def test_calls_of_sync_and_async_hooks_and_of_backends_are_counted() -> None:
    """Each hook of each plugin has its own count, of what it was asked and how long that took."""

    class Planning:
        @hookimpl
        async def map_tools(self) -> ToolPlan | None:
            return None

        @hookimpl
        def apply_params(self, params: Params) -> Params:
            return params

    async with living({"planning": Planning, "a": backend(says("Hello"))}) as gateway:
        for _ in range(3):
            await read(gateway.submit(ask()))

    counted = [usage(gateway.plugins, *each) for each in (("planning", "map_tools"), ("planning", "apply_params"))]
    assert [each.calls for each in counted] == [3, 3]
    assert usage(gateway.plugins, "a", "fetch_response").calls == 3
    assert all(each.seconds > 0 and each.faults == 0 for each in gateway.plugins.usages if each.calls)


async def test_a_backend_that_lets_the_next_one_try_is_no_fault() -> None:
    """Unavailable is a verdict; an unexpected error is the fault of the plugin that raised it, and of no other."""

    async def breaks(_: Exchange) -> AsyncGenerator[Event]:
        raise ValueError("secret")
        yield

    plugins = {"away": backend(yields(Unavailable("away"))), "broken": backend(breaks), "c": backend(says("Hello"))}

    async with living(plugins) as gateway:
        exchange = gateway.submit(ask())
        with pytest.raises(Exception, match="broken failed unexpectedly"):
            await read(exchange)

    counted = [(each.calls, each.faults) for each in gateway.plugins.usages if each.hook == "fetch_response"]
    assert counted == [(1, 0), (1, 1), (0, 0)]
    assert [attempt.verdict for attempt in exchange.attempts] == ["unavailable", "fault"]


async def test_a_slow_sync_hook_is_named_in_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    """It held every request up; the log says so, and doesn't say it again for each request."""
    async with living({"dawdling": Dawdling, "a": backend(says("Hello"))}) as gateway:
        for _ in range(2):
            await read(gateway.submit(ask()))

    slow = [record.getMessage() for record in caplog.records if "held up" in record.getMessage()]
    assert len(slow) == 1
    assert slow[0].startswith("plugin dawdling: apply_params took 0.")
    assert usage(gateway.plugins, "dawdling", "apply_params").calls == 2


def test_the_command_line_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    """A slow hook outside a loop is counted and not complained of."""
    caplog.set_level(logging.WARNING)
    made = host({"dawdling": Dawdling})

    made.call("apply_params", params=Params())

    assert usage(made, "dawdling", "apply_params").seconds >= SLOW_S
    assert caplog.records == []
