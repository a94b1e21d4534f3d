"""The log of the command line: what is written, in which form, and what never is.

Every record goes the same way, whether structlog's or the standard library's: one line for a person where standard
error is a terminal, one JSON object a line where it isn't. Only commands configure it; who embeds the gateway keeps a
log of their own.

No prompt, answer, cookie or key belongs in it, at any level. Our own lines hold none. Of an exception only kind and
place are written (`studiogate.crash`), whoever reports it: a plugin, a library, asyncio, the interpreter. What a
library quotes of the bytes that pass it is cut out of its lines.
"""

import asyncio
import functools
import importlib.metadata
import logging
import os
import re
import sys
import threading
from collections.abc import Coroutine
from typing import Any, TextIO, cast

import structlog
from structlog.dev import plain_traceback
from structlog.typing import EventDict, Processor

from studiogate.crash import crash_report
from studiogate.plugins import ENTRY_POINTS

TRACED = ("asyncio", "granian", "litestar", "mitmproxy")
"""Libraries that `trace` lets speak. Others, HTTP/2's header coder among them, would write down what they carry."""

_log = logging.getLogger(__name__)


def configure(stream: TextIO | None = None) -> None:
    """Send every record of this process to a stream, standard error when None, at the level `info`."""
    out: TextIO = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter(human=out.isatty(), colours=out.isatty() and not os.environ.get("NO_COLOR")))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *_everybody(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    sys.excepthook = _uncaught
    sys.unraisablehook = _unraisable
    threading.excepthook = _uncaught_in_thread
    set_level("info")


def set_level(level: str) -> None:
    """Let the gateway and its plugins say what is at least of a level, one of `LOG_LEVELS`; libraries only warn."""
    known = {"trace": "DEBUG"}.get(level, level.upper())
    logging.getLogger().setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[known]))
    for package in _packages():
        logging.getLogger(package).setLevel(known)
    for library in TRACED:
        logging.getLogger(library).setLevel(logging.DEBUG if level == "trace" else logging.NOTSET)


def run[T](work: Coroutine[Any, Any, T], *, level: str) -> T:
    """Run a command's work in a loop of its own, with a log of that level."""
    set_level(level)
    with asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(on_loop_error)
        return runner.run(work)


def formatter(*, human: bool, colours: bool = False) -> logging.Formatter:
    """Make what turns any record into its line, for a person or as JSON."""
    rendered: list[Processor] = (
        [
            _printable,
            structlog.dev.ConsoleRenderer(
                colors=colours, pad_event_to=0, sort_keys=False, exception_formatter=plain_traceback
            ),
        ]
        if human
        else [_in_order, structlog.processors.JSONRenderer()]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_with_fields, _without_bytes, *_everybody()],
        processors=[
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S" if human else "iso", utc=not human),
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *rendered,
        ],
    )


def on_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error that nobody awaited; asyncio's own way would show the reprs of task, arguments and exception."""
    task = context.get("task") or context.get("future")
    whose = f" ({task.get_name()})" if isinstance(task, asyncio.Task) else ""
    # What follows the bracket are arguments.
    said = str(context.get("message", "")).partition("(")[0].strip()
    logging.getLogger("asyncio").error("%s%s", said, whose, exc_info=context.get("exception"))


def _everybody() -> list[Processor]:
    """Return the processors that records of both kinds pass."""
    return [structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, _without_message]


def _with_fields(_: Any, __: str, event: EventDict) -> EventDict:
    """Take the fields of a record that has some (`extra={"event": ..., "fields": ...}`) for the text made of them."""
    record: logging.LogRecord = event["_record"]
    fields: object = getattr(record, "fields", None)
    if isinstance(fields, dict):
        event["event"] = getattr(record, "event", event["event"])
        event.update(cast("dict[str, Any]", fields))
    return event


_BYTES = re.compile(r"""b'(?:[^'\\]|\\.)*'|b"(?:[^"\\]|\\.)*"|\b(?:[0-9a-f]{2}){32,}\b""")
"""A repr of bytes, or 32 and more of them as hexadecimal digits."""


def _without_bytes(_: Any, __: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    if record.name.partition(".")[0] not in _packages():
        event["event"] = _BYTES.sub("<bytes>", str(event["event"]))
    return event


def _without_message(_: Any, __: str, event: EventDict) -> EventDict:
    error: BaseException | None = None
    match event.pop("exc_info", None):
        case BaseException() as given:
            error = given
        case (_, BaseException() as given, _):
            error = given
        case True:
            error = sys.exception()
        case _:
            pass
    if error is not None:
        event["exception"] = crash_report(error)
    return event


def _printable(_: Any, __: str, event: EventDict) -> EventDict:
    """Keep others' words from steering the terminal."""
    return {key: _shown(value) if isinstance(value, str) else value for key, value in event.items()}


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() or char in "\n\t" else "?" for char in text)


def _in_order(_: Any, __: str, event: EventDict) -> EventDict:
    first = ("timestamp", "level", "logger", "event")
    return {**{key: event.pop(key) for key in first if key in event}, **event}


@functools.cache
def _packages() -> frozenset[str]:
    """Return the top packages of the gateway and of every installed plugin."""
    points = importlib.metadata.entry_points(group=ENTRY_POINTS)
    return frozenset(("studiogate", *(point.module.partition(".")[0] for point in points)))


def _uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        _log.critical("the gateway crashed", exc_info=error)


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is not SystemExit:
        _log.error("a thread ended with an error", exc_info=args.exc_value)


def _unraisable(args: Any) -> None:
    _log.error("an error could not be raised where it came up", exc_info=args.exc_value)
