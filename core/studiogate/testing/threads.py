"""Gateways that serve in threads of their own, for tests that aren't async."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any, Self

import attrs

from studiogate.config import Table
from studiogate.testing.stage import serving


@attrs.define(eq=False)
class Servers:
    """Serve gateways until the context is left."""

    _threads: list["_Thread"] = attrs.field(factory=list["_Thread"], init=False)

    def __call__(
        self, plugins: Mapping[str, type], *, tables: Mapping[str, Table] | None = None, **gateway: Any
    ) -> str:
        """Serve plugins and return the URL, which `/v1` makes an OpenAI client's `base_url`.

        The arguments are those of `studiogate.testing.running`.
        """
        thread = _Thread(plugins, tables, gateway)
        self._threads.append(thread)
        return thread.url()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for thread in reversed(self._threads):
            thread.end()


class _Thread:
    """One gateway in its thread."""

    def __init__(self, plugins: Mapping[str, type], tables: Mapping[str, Table] | None, gateway: Table) -> None:
        self._made = (plugins, tables, gateway)
        self._ready = threading.Event()
        self._served: tuple[str, asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="studiogate-testing-server", daemon=True)
        self._thread.start()

    def url(self) -> str:
        """Return the URL once it serves; raises what kept it from serving."""
        self._ready.wait()
        if self._served is None:
            raise self._failed or RuntimeError("the server ended")
        return self._served[0]

    def end(self) -> None:
        """End the gateway and wait until it has ended."""
        self._ready.wait()
        if self._served is not None:
            _, loop, over = self._served
            loop.call_soon_threadsafe(over.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised in the thread of the test
            self._failed = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        plugins, tables, gateway = self._made
        over = asyncio.Event()
        async with serving(plugins, tables=tables, **gateway) as running:
            self._served = (running.url, asyncio.get_running_loop(), over)
            self._ready.set()
            await over.wait()
