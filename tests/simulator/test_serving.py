import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from studiogate_simulator.serving import PortTaken, free_port

from .harness import END_S, generate_request, method, running


def test_free_port() -> None:
    """Port 0 finds one; a taken port is told with its address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert free_port("127.0.0.1", 0) > 0
        with pytest.raises(PortTaken, match=str(port)):
            free_port("127.0.0.1", port)


def test_state_folder(tmp_path: Path) -> None:
    """A named folder is made private and stays, with its authority."""
    folder = tmp_path / "state"
    with running("--state-dir", str(folder)) as first:
        authority = first.ca.read_bytes()
        assert first.ca.parent == folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(first.storage_state.stat().st_mode) == 0o600
    with running("--state-dir", str(folder)) as second:
        assert second.ca.read_bytes() == authority


def test_end_of_stdin() -> None:
    """The simulator ends when its standard input does, and takes its temporary folder along."""
    with running() as simulator:
        folder = simulator.ca.parent
        assert folder.exists()

    assert simulator.process.returncode == 0
    assert not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals(number: signal.Signals) -> None:
    """Both signals end it cleanly, with nothing more said."""
    with running() as simulator:
        simulator.process.send_signal(number)

        assert simulator.process.wait(END_S) == 0
        assert simulator.process.stdout
        assert simulator.process.stdout.read() == b""


async def test_end_under_an_open_stream() -> None:
    """A stream that would hang for ever does not hold up the end."""
    with running() as simulator:
        async with simulator.rpc() as client:
            await client.post("/__sim/scenarios", json={"text": ["a"], "hang_after_frames": 1})
            async with client.stream("POST", method("GenerateContent"), json=generate_request("x")) as answer:
                await anext(answer.aiter_bytes())
                simulator.process.send_signal(signal.SIGTERM)

                assert simulator.process.wait(END_S) == 0


def test_taken_port() -> None:
    """A taken port is an error message, not a shared port."""
    with running() as simulator:
        second = subprocess.run(
            [sys.executable, "-m", "studiogate_simulator", "--port", str(simulator.port)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=END_S,
        )

    assert second.returncode == 1
    assert str(simulator.port) in second.stderr.decode()
    assert second.stdout == b""
