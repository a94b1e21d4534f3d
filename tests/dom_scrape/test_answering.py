"""An answer's way through a real page, where no client is needed."""

import json
import time
from contextlib import aclosing
from pathlib import Path

import attrs
import pytest

from studiogate.chat import ChatRequest, Message, Role
from studiogate.errors import Declined
from studiogate.exchange import Exchange
from studiogate.prompt import build_prompt
from studiogate_dom_scrape import DomScrapeSettings
from studiogate_dom_scrape.answering import answer
from studiogate_studio.errors import PageBroken
from studiogate_studio.settings import StudioSettings
from studiogate_studio.tabs import lease_for
from tests.studio.conftest import Simulator, running, settings, simulator, simulator_process

__all__ = ["settings", "simulator", "simulator_process"]

OPTIONS = DomScrapeSettings()


def exchange() -> Exchange:
    """Make an exchange of a client that streams."""
    messages = (Message(role=Role.USER, text="Well?"),)
    request = ChatRequest(messages=messages, stream=True)
    return Exchange(id="req_0", request=request, prompt=build_prompt(messages), deadline=time.monotonic() + 60)


async def test_the_page_of_an_answer_that_is_lost_is_kept(
    settings: StudioSettings, simulator: Simulator, tmp_path: Path
) -> None:
    """Reading is a step as the tab's own are; a prompt that was refused is not read at all."""
    simulator.play(text=["one ", "two"], hang_after_frames=1)
    one, folder = exchange(), tmp_path / "debug"
    async with running(attrs.evolve(settings, debug_dir=folder)) as pool, one.round_stack:
        tab = await lease_for(one, pool)
        async with aclosing(answer(one, tab, None, OPTIONS)) as events:
            await anext(events)
            await tab.page.close()
            with pytest.raises(PageBroken):
                await anext(events)
        tab.refused = True
        with pytest.raises(Declined, match="refused it"):
            await anext(answer(one, tab, None, OPTIONS))

    (only,) = folder.iterdir()
    assert json.loads((only / "failure.json").read_text())["doing"] == "reading an answer"
