"""A simulator for the whole run, and the studio's parts running against it."""

import asyncio
import json
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import pytest_asyncio

from studiogate_studio.keeper import BrowserKeeper, Configure
from studiogate_studio.launch import BrowserLaunch
from studiogate_studio.model_listener import ModelListener
from studiogate_studio.selectors import Selectors, load_selectors
from studiogate_studio.settings import StudioSettings
from studiogate_studio.tabs import TabPool
from tests.browsers import windowless

from . import processes

SHARED = pytest.mark.asyncio(loop_scope="module")
"""Marks a module whose tests share a browser (`pool`)."""


@attrs.frozen(kw_only=True)
class Simulator:
    """Reach a running simulator."""

    port: int
    ca: Path
    storage_state: Path
    control: httpx.Client

    def prompts(self) -> list[str]:
        """Return the prompts that it received, in order."""
        return [turn["prompt"] for turn in self.control.get("/__sim/log").json()]

    def play(self, **scenario: Any) -> None:
        """Script an answer."""
        self.control.post("/__sim/scenarios", json=scenario).raise_for_status()

    def files(self) -> list[list[dict[str, Any]]]:
        """Return the files of each prompt that it received, in order."""
        return [turn["files"] for turn in self.control.get("/__sim/log").json()]

    def play_upload(self, **scenario: Any) -> None:
        """Script what becomes of a file."""
        self.control.post("/__sim/uploads", json=scenario).raise_for_status()

    def forget(self) -> None:
        """Have nothing scripted and nothing logged."""
        for path in ("scenarios", "uploads", "page", "faults", "log"):
            self.control.delete(f"/__sim/{path}").raise_for_status()

    def fault(self, name: str, **fields: Any) -> None:
        """Have a fault happen."""
        self.control.post("/__sim/faults", json={"fault": name, **fields}).raise_for_status()

    def options(self, **options: Any) -> None:
        """Set how the next page looks."""
        self.control.put("/__sim/page", json=options).raise_for_status()


@pytest.fixture(scope="package", autouse=True)
def chromium_without_windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have the quicker Chromium started here."""
    with windowless(tmp_path_factory.mktemp("chromium")):
        yield


@pytest.fixture
def chromium_with_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have operators' Chromium started after all, where the two differ."""
    monkeypatch.setenv("PATH", os.environ["PATH"].partition(os.pathsep)[2])


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[Simulator]:
    """Run one simulator for all tests."""
    command = [sys.executable, "-m", "studiogate_simulator", "--port", "0", "--exit-on-stdin-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        trust = ssl.create_default_context(cafile=ready["ca"])
        with httpx.Client(base_url=ready["url"], verify=trust, trust_env=False) as control:
            yield Simulator(
                port=ready["port"], ca=Path(ready["ca"]), storage_state=Path(ready["storage_state"]), control=control
            )
        process.stdin.close()
        process.wait(10)


@pytest.fixture
def simulator(simulator_process: Simulator) -> Simulator:
    """Return the simulator with nothing scripted and nothing logged."""
    simulator_process.forget()
    return simulator_process


@pytest.fixture
def own_processes(simulator: Simulator) -> None:
    """Have `processes` tell of those that the test brings about from here on."""
    processes.start_anew()


@pytest.fixture
def settings(simulator: Simulator, tmp_path: Path) -> StudioSettings:
    """Return settings for a signed-in browser that meets the simulator, with a profile of the test's own."""
    return stand_in(simulator, tmp_path)


def stand_in(simulator: Simulator, folder: Path) -> StudioSettings:
    """Make settings for a signed-in browser that meets the simulator, with a profile in a folder."""
    profile = folder / "profile.json"
    profile.write_bytes(simulator.storage_state.read_bytes())
    profile.chmod(0o600)
    return StudioSettings(
        profile=profile,
        tabs=1,
        reroute=f"127.0.0.1:{simulator.port}",
        reroute_ca=simulator.ca,
        profile_poll_s=0.05,
        wait_s=40,
        ready_s=20,
    )


async def unchanged(_: BrowserLaunch) -> None:
    """Leave a launch as it is."""


@asynccontextmanager
async def running(
    settings: StudioSettings, selectors: Selectors | None = None, configure: Configure = unchanged
) -> AsyncGenerator[TabPool]:
    """Run a keeper and its pool; both have ended when this is left."""
    keeper = BrowserKeeper(settings, configure)
    pool = TabPool(keeper, selectors or load_selectors(), ModelListener(), settings.tabs)
    tasks = [asyncio.create_task(keeper.run()), asyncio.create_task(pool.run())]
    try:
        yield pool
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await pool.models.close()


async def eventually(holds: Callable[[], bool], within_s: float = 30.0) -> None:
    """Wait until a condition holds; fail if it doesn't in time."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.02)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_pool(
    simulator_process: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[TabPool]:
    """Return a pool of one tab that runs for all tests of a module; a browser takes its time to start."""
    async with running(stand_in(simulator_process, tmp_path_factory.mktemp("shared"))) as pool:
        yield pool


@pytest_asyncio.fixture(loop_scope="module")
async def pool(shared_pool: TabPool, simulator: Simulator) -> TabPool:
    """Return a running pool of one tab, which is ready; a module that takes it runs in a loop of its own (`SHARED`)."""
    await eventually(lambda: shared_pool.ready == 1)
    # The test before may still have asked something while its tab was renewed.
    simulator.forget()
    return shared_pool
