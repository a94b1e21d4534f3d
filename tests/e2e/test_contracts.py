"""The backends that use the page keep the contract of backends, in a real browser before the simulator."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import attrs
import pytest

from studiogate.chat import ChatRequest
from studiogate.config import Table
from studiogate.exchange import Exchange
from studiogate.gateway import Gateway
from studiogate.testing import BackendContract, Does, NotTried, Recorder, ask, running, says, scripted
from studiogate.testing.backend import NEXT, Life
from studiogate.testing.simulator import Simulator, running_simulator
from studiogate.tools import ToolPlan
from studiogate_dom_scrape import DomScrape
from studiogate_stream_intercept import StreamIntercept

pytestmark = pytest.mark.long

PLAYED: dict[Does, list[dict[str, Any]]] = {
    Does.ANSWER: [
        {"when": "apple", "text": ["One ", "apple."]},
        {"when": "banana", "text": ["One ", "banana."]},
        {"text": ["Hello ", "you."]},
    ],
    Does.FAIL_BEFORE: [{"http_status": 503}],
    Does.FAIL_AFTER: [{"text": ["one ", "two ", "three"], "cut_after_frames": 1}],
    Does.HANG: [{"text": ["one ", "two ", "three"], "hang_after_frames": 1}],
}


class PageContract(BackendContract):
    """One gateway and one browser for all rules but `tells` and `closes`, which start others that never show a tab."""

    patience_s = 60.0
    deadline_s = 4.0
    cancellations = 3
    simulator: ClassVar[Simulator]
    recorder: ClassVar[Recorder]
    house: ClassVar[Gateway]

    @classmethod
    @asynccontextmanager
    async def shared(cls) -> AsyncGenerator[None]:
        """Run simulator and gateway."""
        cls.recorder = Recorder()
        plugins = {
            cls().listed_as: cls.recorder.recording(cls.plugin),
            NEXT: scripted(says("the next backend says")),
        }
        with running_simulator() as cls.simulator, TemporaryDirectory() as folder:
            cls.gateway = {"state_dir": folder}
            cls.tables = {"studio": {**cls.simulator.studio(Path(folder)), "tabs": 2}}
            async with running(plugins, tables=cls.tables, **cls.gateway) as cls.house:
                yield

    @asynccontextmanager
    async def upstream(self, does: Does) -> AsyncGenerator[Table]:
        """Script the simulator."""
        self.simulator.reset()
        for scenario in PLAYED[does]:
            self.simulator.play(**scenario)
        yield {}

    @asynccontextmanager
    async def life(self, does: Does = Does.ANSWER, **gateway: Any) -> AsyncGenerator[Life]:
        """Use the one gateway, set as the rule wants it."""
        settings = self.house.settings
        self.house.settings = attrs.evolve(settings, **gateway)
        try:
            async with self.upstream(does):
                yield Life(contract=self, gateway=self.house, recorder=self.recorder)
        finally:
            self.house.settings = settings
            self.recorder.on_call, self.recorder.take_turns = None, False

    async def use(self) -> None:
        """Start and end."""
        async with self.living():
            pass

    def foreign_request(self) -> ChatRequest:
        """Ask for a tool that AI Studio doesn't have."""

        def plan(exchange: Exchange) -> None:
            exchange.plan = ToolPlan(switches={"time_travel": {}})

        self.recorder.on_call = plan
        return ask("Hello")


class TestDomScrape(PageContract):
    """Tier 3."""

    plugin = DomScrape


class TestStreamIntercept(PageContract):
    """Tier 1."""

    plugin = StreamIntercept

    async def use(self) -> None:
        """Answer in the one gateway; a process has one intercepting proxy, so no other can start beside it."""
        async with self.life() as life:
            await life.answer()

    def living(self, *_: Any, **__: Any) -> AbstractAsyncContextManager[Gateway]:
        """Refuse a second gateway."""
        raise NotTried("a process has one intercepting proxy, which the shared gateway runs")
