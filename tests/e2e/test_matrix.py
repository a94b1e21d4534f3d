"""Every tier gives the same answer: text, reasoning, calls and finish reason, whatever the page looks like.

One gateway for each tier, whose only backend it is, with one tab; it asks all cases of a generation, then the page is
switched to the next.
"""

from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.helper_service import HelperService, running_helper

from .cases import CASES, Case, asked_of, streamed_of
from .house import Gateway, Simulator, running_gateway, wait_until, write_config
from .service import Service, running_service

GENERATIONS = ("g3", "g2", "g1")
NO_PAGE = "no page"
TIERS = {
    "stream_intercept": ("stream_intercept", GENERATIONS),
    "dom_scrape": ("dom_scrape", GENERATIONS),
    "helper (guide)": ("helper_backend", GENERATIONS),
    "helper (openai)": ("helper_backend", (NO_PAGE,)),
}
"""Name -> its plugin, and the generations of the page that it is asked with."""
ROWS = [
    pytest.param(tier, generation, case, stream, id=f"{tier}-{generation}-{case.name}{' streamed' if stream else ''}")
    for tier, (_, generations) in TIERS.items()
    for generation in generations
    for case, stream in [(CASES[0], True), *((case, False) for case in CASES)]
]


@attrs.define
class Tier:
    """A gateway with one backend, and what that one asks where it asks no page."""

    gateway: Gateway
    simulator: Simulator
    service: Service | None
    generation: str = "g3"
    """What the tab shows."""

    def show(self, generation: str) -> None:
        """Have the tab show a generation of the page."""
        if generation != self.generation:
            self.simulator.options(generation=generation)
            assert self.gateway.ask("another page, please").status_code == 200
            self.generation = generation
        wait_until(lambda: self.gateway.tabs_ready() == 1, "the tab")
        self.simulator.reset()
        # The tab is loaded anew after each case.
        self.simulator.options(generation=generation)

    def play(self, case: Case) -> None:
        """Have upstream answer a case."""
        if self.service is None:
            self.simulator.play(**case.scenario)
        else:
            self.service.reply(case.reply())

    def prompts(self) -> list[str]:
        """Return the prompts that upstream was sent since the last time, and forget them."""
        if self.service is None:
            turns = self.simulator.log()
            assert {turn["generation"] for turn in turns} <= {self.generation}
            return [turn["prompt"] for turn in turns]
        asked = [request.body["messages"][-1]["content"] for request in self.service.asked]
        self.service.forget()
        return asked


def _reading_along(folder: Path, simulator: Simulator) -> AbstractContextManager[HelperService]:
    return running_helper(
        folder, simulator=simulator.port, simulator_ca=simulator.ca, storage_state=simulator.storage_state
    )


@attrs.define
class Tiers:
    """One tier at a time, started when it is asked for first; the one before is stopped."""

    simulator: Simulator
    folders: pytest.TempPathFactory
    _stack: ExitStack = attrs.field(factory=ExitStack)
    _running: dict[str, Tier] = attrs.field(factory=dict[str, Tier])

    def get(self, name: str) -> Tier:
        """Return a tier."""
        if name not in self._running:
            self.stop()
            self._running = {name: self._started(name)}
        return self._running[name]

    def stop(self) -> None:
        """Stop what runs."""
        self._stack.close()
        self.simulator.reset()

    def _started(self, name: str) -> Tier:
        plugin, generations = TIERS[name]
        folder = self.folders.mktemp("tier")
        service = self._stack.enter_context(running_service()) if generations == (NO_PAGE,) else None
        tables: dict[str, dict[str, Any]] = {"studio": {"tabs": 1}}
        if service is not None:
            tables = {"helper_backend": {"base_url": service.url}}
        elif plugin == "helper_backend":
            tables["helper_backend"] = self._stack.enter_context(_reading_along(folder, self.simulator)).table()
        config = write_config(folder, self.simulator, tables, backends=[plugin])
        gateway = self._stack.enter_context(running_gateway(config, ready=service is None))
        return Tier(gateway, self.simulator, service)


@pytest.fixture(scope="module")
def tiers(tmp_path_factory: pytest.TempPathFactory, shared_simulator: Simulator) -> Generator[Tiers]:
    """Run a gateway of one tier after the other."""
    tiers = Tiers(shared_simulator, tmp_path_factory)
    yield tiers
    tiers.stop()


@pytest.mark.parametrize(("name", "generation", "case", "stream"), ROWS)
def test_every_tier_gives_the_same_answer(
    tiers: Tiers, name: str, generation: str, case: Case, *, stream: bool
) -> None:
    """What the client reads is the case's, and upstream was sent the prompt once, to the letter."""
    tier = tiers.get(name)
    if tier.service is None:
        tier.show(generation)
    tier.play(case)

    if stream:
        assert streamed_of(tier.gateway, case.prompt) == case.said.text
    else:
        assert asked_of(tier.gateway, case) == case.said
    assert tier.prompts() == [case.prompt]
