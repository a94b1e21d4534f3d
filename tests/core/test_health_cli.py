"""`studiogate health`, in processes of its own."""

import asyncio
from pathlib import Path

from .test_chain_cli import there
from .test_cli import configured, serving, studiogate

__all__ = ["there"]


async def test_a_gateway_that_can_answer_is_healthy(there: Path) -> None:
    """Exit code 0, for programs that restart or raise the alarm otherwise."""
    configured(there, 'plugins = ["second"]')
    async with serving(there) as (_, url):
        told = await asyncio.to_thread(studiogate, there, "health", "--port", url.rpartition(":")[2])

    assert (told.returncode, told.stdout) == (0, "ok\n")


async def test_a_gateway_that_cannot_answer_says_why(there: Path) -> None:
    """What /health says stands in the log of who looks after it."""
    configured(there, 'plugins = ["first"]')
    async with serving(there) as (_, url):
        told = await asyncio.to_thread(studiogate, there, "health", "--port", url.rpartition(":")[2])

    assert (told.returncode, told.stdout) == (1, "No backend can answer. base: signed out. Sign in.\n")


def test_no_gateway_is_not_healthy(there: Path) -> None:
    """The address that was tried is told."""
    told = studiogate(there, "health", "--port", "1")

    assert (told.returncode, told.stdout) == (1, "No gateway answers at http://127.0.0.1:1.\n")
