"""The socket by which commands reach a gateway: its owner's only, and no more than one gateway's."""

import asyncio
import logging
import socket
from pathlib import Path

import pytest

from studiogate.control import Outcome, answering, ask
from studiogate.errors import ConfigurationError


async def echo(command: str) -> Outcome:
    """Answer with the command."""
    return Outcome(ok=True, lines=(command,))


async def test_a_command_is_answered(tmp_path: Path) -> None:
    """However long the folder's name is, for which a socket's address has no room."""
    path = tmp_path / ("deep" * 40) / "control.sock"
    async with answering(path, echo):
        outcome = await asyncio.to_thread(ask, path, "reload")
        mode, folder = path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777

    assert outcome == Outcome(ok=True, lines=("reload",))
    assert (mode, folder) == (0o600, 0o700)
    assert not path.exists()


async def test_what_a_crash_left_is_replaced(tmp_path: Path) -> None:
    """A socket that nobody listens on keeps nobody from the next start."""
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(ConfigurationError, match="no gateway of this configuration can be reached"):
        await asyncio.to_thread(ask, path, "reload")
    async with answering(path, echo):
        assert (await asyncio.to_thread(ask, path, "reload")).ok


async def test_another_gateways_socket_stays_its_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The second one starts all the same and says that commands don't reach it."""
    path = tmp_path / "control.sock"
    with caplog.at_level(logging.WARNING):
        async with answering(path, echo):
            async with answering(path, echo):
                pass
            answered = await asyncio.to_thread(ask, path, "reload")

    assert answered.ok
    assert "studiogate reload can't reach this gateway" in caplog.text


async def test_a_gateway_that_ends_meanwhile_is_told(tmp_path: Path) -> None:
    """The caller doesn't wait for what will never come."""
    path, begun = tmp_path / "control.sock", asyncio.Event()

    async def never(_: str) -> Outcome:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with answering(path, never):
        asking = asyncio.create_task(asyncio.to_thread(ask, path, "reload"))
        await begun.wait()

    with pytest.raises(ConfigurationError, match="ended before it answered"):
        await asking
