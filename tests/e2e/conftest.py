"""One simulator and one gateway for all tests that leave them as they were; others start their own.

They end with this package, so that the tests of other packages have the machine for themselves.
"""

import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from .house import ROOT, Gateway, Simulator, running_gateway, running_simulator, wait_until, write_config

MCP_SERVER: dict[str, dict[str, Any]] = {
    "mcp.servers.tests": {"command": [sys.executable, str(ROOT / "tests/mcp/server.py"), "stdio"], "always": False}
}
"""A server for requests that name it; its program isn't started for others."""


@pytest.fixture(scope="package")
def shared_simulator(tmp_path_factory: pytest.TempPathFactory) -> Generator[Simulator]:
    """Run one simulator for this package."""
    with running_simulator(tmp_path_factory.mktemp("simulator")) as simulator:
        yield simulator


@pytest.fixture
def simulator(shared_simulator: Simulator) -> Simulator:
    """Return the simulator with no scenario and an empty log."""
    shared_simulator.reset()
    return shared_simulator


@pytest.fixture(scope="package")
def shared_gateway(tmp_path_factory: pytest.TempPathFactory, shared_simulator: Simulator) -> Generator[Gateway]:
    """Run one gateway with two tabs for this package."""
    folder = tmp_path_factory.mktemp("gateway")
    config = write_config(folder, shared_simulator, MCP_SERVER, backends=["mcp", "stream_intercept"])
    with running_gateway(config) as gateway:
        yield gateway


@pytest.fixture
def gateway(shared_gateway: Gateway) -> Gateway:
    """Return the gateway, idle, with both tabs ready."""
    wait_until(lambda: shared_gateway.tabs_ready() == 2, "both tabs ready")
    return shared_gateway


@pytest.fixture(scope="package")
def page_gateway(tmp_path_factory: pytest.TempPathFactory, shared_simulator: Simulator) -> Generator[Gateway]:
    """Run a gateway for this package that answers from the page alone."""
    shared_simulator.reset()
    folder = tmp_path_factory.mktemp("page")
    config = write_config(folder, shared_simulator, MCP_SERVER, backends=["mcp", "dom_scrape"])
    with running_gateway(config) as gateway:
        yield gateway


@pytest.fixture(params=["shared_gateway", "page_gateway"], ids=["wire", "page"])
def each_tier(request: pytest.FixtureRequest) -> Gateway:
    """Return a gateway of each of AI Studio's tiers, idle, with both tabs ready."""
    gateway: Gateway = request.getfixturevalue(request.param)
    wait_until(lambda: gateway.tabs_ready() == 2, "both tabs ready")
    return gateway


@pytest.fixture(scope="package")
def impatient(tmp_path_factory: pytest.TempPathFactory, shared_simulator: Simulator) -> Generator[Gateway]:
    """Run a gateway that waits only seconds for a silent upstream; a busy machine types for seconds, too."""
    tables = {"gateway": {"first_event_s": 8.0, "silence_s": 1.0}, "studio": {"tabs": 1}}
    with running_gateway(write_config(tmp_path_factory.mktemp("impatient"), shared_simulator, tables)) as gateway:
        yield gateway


@pytest.fixture
def config(tmp_path: Path, simulator: Simulator) -> Path:
    """Return the path of a configuration for a gateway of the test's own."""
    return write_config(tmp_path, simulator)
