"""How long a call takes to its first delta beside the page alone, and how soon an answer nobody reads is aborted."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import attrs

from scripts.bench.client import Client
from scripts.bench.figures import Budget, Figure, figure_of
from scripts.bench.waiting import SETTLE_S, until_idle
from studiogate_studio.browser import open_browser, running_driver
from studiogate_studio.launch import apply_reroute, prepare_launch
from studiogate_studio.page import ChatPage
from studiogate_studio.profile import read_profile
from studiogate_studio.selectors import load_selectors
from studiogate_studio.settings import StudioSettings
from tests.e2e.house import WAIT_S, Gateway, Simulator, wait_until

OVERHEAD_BUDGET = Budget(limit=60)
ABORT_BUDGET = Budget(limit=20)
_MS = 1000.0

_STOPWATCH = """
(() => {
  let key = null;
  const pressed = (event) => { if (event.ctrlKey && event.key === "Enter") key = performance.now(); };
  addEventListener("keydown", pressed, true);
  const open = XMLHttpRequest.prototype.open;
  window.benchAnswered = new Promise((resolve) => {
    XMLHttpRequest.prototype.open = function (method, url, ...rest) {
      if (String(url).includes("GenerateContent"))
        this.addEventListener("readystatechange", () => {
          if (this.readyState >= 3 && this.responseText) resolve(performance.now() - key);
        });
      return open.call(this, method, url, ...rest);
    };
  });
})();
"""
"""Promises the milliseconds from the key that submits to the answer's first bytes, both as the page sees them."""


@attrs.define
class Calls:
    """Collect the times of calls through the gateway and of prompts in a page without it, in seconds."""

    gateway: list[float] = attrs.field(factory=list[float])
    """From sending a call to reading its first delta."""
    page: list[float] = attrs.field(factory=list[float])
    """From the key that submits to the answer's first bytes in the page."""
    driven: list[float] = attrs.field(factory=list[float])
    """Of the calls: until the upstream had received the page's request."""
    returned: list[float] = attrs.field(factory=list[float])
    """Of the calls: from the upstream's first byte to the client."""


async def measure_overhead(gateway: Gateway, simulator: Simulator, *, runs: int) -> list[Figure]:
    """Measure calls and the bare page in turn, so that both see the same machine."""
    simulator.reset()
    simulator.play(text=["One delta."], chunk_delay_ms=0)
    calls, client = Calls(), Client(gateway.url)
    async with _bare_page(simulator) as time_page:
        # The first of each opens connections and fills caches.
        for number in range(runs + 1):
            times = Calls()
            times.page.append(await time_page(f"bare prompt {number}"))
            await asyncio.to_thread(_time_call, gateway, simulator, client, f"call number {number}.", times)
            if number:
                for name in attrs.fields_dict(Calls):
                    getattr(calls, name).extend(getattr(times, name))
    client.close()
    return _overhead_figures(calls)


def measure_abort(gateway: Gateway, simulator: Simulator, *, runs: int) -> list[Figure]:
    """Leave answers after their first delta and see when the upstream learns of it."""
    simulator.reset()
    simulator.play(text=["Wait", " for", " it"], chunk_delay_ms=5, hang_after_frames=3)
    samples: list[float] = []
    for number in range(runs):
        prompt = f"left alone, number {number}."
        until_idle(gateway)
        left = Client(gateway.url).leave_after_first_delta(prompt)
        samples.append(_aborted_at(simulator, prompt) - left)
    simulator.reset()
    return [figure_of("client gone → upstream aborted", samples, "ms", f"{runs} calls", budget=ABORT_BUDGET)]


def _aborted_at(simulator: Simulator, prompt: str) -> float:
    aborted_at: float = wait_until(lambda: simulator.turn(prompt)["aborted_at"], "the abort")
    return aborted_at


def _overhead_figures(calls: Calls) -> list[Figure]:
    runs = f"{len(calls.gateway)} calls, one tab"
    call = figure_of("call → first delta", calls.gateway, "ms", runs)
    page = figure_of("the page's own time", calls.page, "ms", f"{len(calls.page)} prompts, no gateway")
    return [
        Figure(
            name="call → first delta, added to the page's own time",
            value=call.value - page.value,
            unit="ms",
            runs="difference of the two p50 below",
            budget=OVERHEAD_BUDGET,
        ),
        call,
        page,
        figure_of("of a call: until the upstream has the page's request", calls.driven, "ms", runs),
        figure_of("of a call: from the upstream's first byte to the client", calls.returned, "ms", runs),
    ]


def _time_call(gateway: Gateway, simulator: Simulator, client: Client, prompt: str, times: Calls) -> None:
    until_idle(gateway)
    sent, read = client.first_delta(prompt)
    turn = simulator.turn(prompt)
    times.gateway.append(read - sent)
    times.driven.append(turn["received_at"] - sent)
    times.returned.append(read - turn["first_byte_at"])


@asynccontextmanager
async def _bare_page(simulator: Simulator) -> AsyncGenerator[Callable[[str], Awaitable[float]]]:
    """Open the same page in a browser launched alike, but led straight to the simulator; yields what times a prompt."""
    settings = StudioSettings(
        profile=simulator.storage_state, reroute=f"127.0.0.1:{simulator.port}", reroute_ca=simulator.ca
    )
    launch = prepare_launch(settings)
    apply_reroute(launch, settings)
    async with (
        running_driver(settings) as driver,
        open_browser(driver, launch, read_profile(settings.profile), settings) as session,
    ):
        await session.context.add_init_script(_STOPWATCH)
        page = await session.context.new_page()
        chat = ChatPage(page, load_selectors(), settings)

        async def time_prompt(text: str) -> float:
            await chat.open_new_chat()
            await asyncio.sleep(SETTLE_S)
            await chat.type_prompt(text)
            await page.keyboard.press("ControlOrMeta+Enter")
            async with asyncio.timeout(WAIT_S):
                return float(await page.evaluate("window.benchAnswered")) / _MS

        yield time_prompt
