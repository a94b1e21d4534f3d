"""Backends that a test plays by hand: the fake at the edge of everything else."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import attrs

from studiogate.events import Event, Finish, FinishReason, TextDelta
from studiogate.exchange import Exchange
from studiogate.hookspecs import hookimpl
from studiogate.models import Model

type Script = Callable[[Exchange], AsyncGenerator[Event]]
"""What a scripted backend does with an exchange."""

STOP = Finish(reason=FinishReason.STOP)


def scripted(script: Script, *models: str) -> type:
    """Make a plugin class, a backend, that answers as a script does, and lists models."""

    class Scripted:
        @hookimpl
        async def fetch_response(self, exchange: Exchange) -> AsyncGenerator[Event]:
            async with aclosing(script(exchange)) as events:
                async for event in events:
                    yield event

        @hookimpl
        def list_models(self) -> tuple[Model, ...]:
            return tuple(Model(id=model, display_name=model) for model in models)

    return Scripted


def says(*texts: str) -> Script:
    """Answer with pieces of text, whole."""
    return yields(*(TextDelta(text=text) for text in texts), STOP)


def yields(*steps: Event | Exception) -> Script:
    """Yield events; raise the exceptions among them."""

    async def script(_: Exchange) -> AsyncGenerator[Event]:
        for step in steps:
            if isinstance(step, Exception):
                raise step
            yield step

    return script


@attrs.define(eq=False)
class Held:
    """Answer `first`, then wait until the test lets go, then answer `last` and stop."""

    first: str = "first"
    last: str = "last"
    begun: asyncio.Event = attrs.field(factory=asyncio.Event)
    go: asyncio.Event = attrs.field(factory=asyncio.Event)
    closed: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set when the generator is closed, however that came."""
    exchanges: list[Exchange] = attrs.field(factory=list[Exchange])

    async def __call__(self, exchange: Exchange) -> AsyncGenerator[Event]:
        """Be a script; an empty `first` waits before the first event."""
        self.exchanges.append(exchange)
        try:
            if self.first:
                yield TextDelta(text=self.first)
            self.begun.set()
            await self.go.wait()
            yield TextDelta(text=self.last)
            yield STOP
        finally:
            self.closed.set()
