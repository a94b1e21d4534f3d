"""What a process holds open: so that a test can tell what a plugin has left behind."""

import asyncio
import gc
import os
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import attrs

_DESCRIPTORS = Path("/proc/self/fd")


@attrs.frozen
class Holdings:
    """Name what is held at one moment."""

    tasks: frozenset["asyncio.Task[object]"]
    descriptors: dict[str, int]
    """How many of each kind, such as `socket`; empty where the system doesn't tell."""

    def more_than(self, before: "Holdings") -> list[str]:
        """Return what is held that wasn't before, in words."""
        tasks = [f"a task of {_what(task)}" for task in self.tasks - before.tasks if not task.done()]
        kinds = {
            kind: more
            for kind, count in self.descriptors.items()
            if (more := count - before.descriptors.get(kind, 0)) > 0
        }
        return [*sorted(tasks), *(f"{more} of {kind}" for kind, more in sorted(kinds.items()))]


def _what(task: "asyncio.Task[object]") -> str:
    return getattr(task.get_coro(), "__qualname__", task.get_name())


def holdings() -> Holdings:
    """Look at what is held now, but for what only awaits to be collected."""
    gc.collect()
    kinds: dict[str, int] = {}
    for kind in _kinds():
        kinds[kind] = kinds.get(kind, 0) + 1
    return Holdings(frozenset(asyncio.all_tasks()), kinds)


def _kinds() -> Generator[str]:
    if not _DESCRIPTORS.is_dir():
        return
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - paths of files that may be gone at once
        try:
            target = os.readlink(_DESCRIPTORS / name)  # noqa: PTH115
        except OSError:
            continue
        # `socket:[4711]`, `anon_inode:[eventpoll]`, or a file's path.
        yield f"open file {Path(target).name}" if target.startswith("/") else target.partition(":")[0]


@contextmanager
def unclosed() -> Generator[list[str]]:
    """Collect what Python says was never closed, until the context is left; it says so of what is collected in it."""
    found: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        yield found
    for warning in caught:
        if issubclass(warning.category, ResourceWarning):
            found.append(str(warning.message))
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
