"""The processes that a test has brought about, among those that others share."""

from collections.abc import Callable

import psutil

_others: set[psutil.Process] = set()
"""What other tests share and runs below this process too: simulators, gateways, browsers."""


def start_anew() -> None:
    """Count what runs now as nobody's."""
    _others.clear()
    _others.update(psutil.Process().children(recursive=True))


def descendants(name: Callable[[str], bool] = lambda _: True) -> list[psutil.Process]:
    """Return the living processes below this one that the test has brought about."""
    found: list[psutil.Process] = []
    for child in psutil.Process().children():
        try:
            if child not in _others:
                found += [child, *child.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
    return [process for process in found if _is_alive(process) and name(process.name())]


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def browsers() -> list[psutil.Process]:
    """Return the main processes of running browsers."""
    return [p for p in descendants(lambda name: "chrom" in name) if not any("--type=" in a for a in p.cmdline())]
