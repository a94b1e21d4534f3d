"""How far an answer that is read from the page lags behind the page: dom_scrape's first delta and end."""

import time
from contextlib import closing

from scripts.bench.client import Client
from scripts.bench.figures import Figure, figure_of
from scripts.bench.waiting import until_idle
from tests.e2e.house import Gateway, Simulator

_PIECES = [f"Piece {number}, " for number in range(20)]
_PAUSE_MS = 40


def measure_page_lag(gateway: Gateway, simulator: Simulator, *, runs: int) -> list[Figure]:
    """Stream answers from the page and compare the client's clock with the simulator's, the same machine's."""
    simulator.reset()
    simulator.play(text=_PIECES, chunk_delay_ms=_PAUSE_MS)
    driven: list[float] = []
    first: list[float] = []
    last: list[float] = []
    with closing(Client(gateway.url)) as client:
        # The first fills caches.
        for number in range(runs + 1):
            until_idle(gateway)
            prompt = f"page lag number {number}."
            sent, read = client.first_delta(prompt)
            ended = time.time()
            turn = simulator.turn(prompt)
            if number:
                driven.append(turn["received_at"] - sent)
                first.append(read - turn["first_byte_at"])
                last.append(ended - turn["finished_at"])
    many = f"{runs} streamed answers of {len(_PIECES)} pieces, {_PAUSE_MS} ms apart, one tab"
    return [
        figure_of("dom_scrape: first delta behind the upstream's first byte", first, "ms", many),
        figure_of("dom_scrape: end behind the upstream's end", last, "ms", many),
        figure_of("dom_scrape: until the upstream has the page's request", driven, "ms", many),
    ]
