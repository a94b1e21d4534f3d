"""Memory over a run of many requests: readings on the way, and whether it still grows at the end."""

import statistics
from collections.abc import Callable, Sequence
from contextlib import suppress

import attrs
import psutil

from scripts.bench.processes import browser_processes, driver_processes, proportional_mb, resident_mb
from tests.e2e.house import Gateway

_KB_PER_MB = 1000


@attrs.frozen(kw_only=True)
class Reading:
    """What is used after some requests, in MB."""

    requests: int
    """How many have ended."""
    gateway: float
    """Resident."""
    driver: float
    """Playwright's driver: its proportional set. 0 while there is none."""
    chromium: float
    """The proportional sets of all its processes. 0 while there is none."""


def read(gateway: Gateway, requests: int) -> Reading:
    """Look at a gateway's processes; those of a browser that ends meanwhile don't count."""
    children = gateway.children()
    return Reading(
        requests=requests,
        gateway=resident_mb(psutil.Process(gateway.process.pid)),
        driver=_living_mb(children, driver_processes),
        chromium=_living_mb(children, browser_processes),
    )


def _living_mb(
    children: Sequence[psutil.Process], chosen: Callable[[list[psutil.Process]], list[psutil.Process]]
) -> float:
    total = 0.0
    for child in children:
        with suppress(psutil.NoSuchProcess):
            total += proportional_mb(chosen([child]))
    return total


def slope_kb(readings: Sequence[Reading]) -> float:
    """Return by how many kB a request makes the gateway grow over the last half of a run: least squares."""
    half = readings[-1].requests / 2
    late = [reading for reading in readings if reading.requests >= half]
    if len(late) < 2:  # noqa: PLR2004 - a line needs two points
        return 0.0
    fit = statistics.linear_regression([each.requests for each in late], [each.gateway for each in late])
    return fit.slope * _KB_PER_MB


def growth_table(readings: Sequence[Reading], shares: Sequence[float]) -> str:
    """Return the readings at the start and after these shares of the requests, in Markdown."""
    last = readings[-1].requests
    shown = [readings[0]]
    shown += [next(each for each in readings if each.requests >= round(share * last)) for share in shares]
    rows = [
        ["MB after so many requests", *(str(each.requests) for each in shown)],
        ["---", *("---:" for _ in shown)],
        ["gateway", *(f"{each.gateway:.1f}" for each in shown)],
        ["Playwright's driver", *(f"{each.driver:.0f}" for each in shown)],
        ["Chromium", *(f"{each.chromium:.0f}" for each in shown)],
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
