"""A gateway whose only backend is the real plugin, asking a service that the test plays."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx
from openai import AsyncOpenAI

from studiogate.web.server import running_gateway
from studiogate_helper_backend import HelperBackend
from tests.core.backends import Served, config, installed

from .standin import StandIn, standing_in

KEY = "sk-very-secret-0123456789"


@attrs.define
class House:
    """A serving gateway and the service behind it."""

    served: Served
    service: StandIn

    @property
    def openai(self) -> AsyncOpenAI:
        """Return the official client."""
        return self.served.openai

    async def chat(self, **fields: Any) -> httpx.Response:
        """Ask for a completion of the least request there is, with more fields."""
        return await self.served.chat(**fields)

    async def health(self) -> dict[str, Any]:
        """Return what /health says of the plugin."""
        body = (await self.served.http.get("/health")).json()
        told: dict[str, Any] = body["plugins"]["helper_backend"]
        return told


@asynccontextmanager
async def asking(
    service: StandIn | None = None,
    *,
    others: Mapping[str, type] | None = None,
    gateway: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    **settings: Any,
) -> AsyncGenerator[House]:
    """Serve the plugin with these settings; they name the stand-in and a key unless they say otherwise.

    :param service: the one to ask; a new one when None.
    :param others: more plugins, after it.
    :param gateway: the `[gateway]` table.
    """
    if service is None:
        async with (
            standing_in() as made,
            asking(made, others=others, gateway=gateway, environ=environ, **settings) as house,
        ):
            yield house
        return
    plugins: dict[str, type] = {"helper_backend": HelperBackend, **(others or {})}
    base = config(*plugins, **(gateway or {}))
    table = {"protocol": "openai", "base_url": service.url, "api_key": KEY, **settings}
    made_config = attrs.evolve(
        base,
        tables={**base.tables, "helper_backend": {key: value for key, value in table.items() if value is not None}},
        environ=environ or {},
    )
    async with (
        running_gateway(made_config, installed(plugins)) as running,
        httpx.AsyncClient(base_url=running.url, trust_env=False, timeout=30) as http,
        AsyncOpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=0) as openai,
    ):
        yield House(Served(running.gateway, running.url, http, openai), service)


async def soon(event: asyncio.Event) -> None:
    """Wait for what has to happen at once."""
    async with asyncio.timeout(5):
        await event.wait()
