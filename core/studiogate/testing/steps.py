"""Awaits something step by step: counts its awaits, cancels it at one of them, or leaves it behind."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import suppress
from typing import Any, cast

import attrs

from studiogate.testing.rules import RuleBroken


@attrs.define(kw_only=True, eq=False)
class Steps:
    """Hold what is known of something that is awaited step by step."""

    cancel: Callable[[], object]
    """Cancels it."""
    cancel_at: int | None = None
    """The await at which it is cancelled, from 1."""
    awaits: int = 0
    """How often it waited for something."""
    longest_cpu_s: float = 0.0
    """The most processor time between two of those, seconds."""
    struck: bool = False
    """Whether it was cancelled on its way."""
    left: bool = False
    """Whether it is given up: nothing is passed on to it any more."""

    def waits(self) -> None:
        """Note that it waits, and cancel it if it is to be cancelled here."""
        self.awaits += 1
        if self.awaits == self.cancel_at:
            self.struck = True
            self.cancel()


class Stepped[T]:
    """Await something step by step."""

    def __init__(self, awaited: Awaitable[T], steps: Steps) -> None:
        self._awaited = awaited
        self._steps = steps

    def __await__(self) -> Generator[Any, Any, T]:
        inner = self._awaited.__await__()
        go_on: Callable[[Any], Any] = inner.send
        value: Any = None
        while True:
            began = time.thread_time()
            try:
                waited = go_on(value)
            except StopIteration as done:
                return cast("T", done.value)
            finally:
                self._steps.longest_cpu_s = max(self._steps.longest_cpu_s, time.thread_time() - began)
            self._steps.waits()
            try:
                value, go_on = (yield waited), inner.send
            except BaseException as thrown:  # passed on as it is
                if self._steps.left:
                    with suppress(RuntimeError):  # it doesn't end even so
                        inner.close()
                    raise
                value, go_on = thrown, inner.throw


@attrs.frozen(kw_only=True)
class Done[T]:
    """Say how something ended."""

    steps: Steps
    result: T | None
    error: BaseException | None


async def done[T](awaited: Awaitable[T], patience_s: float, cancel_at: int | None = None) -> Done[T]:
    """Await something in a task of its own, step by step.

    :param cancel_at: the await at which it is cancelled, from 1.
    :raises RuleBroken: it doesn't end.
    """
    steps = Steps(cancel=lambda: task.cancel(), cancel_at=cancel_at)  # noqa: PLW0108 - there is no task yet

    async def run() -> T:
        return await Stepped(awaited, steps)

    task = asyncio.create_task(run())
    finished, _ = await asyncio.wait([task], timeout=patience_s)
    if not finished:
        steps.left = True
        task.cancel()
        await asyncio.wait([task])
        raise RuleBroken(
            f"it still ran after {patience_s:g} s and {steps.awaits} awaits", "it ends, and lets CancelledError pass"
        )
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    return Done(steps=steps, result=None if error else task.result(), error=error)


async def check_cancelled[T](make: Callable[[], Awaitable[T]], patience_s: float, most: int) -> None:
    """Cancel something at each of its awaits in turn.

    :param make: begins it anew.
    :param most: how many of the awaits are tried, spread evenly.
    :raises RuleBroken: it goes on.
    """
    whole = await done(make(), patience_s)
    for place in spread(whole.steps.awaits, most):
        ended = await done(make(), patience_s, cancel_at=place)
        if ended.steps.struck and not isinstance(ended.error, asyncio.CancelledError):
            became = "went on to its end" if ended.error is None else f"raised {type(ended.error).__name__}"
            raise RuleBroken(
                f"cancelled at its await {place} of {whole.steps.awaits}, it {became}", "CancelledError passes"
            )


def spread(count: int, most: int) -> Sequence[int]:
    """Return at most `most` numbers from 1 to `count`, evenly spread, the first and last among them."""
    if count <= most:
        return range(1, count + 1)
    return sorted({1 + round(each * (count - 1) / max(1, most - 1)) for each in range(most)})
