"""A gateway with the real plugin behind HTTP, and a backend that notes which files reach it."""

import hashlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx

from studiogate.events import Event
from studiogate.exchange import Exchange
from studiogate.gateway import Gateway
from studiogate.web.server import running_gateway
from studiogate_attachments import Attachments
from tests.core.backends import CHAT_PATH, Script, backend, below, config, installed, says


@attrs.frozen
class File:
    """What a backend saw of a file."""

    name: str
    mime: str
    size: int
    sha256: str


@attrs.define
class House:
    """A serving gateway."""

    gateway: Gateway
    http: httpx.AsyncClient
    uploads: Path
    files: list[File] = attrs.field(factory=list[File])
    """Of the last exchange that came so far, in order."""
    exchanges: list[Exchange] = attrs.field(factory=list[Exchange])

    async def chat(self, *attachments: Any, **fields: Any) -> httpx.Response:
        """Ask about attachments of the request."""
        body = {"messages": [{"role": "user", "content": "Look."}], "attachments": attachments, **fields}
        return await self.http.post(CHAT_PATH, json=body)

    def left(self) -> list[str]:
        """Return what is on disk, besides the gateway's own empty folder."""
        return [path for path in below(self.uploads) if "/" in path]


def file_of(name: str, mime: str, data: bytes) -> File:
    """Return what a backend has to see of data."""
    return File(name, mime, len(data), hashlib.sha256(data).hexdigest())


def read_file(path: Path, name: str, mime: str) -> File:
    """Look at a file as a page does, by its path."""
    assert path.name == name
    return file_of(name, mime, path.read_bytes())


@asynccontextmanager
async def serving_attachments(
    tmp_path: Path,
    *,
    others: Mapping[str, type] | None = None,
    script: Script | None = None,
    gateway: Mapping[str, Any] | None = None,
    **settings: Any,
) -> AsyncGenerator[House]:
    """Serve the plugin with these settings.

    :param others: more plugins, before it.
    :param script: answers, once the files are noted.
    :param gateway: the `[gateway]` table.
    """
    uploads = tmp_path / "uploads"

    async def looks(exchange: Exchange) -> AsyncGenerator[Event]:
        house.exchanges.append(exchange)
        house.files = [read_file(each.path, each.filename, each.mime) for each in exchange.attachments]
        async for event in (script or says())(exchange):
            yield event

    plugins = {**(others or {}), "attachments": Attachments, "looks": backend(looks)}
    made = config(*plugins)
    made = attrs.evolve(
        made,
        tables={
            "gateway": {**made.tables["gateway"], "upload_files_dir": str(uploads), **(gateway or {})},
            "attachments": settings,
        },
    )
    async with (
        running_gateway(made, installed(plugins)) as running,
        httpx.AsyncClient(base_url=running.url, trust_env=False, timeout=60) as http,
    ):
        house = House(running.gateway, http, uploads)
        yield house
