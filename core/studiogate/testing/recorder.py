"""Records what a backend does: every call with its events, and drives each step of it by hand.

The recorder makes a subclass of the plugin's class whose `fetch_response` passes everything on. So the plugin runs in a
real gateway, and a test sees the events before the gateway has looked at them, may end the exchange at any await, and
may leave behind a backend that never ends.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, cast

import attrs

from studiogate.events import Event
from studiogate.exchange import Exchange
from studiogate.hookspecs import hookimpl
from studiogate.testing.steps import Stepped, Steps

IMPL = "studiogate_impl"
"""What `hookimpl` leaves on a function."""


def implementation(kind: type, hook: str) -> str | None:
    """Return the name of the attribute by which a plugin class implements a hook; None if it doesn't."""
    for name in dir(kind):
        options = getattr(getattr(kind, name, None), IMPL, None)
        if options is not None and (options.get("specname") or name) == hook:
            return name
    return None


@attrs.define(kw_only=True, eq=False)
class Call:
    """Hold one call of a backend's `fetch_response`."""

    exchange: Exchange
    task: "asyncio.Task[Any]"
    """The exchange's supervisor."""
    steps: Steps
    """Its awaits."""
    events: list[Event] = attrs.field(factory=list[Event])
    """As the backend yielded them."""
    error: BaseException | None = None
    """What came out of it; None while it runs and after a normal end."""
    close_after: int | None = None
    """The event after which the generator is closed, at its `yield`, from 1."""
    closed: bool = False
    """Whether it was closed there."""

    def says(self, event: Event) -> None:
        """Note an event, and end the exchange as if its client had left if it is to be closed here."""
        self.events.append(event)
        if len(self.events) == self.close_after:
            self.closed = self.exchange.cancelled = True
            raise asyncio.CancelledError

    def leave(self) -> None:
        """End the exchange although its backend doesn't."""
        self.steps.left = True
        self.task.cancel()


@attrs.define(eq=False)
class Recorder:
    """Record every call of the backends that it was given."""

    calls: list[Call] = attrs.field(factory=list[Call])
    """In the order they began."""
    cancel_at: int | None = None
    """For calls that begin from now on: the await at which the exchange is cancelled, from 1."""
    close_after: int | None = None
    """For calls that begin from now on: the event after which the generator is closed, from 1."""
    on_call: Callable[[Exchange], None] | None = None
    """Called with every exchange before the backend sees it."""
    take_turns: bool = False
    """Whether other tasks get their turn after each event."""

    @property
    def events(self) -> list[Event]:
        """Return the events of all calls, in the order of the calls."""
        return [event for call in self.calls for event in call.events]

    def recording(self, kind: type) -> type:
        """Return a subclass of a backend's class that is recorded; instances of it are instances of the class."""
        name = implementation(kind, "fetch_response")
        if name is None:
            raise TypeError(f"{kind.__name__} is no backend: it doesn't implement fetch_response.")
        recorder = self

        def parent(plugin: object) -> Any:
            return cast("Any", super(recorded, plugin))

        @hookimpl(specname="fetch_response")
        async def fetch_response(self: Any, exchange: Exchange) -> AsyncGenerator[Event]:
            original = getattr(parent(self), name)
            code = original.__code__
            asks = "exchange" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
            events = original(exchange=exchange) if asks else original()
            async with aclosing(recorder.play(events, exchange)) as played:
                async for event in played:
                    yield event

        recorded: Any = type(kind.__name__, (kind,), {name: fetch_response, "__module__": kind.__module__})
        return cast("type", recorded)

    async def play(self, events: AsyncGenerator[Event], exchange: Exchange) -> AsyncGenerator[Event]:
        """Pass on a backend's events and record them."""
        steps = Steps(cancel=exchange.cancel, cancel_at=self.cancel_at)
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        call = Call(exchange=exchange, task=task, steps=steps, close_after=self.close_after)
        self.calls.append(call)
        if self.on_call is not None:
            self.on_call(exchange)
        try:
            while True:
                try:
                    event = await Stepped(anext(events), steps)
                except StopAsyncIteration:
                    break
                call.says(event)
                yield event
                if self.take_turns:
                    await asyncio.sleep(0)
        except BaseException as error:
            call.error = error
            raise
        finally:
            steps.cancel_at = None
            try:
                await Stepped(events.aclose(), steps)
            except RuntimeError as error:  # it goes on although it is closed
                call.error = error
