"""How soon a cancelled request is stopped upstream, and how soon who waits has its slot."""

from concurrent.futures import ThreadPoolExecutor

import attrs

from scripts.bench.client import Client
from scripts.bench.figures import Budget, Figure, figure_of
from scripts.bench.waiting import until_idle
from tests.e2e.house import Gateway, Simulator, wait_until

ABORT_BUDGET = Budget(limit=20)
SLOT_BUDGET = Budget(limit=1000)


@attrs.frozen
class Cancel:
    """Hold what one cancel took, in seconds from just before it was sent."""

    aborted: float
    """Until the simulator saw its stream reset."""
    freed: float
    """Until the request that waited had its slot."""


def measure_cancel(gateway: Gateway, simulator: Simulator, *, runs: int) -> list[Figure]:
    """Cancel answers in their middle while another request waits for the one tab there is."""
    simulator.reset()
    simulator.play(text=["Wait", " for", " it"], chunk_delay_ms=5, hang_after_frames=3)
    figures: list[Figure] = []
    for kind, stream in (("streamed", True), ("not streamed", False)):
        cancels = [_cancel(gateway, simulator, f"{kind}, number {number}", stream=stream) for number in range(runs)]
        aborted, freed = [each.aborted for each in cancels], [each.freed for each in cancels]
        measured = f"{runs} cancels"
        figures += [
            figure_of(f"cancel → upstream aborted, {kind}", aborted, "ms", measured, budget=ABORT_BUDGET),
            figure_of(f"cancel → slot of the next request, {kind}", freed, "ms", measured, budget=SLOT_BUDGET),
        ]
    simulator.reset()
    return figures


def _cancel(gateway: Gateway, simulator: Simulator, prompt: str, *, stream: bool) -> Cancel:
    until_idle(gateway)
    client, first, next_one = (Client(gateway.url) for _ in range(3))
    with ThreadPoolExecutor(2) as pool:
        pool.submit(first.read_all, f"cancelled, {prompt}", stream=stream)
        wait_until(lambda: _frames(simulator, f"cancelled, {prompt}") == 3, "the middle of the answer")  # noqa: PLR2004
        running = gateway.queue()["running"][0]["req_id"]
        pool.submit(next_one.read_all, f"waiting, {prompt}", stream=stream)
        waiting = wait_until(lambda: gateway.queue()["items"], "the next one to wait")[0]["req_id"]
        sent = client.cancel(running)
        aborted_at: float = wait_until(
            lambda: simulator.turn(f"cancelled, {prompt}")["aborted_at"], "the abort of the cancelled one"
        )
        admitted = wait_until(
            lambda: [each for each in gateway.queue()["running"] if each["req_id"] == waiting], "the next one's turn"
        )[0]
        client.cancel(waiting)
    for each in (client, first, next_one):
        each.close()
    return Cancel(aborted_at - sent, admitted["enqueue_time"] + admitted["wait_time_seconds"] - sent)


def _frames(simulator: Simulator, prompt: str) -> int:
    return sum(len(turn["frame_times"]) for turn in simulator.log() if prompt in turn["prompt"])
