"""pytest's fixtures for those who write plugins.

pytest loads this module wherever studiogate is installed, so it imports what it needs when a test asks for it, and
every name of it begins with `studiogate_`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from studiogate.testing import Recorder
    from studiogate.testing.simulator import Simulator
    from studiogate.testing.threads import Servers


@pytest.fixture
def studiogate_gateway() -> Any:
    """Return `studiogate.testing.running`, which runs a gateway around plugins in process."""
    from studiogate.testing import running  # noqa: PLC0415 - see above

    return running


@pytest.fixture
def studiogate_server() -> "Iterator[Servers]":
    """Return what serves plugins over HTTP in a thread until the test ends, for tests that aren't async."""
    from studiogate.testing.threads import Servers  # noqa: PLC0415 - see above

    with Servers() as servers:
        yield servers


@pytest.fixture
def studiogate_scripted() -> Any:
    """Return `studiogate.testing.scripted`, which makes a backend that answers as a script does."""
    from studiogate.testing import scripted  # noqa: PLC0415 - see above

    return scripted


@pytest.fixture
def studiogate_recorder() -> "Recorder":
    """Return a recorder of what a backend says: `recorder.recording(MyBackend)` is a class to run in its place."""
    from studiogate.testing import Recorder  # noqa: PLC0415 - see above

    return Recorder()


@pytest.fixture(scope="session")
def studiogate_simulator_process() -> "Iterator[Simulator]":
    """Run the simulator of AI Studio for all tests; skips where it isn't installed."""
    pytest.importorskip("studiogate_simulator", reason="studiogate-simulator is not installed")
    from studiogate.testing.simulator import running_simulator  # noqa: PLC0415 - see above

    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def studiogate_simulator(studiogate_simulator_process: "Simulator") -> "Simulator":
    """Return the simulator with nothing scripted and nothing logged."""
    studiogate_simulator_process.reset()
    return studiogate_simulator_process
