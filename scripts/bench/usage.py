"""What a running gateway costs: CPU per streamed chunk, memory after the start and after many requests, the start."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from scripts.bench import processes
from scripts.bench.client import Client
from scripts.bench.figures import Budget, Figure, figure_of
from scripts.bench.waiting import until_idle
from tests.e2e.house import Gateway, Simulator, running_gateway, wait_until

CPU_BUDGET = Budget(limit=100)
MEMORY_BUDGET = Budget(limit=150)
START_BUDGET = Budget(limit=5)
CHUNK_DELAY_MS = 5
IDLE_S = 5.0
_SHORT = 10
"""Chunks of the answers that only tell what an answer costs without its chunks."""


def measure_cpu(gateway: Gateway, simulator: Simulator, *, answers: int, chunks: int) -> list[Figure]:
    """Compare answers of many chunks with as many of few: what is left is what a chunk costs."""
    process = psutil.Process(gateway.process.pid)
    before = processes.cpu_s(process)
    time.sleep(IDLE_S)
    idle = (processes.cpu_s(process) - before) / IDLE_S
    _cpu_of(gateway, simulator, answers=1, chunks=_SHORT)
    few = _cpu_of(gateway, simulator, answers=answers, chunks=_SHORT, idle=idle)
    many = _cpu_of(gateway, simulator, answers=answers, chunks=_SHORT + chunks, idle=idle)
    total = answers * chunks
    per_chunk = (many - few) / total
    runs = f"{total} chunks in {answers} answers, one every {CHUNK_DELAY_MS} ms"
    return [
        Figure(name="gateway CPU per streamed chunk", value=per_chunk * 1e6, unit="µs", runs=runs, budget=CPU_BUDGET),
        Figure(
            name="gateway CPU per answer without its chunks (typing, a fresh chat through the proxy)",
            value=(few / answers - _SHORT * per_chunk) * 1e3,
            unit="ms",
            runs=f"{answers} answers",
        ),
        Figure(name="gateway CPU while idle", value=idle * 100, unit="% of a core", runs=f"{IDLE_S:g} s"),
    ]


def _cpu_of(gateway: Gateway, simulator: Simulator, *, answers: int, chunks: int, idle: float = 0.0) -> float:
    """Return the CPU seconds of some answers, each from the call until its tab is ready again."""
    simulator.reset()
    simulator.play(text=[f"word {number} " for number in range(chunks)], chunk_delay_ms=CHUNK_DELAY_MS)
    process, client = psutil.Process(gateway.process.pid), Client(gateway.url)
    used = 0.0
    for number in range(answers):
        until_idle(gateway)
        start, before = time.perf_counter(), processes.cpu_s(process)
        read = sum(1 for _ in client.stream(f"count, answer {number}"))
        if read != chunks:
            raise RuntimeError(f"{read} chunks came, not {chunks}")
        # Fixed, since asking for its health would cost the gateway something too.
        time.sleep(1.0)
        used += processes.cpu_s(process) - before - idle * (time.perf_counter() - start)
    client.close()
    return used


def measure_memory(gateway: Gateway, simulator: Simulator, *, soak: int) -> list[Figure]:
    """Measure after the start, then after a third of `soak` requests and after all, with every tab at work."""
    simulator.reset()
    simulator.play(text=["Short", " and", " sweet."], chunk_delay_ms=0)
    process = psutil.Process(gateway.process.pid)
    until_idle(gateway)
    at_start = processes.resident_mb(process)
    children = gateway.children()
    browser = processes.proportional_mb(processes.browser_processes(children))
    driver = processes.proportional_mb(processes.driver_processes(children))
    slots = int(gateway.health()["queue"]["slots"])
    third = max(slots, soak // 3)
    _ask_many(gateway, simulator, requests=third, at_once=slots)
    early = processes.resident_mb(process)
    _ask_many(gateway, simulator, requests=soak - third, at_once=slots)
    late = processes.resident_mb(process)
    after = processes.proportional_mb(processes.browser_processes(gateway.children()))
    simulator.reset()
    grown = (late - early) / max(1, soak - third) * 1000
    return [
        Figure(
            name="gateway memory, ready", value=at_start, unit="MB", runs="resident, no request", budget=MEMORY_BUDGET
        ),
        Figure(
            name=f"gateway memory after {soak} requests",
            value=late,
            unit="MB",
            runs=f"resident, {slots} at a time",
            budget=MEMORY_BUDGET,
        ),
        Figure(name="gateway memory, growth per request", value=grown, unit="kB", runs=f"requests {third} to {soak}"),
        Figure(
            name=f"Chromium's memory with {slots} tabs, ready", value=browser, unit="MB", runs="PSS of all processes"
        ),
        Figure(name=f"Chromium's memory after {soak} requests", value=after, unit="MB", runs="PSS of all processes"),
        Figure(name="Playwright's driver, ready", value=driver, unit="MB", runs="PSS"),
    ]


def _ask_many(gateway: Gateway, simulator: Simulator, *, requests: int, at_once: int) -> None:
    def ask(first: int) -> None:
        client = Client(gateway.url)
        for number in range(first, requests, at_once):
            client.call(f"soak, request {number}")
        client.close()

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(ask, range(at_once)))
    simulator.http.delete("/__sim/log").raise_for_status()
    until_idle(gateway)


def measure_start(config: Path, *, runs: int) -> list[Figure]:
    """Start gateways with the default number of tabs until the first tab is ready."""
    samples: list[float] = []
    for _ in range(runs):
        start = time.perf_counter()
        with running_gateway(config, ready=False) as gateway:
            wait_until(gateway.tabs_ready, "the first tab")
            samples.append(time.perf_counter() - start)
    return [figure_of("start → first tab ready", samples, "s", f"{runs} starts", budget=START_BUDGET)]
