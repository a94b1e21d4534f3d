"""Hears what is logged."""

import logging
from collections.abc import Generator
from contextlib import contextmanager


class _Ear(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.INFO)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        self._heard.append(f"{record.name}: {record.getMessage()}{record.exc_text or ''}")


@contextmanager
def listening() -> Generator[list[str]]:
    """Collect what is logged from `info` on, until the context is left."""
    heard: list[str] = []
    root, ear = logging.getLogger(), _Ear(heard)
    level = root.level
    root.addHandler(ear)
    root.setLevel(min(level or logging.INFO, logging.INFO))
    try:
        yield heard
    finally:
        root.removeHandler(ear)
        root.setLevel(level)
