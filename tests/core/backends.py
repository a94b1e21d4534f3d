"""Backends that a test plays by hand, and a gateway that serves them: the fake at the edge of everything else."""

import asyncio
import json
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
from openai import AsyncOpenAI

from studiogate import hookimpl
from studiogate.chat import ChatRequest, Message, Role
from studiogate.config import Config
from studiogate.events import Event, Finish, FinishReason, TextDelta, ToolCall
from studiogate.exchange import Exchange
from studiogate.gateway import Gateway
from studiogate.models import Model
from studiogate.params import Params
from studiogate.plugins import InstalledPlugins, PluginHost
from studiogate.prompt import build_prompt
from studiogate.web.server import running_gateway

type Script = Callable[[Exchange], AsyncGenerator[Event]]

STOP = Finish(reason=FinishReason.STOP)
CALLED = Finish(reason=FinishReason.TOOL_CALLS)
HELLO: dict[str, Any] = {"model": "test-model", "messages": [{"role": "user", "content": "Hello"}]}
UPLOADS = Path(tempfile.gettempdir()) / "studiogate-tests"
"""Where the files of requests go, unless a test says otherwise."""
UNREADABLE = "se-cret"
"""What is never to be told of it."""
CHAT_PATH = "/v1/chat/completions"


def backend(script: Script, *models: str) -> type:
    """Make a plugin class that answers as a script does, and lists models."""

    class Scripted:
        @hookimpl
        async def fetch_response(self, exchange: Exchange) -> AsyncGenerator[Event]:
            events = script(exchange)
            try:
                async for event in events:
                    yield event
            finally:
                await events.aclose()

        @hookimpl
        def list_models(self) -> tuple[Model, ...]:
            return tuple(Model(id=model, display_name=model) for model in models)

    return Scripted


class Unreadable(Model):
    """Be a model that a handler trips over: the bug is a handler's own, as the hook has returned a model."""

    def __getattribute__(self, name: str) -> Any:
        """Fail where the description is read."""
        if name == "description":
            raise TypeError(UNREADABLE)
        return super().__getattribute__(name)


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


def call(name: str, number: int = 0, **arguments: Any) -> ToolCall:
    """Make a call as a backend yields it."""
    return ToolCall(id=f"call_{name}_{number}", name=name, arguments=json.dumps(arguments))


@attrs.define(eq=False)
class Playing:
    """Play turns one after the other, the last one again and again, and note what was asked."""

    turns: Sequence[Sequence[Event]]
    asked: list[Exchange] = attrs.field(factory=list[Exchange])
    script: Script | None = None
    """What is done instead, where a test sets it."""

    async def __call__(self, exchange: Exchange) -> AsyncGenerator[Event]:
        """Be a script."""
        if self.script is not None:
            async for event in self.script(exchange):
                yield event
            return
        self.asked.append(attrs.evolve(exchange))
        for event in self.turns[min(len(self.asked), len(self.turns)) - 1]:
            yield event

    def results(self) -> list[str]:
        """Return what was read of tools in the last round."""
        return [message.text for message in self.asked[-1].request.messages if message.role is Role.TOOL]


def config(*plugins: str, models: Sequence[Mapping[str, Any]] = (), **gateway: Any) -> Config:
    """Make a configuration without a file, on any free port, untouched by the environment.

    :param models: the `[[models]]` tables.
    """
    return Config(
        path=Path("/somewhere/plugins.toml"),
        plugins=plugins,
        tables={"gateway": {"port": 0, "upload_files_dir": str(UPLOADS), **gateway}},
        model_tables=tuple(models),
        environ={},
    )


def installed(plugins: Mapping[str, type]) -> InstalledPlugins:
    """Make loaders of plugin classes, as entry points are."""

    def loader(kind: type) -> Callable[[], type]:
        return lambda: kind

    return {name: loader(kind) for name, kind in plugins.items()}


def host(plugins: Mapping[str, type], **gateway: Any) -> PluginHost:
    """Load plugin classes, all of them, in order."""
    return PluginHost(config(*plugins, **gateway), installed(plugins))


@asynccontextmanager
async def living(plugins: Mapping[str, type], **gateway: Any) -> AsyncGenerator[Gateway]:
    """Run a gateway without HTTP."""
    made = Gateway(config(*plugins, **gateway), host(plugins, **gateway))
    async with made.lifespan():
        yield made


@attrs.frozen
class Served:
    """A gateway behind HTTP, and its clients."""

    gateway: Gateway
    url: str
    http: httpx.AsyncClient
    openai: AsyncOpenAI

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return int(self.url.rpartition(":")[2])

    async def chat(self, **fields: Any) -> httpx.Response:
        """Ask for a completion of the least request there is, with more fields."""
        return await self.http.post(CHAT_PATH, json={**HELLO, **fields})


@asynccontextmanager
async def serving(plugins: Mapping[str, type], **gateway: Any) -> AsyncGenerator[Served]:
    """Serve a gateway over HTTP for real."""
    async with (
        running_gateway(config(*plugins, **gateway), installed(plugins)) as running,
        httpx.AsyncClient(base_url=running.url, trust_env=False, timeout=30) as http,
        AsyncOpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=0) as openai,
    ):
        yield Served(running.gateway, running.url, http, openai)


@asynccontextmanager
async def asked(served: Served, key: str = "", **fields: Any) -> AsyncGenerator["asyncio.Task[httpx.Response]"]:
    """Ask on a connection of one's own, which is cut when this ends."""
    headers = {"x-api-key": key} if key else {}
    async with httpx.AsyncClient(base_url=served.url, headers=headers, trust_env=False, timeout=30) as client:
        asking = asyncio.create_task(client.post(CHAT_PATH, json={**HELLO, **fields}))
        try:
            yield asking
        finally:
            asking.cancel()
            await asyncio.wait([asking])


def ask(text: str = "Hello", **fields: Any) -> ChatRequest:
    """Make a chat request of one user message."""
    return ChatRequest(messages=(Message(role=Role.USER, text=text),), **fields)


def exchange_of(request: ChatRequest | None = None, **fields: Any) -> Exchange:
    """Make an exchange that no gateway supervises."""
    made = request or ask()
    deadline = fields.pop("deadline", float("inf"))
    return Exchange(id="req_0", request=made, prompt=build_prompt(made.messages), deadline=deadline, **fields)


def with_params(**params: Any) -> ChatRequest:
    """Make a chat request with sampling parameters."""
    return ask(params=Params(**params))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition that nothing announces, by giving way to the loop."""
    while not condition():  # noqa: ASYNC110 - nothing sets an event for what is looked at here
        await asyncio.sleep(0)


async def read(exchange: Exchange) -> list[Event]:
    """Read an exchange to its end."""
    return [event async for event in exchange.events()]


def text_of(events: list[Event]) -> str:
    """Join the text deltas of events."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def sse(body: str) -> list[Any]:
    """Read the data of server-sent events; `[DONE]` stands as it is."""
    lines = [line.removeprefix("data: ") for line in body.split("\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def below(folder: Path) -> list[str]:
    """Return the paths of everything in a folder, relative to it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
