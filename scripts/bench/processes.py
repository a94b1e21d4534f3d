"""What running processes use: CPU time to the nanosecond, memory, and what kind of process each is."""

from pathlib import Path

import psutil

MB = 1e6


def cpu_s(process: psutil.Process) -> float:
    """Return the CPU time of a process's running threads in seconds; children don't count.

    Linux tells it in nanoseconds per thread; where that can't be had it is the usual hundredths of a second.
    """
    try:
        threads = list(Path(f"/proc/{process.pid}/task").iterdir())
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
    except OSError:
        times = process.cpu_times()
        return times.user + times.system


def resident_mb(process: psutil.Process) -> float:
    """Return a process's resident memory."""
    return float(process.memory_info().rss) / MB


def proportional_mb(processes: list[psutil.Process]) -> float:
    """Return the memory of some processes, in which what several share counts once (PSS)."""
    return sum(float(process.memory_full_info().pss) for process in processes) / MB


def browser_processes(children: list[psutil.Process]) -> list[psutil.Process]:
    """Return those of a gateway's children that are Chromium's."""
    return [child for child in children if "chrom" in child.name()]


def driver_processes(children: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that are Playwright's driver."""
    return [child for child in children if "node" in child.name()]
