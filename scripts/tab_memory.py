"""Measure what a tab more costs in memory, with the simulator's page: `python -m scripts.tab_memory`, about a minute.

For each number of tabs a gateway is started, asked ten times a tab with prompts of 20 kB, all tabs at once, and looked
at when every tab is ready again. Prints the table of docs/operating.md.
"""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from scripts.bench.client import Client
from scripts.bench.processes import browser_processes, driver_processes, proportional_mb, resident_mb
from scripts.bench.waiting import until_idle
from tests.e2e.house import Gateway, Simulator, running_gateway, running_simulator, write_config

TABS = (1, 2, 4)
REQUESTS = 10
"""To each tab."""
PROMPT = "Lorem ipsum dolor sit amet. " * 715


def main() -> None:
    """Measure every number of tabs and print a row for each."""
    print("| tabs | gateway | Playwright's driver | Chromium, ready | Chromium after 10 requests a tab |")
    print("|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder, running_simulator(Path(folder)) as simulator:
        for tabs in TABS:
            figures = (f"{megabytes:.0f} MB" for megabytes in _measured(Path(folder), simulator, tabs))
            print(f"| {tabs} | {' | '.join(figures)} |")


def _measured(folder: Path, simulator: Simulator, tabs: int) -> Iterator[float]:
    with running_gateway(write_config(folder, simulator, {"studio": {"tabs": tabs}})) as gateway:
        until_idle(gateway)
        ready = proportional_mb(browser_processes(gateway.children()))
        with ThreadPoolExecutor(tabs) as pool:
            list(pool.map(_ask, [gateway] * tabs))
        until_idle(gateway)
        children = gateway.children()
        yield resident_mb(psutil.Process(gateway.process.pid))
        yield proportional_mb(driver_processes(children))
        yield ready
        yield proportional_mb(browser_processes(children))


def _ask(gateway: Gateway) -> None:
    client = Client(gateway.url)
    for _ in range(REQUESTS):
        client.call(PROMPT)
    client.close()


if __name__ == "__main__":
    main()
