"""A gateway around plugins: in process, or as a real server with an OpenAI-compatible port."""

import functools
import re
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from studiogate.attachments import AttachmentRef
from studiogate.chat import ChatRequest, Message, Role
from studiogate.config import Config, Table
from studiogate.events import Event, TextDelta
from studiogate.exchange import Exchange
from studiogate.gateway import Gateway
from studiogate.plugins import InstalledPlugins, PluginHost, installed_plugins
from studiogate.web.running import Running
from studiogate.web.server import running_gateway

UPLOADS = Path(tempfile.gettempdir()) / "studiogate-tests"
"""Where the files of requests go, unless a test says otherwise."""


def installed(plugins: Mapping[str, type]) -> InstalledPlugins:
    """Make loaders of plugin classes, as entry points are."""

    def loader(kind: type) -> Callable[[], type]:
        return lambda: kind

    return {name: loader(kind) for name, kind in plugins.items()}


def config(
    *plugins: str, models: Sequence[Table] = (), tables: Mapping[str, Table] | None = None, **gateway: Any
) -> Config:
    """Make a configuration without a file, on any free port, untouched by the environment.

    :param plugins: the names of the plugins, in order.
    :param models: the `[[models]]` tables.
    :param tables: the plugins' tables.
    :param gateway: keys of the `[gateway]` table.
    """
    return Config(
        path=Path("/somewhere/plugins.toml"),
        plugins=plugins,
        tables={"gateway": {"port": 0, "upload_files_dir": str(UPLOADS), **gateway}, **(tables or {})},
        model_tables=tuple(models),
        environ={},
    )


@asynccontextmanager
async def running(
    plugins: Mapping[str, type],
    *,
    tables: Mapping[str, Table] | None = None,
    available: Mapping[str, type] | None = None,
    **gateway: Any,
) -> AsyncGenerator[Gateway]:
    """Run a gateway in process, without HTTP; ask it with `gateway.submit(ask("Hello"))`.

    :param plugins: plugin classes by name, in order.
    :param tables: the plugins' tables, as plugins.toml would have them.
    :param available: classes of plugins that these may require, by name, besides those that are installed.
    :param gateway: keys of the `[gateway]` table.
    """
    made = config(*plugins, tables=tables, **gateway)
    there = {**available_plugins(), **installed({**(available or {}), **plugins})}
    started = Gateway(made, PluginHost(made, there))
    async with started.lifespan():
        yield started


def serving(
    plugins: Mapping[str, type], *, tables: Mapping[str, Table] | None = None, **gateway: Any
) -> AbstractAsyncContextManager[Running]:
    """Serve a gateway for real: an OpenAI client's `base_url` is `f"{running.url}/v1"`.

    The arguments are those of `running`.
    """
    made = config(*plugins, tables=tables, **gateway)
    return running_gateway(made, {**available_plugins(), **installed(plugins)})


def ask(text: str = "Hello", *, attachments: Sequence[AttachmentRef] = (), **fields: Any) -> ChatRequest:
    """Make a chat request of one user message.

    :param fields: more of `ChatRequest`'s, such as `model`.
    """
    return ChatRequest(messages=(Message(role=Role.USER, text=text, attachments=tuple(attachments)),), **fields)


async def read(exchange: Exchange) -> list[Event]:
    """Read an exchange to its end; raises what ended it."""
    return [event async for event in exchange.events()]


def text_of(events: Sequence[Event]) -> str:
    """Join the text deltas of events."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@functools.cache
def available_plugins() -> InstalledPlugins:
    """Return the installed plugins; looked for once, as that takes its time."""
    return installed_plugins()


@functools.cache
def name_of(kind: type) -> str:
    """Return the name that a plugin class is listed under: its entry point's, else its own in small letters."""
    for name, load in available_plugins().items():
        if _is_point_of(load, kind):
            return name
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__).lower()


def _is_point_of(load: Callable[[], type], kind: type) -> bool:
    """Tell whether an entry point names a class, without importing what it names."""
    point: object = getattr(load, "__self__", None)
    if not isinstance(point, EntryPoint) or point.attr != kind.__qualname__:
        return False
    return kind.__module__ == point.module or kind.__module__.startswith(f"{point.module}.")
