"""helper_backend with `protocol = "openai"`: calls a second and their CPU, beside the same service asked directly."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import aiohttp
import attrs
import psutil

from scripts.bench import processes
from scripts.bench.client import Client
from scripts.bench.figures import Budget, Figure, figure_of, percentile

ROOT = Path(__file__).resolve().parents[2]
CPU_BUDGET = Budget(limit=0.8)
AT_ONCE = 8
"""As many as the gateway runs at a time."""
_WARM = 50
"""Calls before those that count."""
_PROMPT = "Answer in three words."


@attrs.frozen
class Process:
    """A process that serves."""

    url: str
    pid: int


@attrs.define
class Samples:
    """What was measured of one way to an answer, a value for each round but for `calls_s`."""

    cpu_ms: list[float] = attrs.field(factory=list[float])
    """Per call, one at a time."""
    busy_cpu_ms: list[float] = attrs.field(factory=list[float])
    """Per call, `AT_ONCE` at a time."""
    per_second: list[float] = attrs.field(factory=list[float])
    """Calls, `AT_ONCE` at a time."""
    calls_s: list[float] = attrs.field(factory=list[float])
    """Each call's time, one at a time."""


def measure_helper(*, calls: int, rounds: int) -> list[Figure]:
    """Ask through a gateway and directly in turn, so that both see the same machine; the middle of the rounds counts.

    :param calls: of each round, one after the other, and again as many `AT_ONCE` at a time.
    """
    asking, knowing, direct = Samples(), Samples(), Samples()
    with (
        _running("scripts.bench.service") as service,
        _running("scripts.bench.helper_gateway", f"{service.url}/v1") as asks,
        _running("scripts.bench.helper_gateway") as knows,
    ):
        for _ in range(rounds):
            _measure(asks, asking, calls)
            _measure(knows, knowing, calls)
            _measure(service, direct, calls)
            direct.cpu_ms[-1] = asyncio.run(_direct_cpu(service.url, calls)) * 1e3
    one, many = f"{rounds} rounds of {calls}, one at a time", f"{rounds} rounds of {calls}, {AT_ONCE} at a time"
    busy = _middle("helper_backend: gateway CPU per call", asking.busy_cpu_ms, "ms", many)
    return [
        attrs.evolve(busy, budget=CPU_BUDGET),
        _middle("of it: a backend that asks nobody", knowing.busy_cpu_ms, "ms", many),
        _middle("helper_backend: gateway CPU per call, between pauses", asking.cpu_ms, "ms", one),
        _middle("of it: a backend that asks nobody", knowing.cpu_ms, "ms", one),
        _middle("CPU of a direct call (aiohttp alone)", direct.cpu_ms, "ms", one),
        _middle("helper_backend: calls a second", asking.per_second, "/s", many),
        _middle("direct calls a second", direct.per_second, "/s", many),
        figure_of("helper_backend: call", asking.calls_s, "ms", one),
        figure_of("direct call", direct.calls_s, "ms", one),
    ]


def _middle(name: str, samples: list[float], unit: str, runs: str) -> Figure:
    return Figure(name=name, value=percentile(samples, 0.5), unit=unit, runs=runs)


@contextmanager
def _running(module: str, *arguments: str) -> Generator[Process]:
    command = [sys.executable, "-m", module, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        try:
            yield Process(process.stdout.readline().strip() if process.stdout else "", process.pid)
        finally:
            process.terminate()


def _measure(process: Process, samples: Samples, calls: int) -> None:
    """Measure a round."""
    running = psutil.Process(process.pid)
    with closing(Client(process.url)) as client:
        for _ in range(_WARM):
            client.call(_PROMPT)
        before = processes.cpu_s(running)
        samples.calls_s += [_timed(client) for _ in range(calls)]
        samples.cpu_ms.append((processes.cpu_s(running) - before) / calls * 1e3)
    before, start = processes.cpu_s(running), time.perf_counter()
    _at_once(process.url, calls)
    samples.per_second.append(calls / (time.perf_counter() - start))
    samples.busy_cpu_ms.append((processes.cpu_s(running) - before) / calls * 1e3)


def _timed(client: Client) -> float:
    start = time.perf_counter()
    client.call(_PROMPT)
    return time.perf_counter() - start


def _at_once(url: str, calls: int) -> None:
    def ask(number: int) -> None:
        with closing(Client(url)) as client:
            for _ in range(number, calls, AT_ONCE):
                client.call(_PROMPT)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(ask, range(AT_ONCE)))


async def _direct_cpu(url: str, calls: int) -> float:
    """Return the CPU seconds that a process needs to ask the service itself."""
    body = {"model": "m", "messages": [{"role": "user", "content": _PROMPT}]}
    before = 0.0
    async with aiohttp.ClientSession() as session:
        for number in range(_WARM + calls):
            if number == _WARM:
                before = time.process_time()
            async with session.post(f"{url}/v1/chat/completions", json=body) as answer:
                await answer.json()
    return (time.process_time() - before) / calls
