"""What may be said of an exception nobody expected: its kind and where it came from, never its message.

A library's message may quote what it was given, and that may be a prompt or a key. Only the words of our own errors,
which hold neither, and the system's are shown.
"""

import logging
import traceback
from collections.abc import Iterator
from typing import cast

from studiogate.errors import StudiogateError

log = logging.getLogger(__name__)


def log_fault(whose: str, error: Exception) -> None:
    """Log an unexpected error by place and kind."""
    log.error("%s raised %s\n%s", whose, type(error).__name__, crash_report(error))


def crash_report(error: BaseException) -> str:
    """Return a traceback without messages: what led to the error first, the error itself last."""
    return "\n".join(_lines(error, set()))


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    led = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if led is not None and id(led) not in seen:
        yield from _lines(led, seen)
        yield "which led to"
    yield from "".join(traceback.format_tb(error.__traceback__)).splitlines()
    said = _words(error)
    yield f"{_name(type(error))}: {said}" if said else _name(type(error))
    if isinstance(error, BaseExceptionGroup):
        inner = cast("BaseExceptionGroup[BaseException]", error).exceptions
        for number, each in enumerate(inner, start=1):
            yield f"  {number} of {len(inner)}:"
            yield from (f"  {line}" for line in _lines(each, seen))


def _words(error: BaseException) -> str:
    match error:
        case StudiogateError():
            return str(error)
        case OSError():
            # Its own text would name the file, too.
            return error.strerror or ""
        case _:
            return ""


def _name(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
