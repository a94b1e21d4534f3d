"""From the tap to a client's hands: when the proxy saw a chunk, and when another process had read its SSE line."""

import asyncio
import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from scripts.bench.client import label, labels
from scripts.bench.figures import Budget, Figure, figure_of
from scripts.bench.waiting import SETTLE_S
from studiogate.config import load_config
from studiogate.web.server import running_gateway
from studiogate_stream_intercept.stream import AnswerStream
from tests.e2e.house import START_S, Simulator

TAP_BUDGET = Budget(limit=0.5)
CHUNK_DELAY_MS = 20


async def measure_tap(config: Path, simulator: Simulator, *, answers: int, chunks: int) -> list[Figure]:
    """Run the gateway in this process, note what its tap sees, and read the answers in another process."""
    simulator.reset()
    simulator.play(text=[f"piece {label(number)} " for number in range(chunks)], chunk_delay_ms=CHUNK_DELAY_MS)
    samples: list[float] = []
    async with running_gateway(load_config(config)) as running:
        for number in range(answers):
            async with asyncio.timeout(START_S):
                while not running.gateway.ready:  # noqa: ASYNC110 - readiness is looked at, nobody announces it
                    await asyncio.sleep(0.05)
            await asyncio.sleep(SETTLE_S)
            with _noted() as seen_at:
                read_at = await _read_elsewhere(running.url, f"tap, answer {number}")
            samples += [read_at[each] - seen for each, seen in seen_at.items()]
    simulator.reset()
    if len(samples) != answers * chunks:
        raise RuntimeError(f"{len(samples)} pieces were seen at both ends, not {answers * chunks}")
    runs = f"{len(samples)} chunks, one every {CHUNK_DELAY_MS} ms"
    return [figure_of("tap → SSE line read by the client", samples, "ms", runs, budget=TAP_BUDGET)]


@contextmanager
def _noted() -> Generator[dict[int, float]]:
    """Note when the tap saw each label: the time it hands over with the chunk, which `arrived_at` shows later."""
    seen_at: dict[int, float] = {}
    original = AnswerStream.feed

    def feed(self: AnswerStream, chunk: bytes, at: float) -> bool:
        taken = original(self, chunk, at)
        # After the product's own work, whose time must not contain the bench's.
        for each in labels(chunk):
            seen_at.setdefault(each, at)
        return taken

    with patch.object(AnswerStream, "feed", feed):
        yield seen_at


async def _read_elsewhere(url: str, prompt: str) -> dict[int, float]:
    command = (sys.executable, "-m", "scripts.bench.client", url, prompt)
    reader = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed, _ = await reader.communicate()
    if reader.returncode != 0:
        raise RuntimeError(f"the reading process ended with {reader.returncode}")
    return {int(each): float(at) for each, at in json.loads(printed).items()}
