"""`studiogate chain`, in processes of its own."""

import asyncio
from pathlib import Path

import httpx
import pytest

from .backends import CHAT_PATH, HELLO
from .test_cli import configured, serving, studiogate

PLUGINS = """
import attrs
from studiogate import Unavailable, hookimpl
from studiogate.events import Finish, FinishReason, TextDelta
from studiogate.health import Health


class Base:
    @hookimpl
    def health(self):
        return Health(ready=False, status="signed out", advice="Sign in.")


class First:
    requires = ("base",)

    @hookimpl
    async def fetch_response(self, exchange):
        raise Unavailable("broken")
        yield


class Second:
    @hookimpl
    async def fetch_response(self, exchange):
        yield TextDelta(text="Hello")
        yield Finish(reason=FinishReason.STOP)


@attrs.frozen
class Settings:
    enabled: bool = False


class Third:
    settings = Settings

    def __init__(self, settings):
        pass

    @hookimpl
    async def fetch_response(self, exchange):
        yield Finish(reason=FinishReason.STOP)
"""
LISTED = """plugins = ["first", "third", "second"]
[gateway]
breaker_failures = 1
breaker_pause_s = 600
"""


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """Make a folder with a configuration, and a distribution of plugins on the path."""
    metadata = tmp_path / "site" / "own-1.0.dist-info"
    metadata.mkdir(parents=True)
    names = ("base", "first", "second", "third")
    points = "\n".join(f"{name} = own:{name.title()}" for name in names)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[studiogate.plugins]\n{points}\n")
    (tmp_path / "site" / "own.py").write_text(PLUGINS)
    configured(tmp_path, LISTED)
    return tmp_path


def test_the_order_is_shown_without_a_gateway(there: Path) -> None:
    """What the configuration alone says: who is asked in which order, who needs what, who is off."""
    told = studiogate(there, "chain", "--port", "1")

    assert told.returncode == 0
    assert told.stdout == ("1. first (needs base)\n2. second\n-  third: switched off (by default)\n")
    assert told.stderr == "No gateway answers at http://127.0.0.1:1, so nothing is known of how they fare.\n"


async def test_a_running_gateway_tells_how_they_fare(there: Path) -> None:
    """Ready or why not, and which breaker is open; nothing is asked of a backend."""
    async with serving(there) as (_, url), httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.post(CHAT_PATH, json=HELLO)
        told = await asyncio.to_thread(studiogate, there, "chain", "--port", url.rpartition(":")[2])

    lines = told.stdout.splitlines()
    assert answer.headers["x-studiogate-attempts"] == "first=unavailable: broken, second=ok"
    assert lines[:2] == ["1. first (needs base)", "   not ready: base: signed out. Sign in."]
    assert lines[2].startswith("   breaker open after 1 failures in a row: asked last, tried again in ")
    assert lines[3:5] == ["2. second", "   ready"]
    assert told.stderr == ""


async def test_a_gateway_of_another_configuration_is_told_apart(there: Path) -> None:
    """A backend that was listed after the start isn't in the gateway that runs."""
    points = there / "site" / "own-1.0.dist-info" / "entry_points.txt"
    async with serving(there) as (_, url):
        configured(there, LISTED.replace('"third"', '"third", "fourth"'))
        points.write_text(points.read_text() + "fourth = own:Second\n")
        told = await asyncio.to_thread(studiogate, there, "chain", "--port", url.rpartition(":")[2])

    assert "2. fourth\n   not loaded in the gateway that runs: restart it\n" in told.stdout


def test_without_backends_it_says_so(there: Path) -> None:
    """Nothing would ever be answered."""
    configured(there, "plugins = []")

    assert "No backend is enabled: list one under plugins." in studiogate(there, "chain", "--port", "1").stdout
