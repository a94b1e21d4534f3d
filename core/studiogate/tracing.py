"""Traces: a span for each exchange, and below it one for each stage and attempt, for those who collect them.

    chat ─┬─ resolve_attachments
          ├─ map_tools
          ├─ queue
          ├─ attempt ── first_event      one for each backend tried
          └─ tool_call                   one for each call that the gateway runs

What stands here costs nothing and imports nothing: `studiogate.otel` makes real spans, where the environment says where
they go. A span says how things went and never what was said: no prompt, no answer, no reason in an upstream's words.
"""

import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""The environment variables that say where traces go."""

type Said = str | int | float | bool


class Span:
    """Be part of a trace that nobody collects."""

    @property
    def headers(self) -> dict[str, str]:
        """Return the W3C headers by which whoever is asked now goes on with this trace; none while there is none."""
        return {}

    def child(self, name: str, **said: Said) -> "Span":
        """Begin a span below this one."""
        del name, said
        return self

    def say(self, **said: Said) -> None:
        """Add to what the span says."""

    def fail(self, why: str) -> None:
        """Mark what the span tells of as failed.

        :param why: one word of the gateway's own, such as an error's type.
        """

    def end(self) -> None:
        """End the span; once more does nothing."""


class Tracing:
    """Begin traces that nobody collects."""

    def begin(self, name: str, headers: Mapping[str, str], **said: Said) -> Span:
        """Begin a span that goes on with its client's trace, if the client has one.

        :param headers: the request's, by lower-case names.
        """
        del name, headers, said
        return Span()

    def close(self) -> None:
        """Hand over what has not been collected yet. May take seconds, and isn't for the loop's thread."""


@contextmanager
def stage(above: Span, name: str) -> Generator[Span]:
    """Tell of what is done here in a span below another."""
    span = above.child(name)
    try:
        yield span
    except BaseException as error:
        span.fail(type(error).__name__)
        raise
    finally:
        span.end()


def tracing_from(environ: Mapping[str, str]) -> Tracing:
    """Return what collects traces, if an environment names an endpoint for them.

    :param environ: the process's variables.
    """
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    asked = next((name for name in ENDPOINTS if environ.get(name)), None)
    if off or asked is None:
        return Tracing()
    try:
        from studiogate.otel import collected  # noqa: PLC0415 - an extra, and slow to import
    except ModuleNotFoundError:
        log.warning("%s is set, but traces need the extra: pip install 'studiogate[otel]'", asked)
        return Tracing()
    return collected(environ)
