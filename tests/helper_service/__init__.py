"""A working stand-in of the guide's helper service: an intercepting proxy that retells AI Studio's answers over HTTP.

    browser (or our own proxy) ──CONNECT──▶ proxy ──▶ simulator          the way that AI Studio's traffic takes
                                              │ copies of the answers
    GET /getStreamResponse, Cookie: SAPISID ──▶ SSE of OpenAI chunks

Every tunnel leads to the simulator, whatever CONNECT names. Nothing is known of how a real service treats answers that
nobody fetched, so it can be told to do it in each way there is, see `Kept`; and to fail in each way, see `Fault`.
`running_helper` runs it in a thread; tests set its fields from outside while it runs.
"""

import asyncio
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .faults import Fault, Kept
from .service import HelperService

__all__ = ["Fault", "HelperService", "Kept", "running_helper", "sapisid_of"]


def sapisid_of(storage_state: Path) -> str:
    """Return the cookie that a profile identifies itself to the service by."""
    cookies = json.loads(storage_state.read_text())["cookies"]
    return str(next(cookie["value"] for cookie in cookies if cookie["name"] == "SAPISID"))


@contextmanager
def running_helper(
    folder: Path, *, simulator: int, simulator_ca: Path, storage_state: Path
) -> Generator[HelperService]:
    """Run a service in a thread until the block ends.

    :param folder: where its certificates go.
    :param simulator: the port of the simulator that stands for AI Studio.
    :param storage_state: the profile whose account it serves.
    """
    service = HelperService(
        simulator=simulator, simulator_ca=simulator_ca, sapisid=sapisid_of(storage_state), ca=folder / "helper-ca.pem"
    )
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        async with service.serving(folder):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield service
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
