"""A backend that keeps every rule, and contracts that play its upstream; the broken ones differ in one place each."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import ClassVar

import attrs

from studiogate import Declined, Unavailable, hookimpl
from studiogate.chat import ChatRequest
from studiogate.config import Table
from studiogate.events import Event, Finish, FinishReason, TextDelta, Usage
from studiogate.exchange import Exchange
from studiogate.models import Model
from studiogate.testing import BackendContract, Does, ask


class Broken(Exception):  # noqa: N818 - what it says
    """Raised by the service that the backend asks."""


@attrs.define
class Service:
    """A service in this process, which says a prompt word for word."""

    does: Does = Does.ANSWER
    under_way: int = 0

    async def answer(self, prompt: str) -> AsyncGenerator[str]:
        """Say a prompt word by word."""
        self.under_way += 1
        try:
            await asyncio.sleep(0)
            if self.does is Does.FAIL_BEFORE:
                raise Broken
            for word in prompt.split():
                yield word
                await asyncio.sleep(0)
                if self.does is Does.FAIL_AFTER:
                    raise Broken
                if self.does is Does.HANG:
                    await asyncio.Event().wait()
        finally:
            self.under_way -= 1


SERVICES: dict[str, Service] = {}
"""By address, as a network would have them."""


@attrs.frozen(kw_only=True)
class SoundSettings:
    """Say which service is asked."""

    address: str = "nowhere"
    """Of `SERVICES`."""


class Sound:
    """Answer from a service."""

    settings: ClassVar[type[SoundSettings]] = SoundSettings

    def __init__(self, settings: SoundSettings) -> None:
        self.options = settings

    @hookimpl
    def list_models(self) -> list[Model]:
        """List one model."""
        return [Model(id="sound-1", display_name="Sound")]

    @hookimpl
    def takes_model(self) -> bool:
        """Look at every request."""
        return True

    @hookimpl
    async def fetch_response(self, exchange: Exchange) -> AsyncGenerator[Event]:
        """Say what the service says."""
        if exchange.model is None or exchange.model.id != "sound-1":
            raise Declined("it has another model", status=422)
        service = SERVICES[self.options.address]
        begun = False
        try:
            async with aclosing(service.answer(exchange.prompt.text)) as words:
                async for word in words:
                    begun = True
                    yield TextDelta(text=word)
        except Broken:
            raise Unavailable(f"the service broke off {'within' if begun else 'before'} its answer") from None
        yield Finish(reason=FinishReason.STOP)
        yield Usage(prompt=1, completion=2)


def contract_of(kind: type, **changes: object) -> type[BackendContract]:
    """Make a contract class for a backend that is like `Sound`."""

    class SoundContract(BackendContract):
        plugin = kind
        name = "sound"
        patience_s = 0.5
        deadline_s = 0.05
        service: ClassVar[Service]

        @asynccontextmanager
        async def upstream(self, does: Does) -> AsyncGenerator[Table]:
            SERVICES["here"] = type(self).service = Service(does)
            try:
                yield {"address": "here"}
            finally:
                del SERVICES["here"]

        def request(self, text: str) -> ChatRequest:
            return ask(text, model="sound-1")

        def held(self) -> int:
            return self.service.under_way

    for name, value in changes.items():
        setattr(SoundContract, name, value)
    return SoundContract


type Script = Callable[[Sound, Exchange], AsyncGenerator[Event]]


def altered(script: Script) -> type:
    """Make a backend that answers in its own way."""

    class Altered(Sound):
        @hookimpl
        async def fetch_response(self, exchange: Exchange) -> AsyncGenerator[Event]:
            async with aclosing(script(self, exchange)) as events:
                async for event in events:
                    yield event

    return Altered
