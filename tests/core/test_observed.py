"""What metrics and traces tell of fifty requests, to the last count; and that neither tells what was said."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from studiogate.errors import Declined, InvalidRequest, Unavailable
from studiogate.events import Event, TextDelta, Usage
from studiogate.exchange import Exchange
from studiogate.otel import OtelTracing
from studiogate.tracing import Span, Tracing, tracing_from

from .backends import CHAT_PATH, STOP, Served, ask, asked, backend, living, read, says, serving, until
from .test_metrics import METRICS_PATH, Shown, samples

SECRET = "watch-secret-prompt"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def collecting() -> tuple[OtelTracing, InMemorySpanExporter]:
    """Make a tracing whose spans a test reads."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return OtelTracing(provider), exporter


def said(span: ReadableSpan, name: str) -> object:
    """Return an attribute of a span."""
    return (span.attributes or {}).get(f"studiogate.{name}")


async def first(exchange: Exchange) -> AsyncGenerator[Event]:
    """Do what the prompt says."""
    match exchange.request.messages[0].text.partition(" ")[0]:
        case "declined":
            raise Declined("not mine")
        case "unavailable":
            raise Unavailable("gone")
        case "fault":
            raise ValueError(SECRET)
        case "refused":
            raise InvalidRequest("no")
        case "broken":
            yield TextDelta(text="Hel")
            raise Unavailable("broke off")
        case "held":
            yield TextDelta(text="Hel")
            await asyncio.Event().wait()
        case _:
            yield TextDelta(text="Hello")
            yield STOP
            yield Usage(prompt=3, completion=2, reasoning=1)


SCRIPT = {"ok": 20, "declined": 6, "unavailable": 6, "fault": 4, "refused": 4, "broken": 2}
"""How often each is asked. Streams that are left, and what is no request, come after."""
LEFT = 4
WRONG = 4


async def play(served: Served) -> None:
    """Ask fifty times."""
    for word, times in SCRIPT.items():
        for number in range(times):
            await served.chat(messages=[{"role": "user", "content": f"{word} {SECRET}"}], stream=bool(number % 2))
    for _ in range(LEFT):
        before = len(served.gateway.queue.running)
        async with asked(served, messages=[{"role": "user", "content": f"held {SECRET}"}], stream=True):
            await until(lambda: len(served.gateway.queue.running) > before)  # noqa: B023 - awaited at once
        await until(lambda: not served.gateway.queue.running)
    for _ in range(WRONG):
        assert (await served.http.post(CHAT_PATH, json={"messages": SECRET})).status_code == 400


async def test_fifty_requests_are_told_to_the_last_count() -> None:
    """Answers, verdicts, faults, refusals, broken and left streams, and what was no request: all add up."""
    tracing, exporter = collecting()
    plugins = {"first": backend(first, "test-model"), "second": backend(says("Hi"))}
    async with serving(plugins, breaker_failures=1000) as served:
        served.gateway.tracing = tracing
        await play(served)

        def counted(found: Shown) -> float:
            return found.value("studiogate_requests_total", endpoint=f"POST {CHAT_PATH}")

        async def scraped() -> Shown:
            return Shown(samples((await served.http.get(METRICS_PATH)).text))

        found = await scraped()
        while counted(found) < 50:
            found = await scraped()
        text = (await served.http.get(METRICS_PATH)).text

    asked_in_all = sum(SCRIPT.values()) + LEFT
    assert (asked_in_all + WRONG, counted(found)) == (50, 50)
    outcomes = {
        ("first", "ok"): 20,
        ("first", "declined"): 6,
        ("first", "unavailable"): 6,
        ("first", "fault"): 4,
        ("first", "failed"): 4 + 2,
        ("first", "cancelled"): LEFT,
        ("second", "ok"): 12,
    }
    for (name, outcome), times in outcomes.items():
        assert found.value("studiogate_attempts_total", backend=name, outcome=outcome) == times, (name, outcome)
    assert found.value("studiogate_attempts_total") == sum(outcomes.values())
    assert found.value("studiogate_attempt_seconds_count") == sum(outcomes.values())
    assert found.value("studiogate_attempt_first_event_seconds_count") == 20 + 12 + 2 + LEFT
    errors = {"invalid_request_error": 4 + WRONG, "upstream_error": 4 + 2, "client_closed_request": LEFT}
    for kind, times in errors.items():
        assert found.value("studiogate_chat_errors_total", type=kind) == times, kind
    assert found.value("studiogate_requests_total", endpoint=f"POST {CHAT_PATH}", status="400") == 4 + WRONG
    assert found.value("studiogate_requests_total", endpoint=f"POST {CHAT_PATH}", status="499") == LEFT
    # Of two broken answers one was streamed: its status had gone out.
    assert found.value("studiogate_requests_total", endpoint=f"POST {CHAT_PATH}", status="502") == 4 + 1
    assert found.value("studiogate_queue_wait_seconds_count") == asked_in_all
    assert found.value("studiogate_tokens_total", kind="prompt", model="test-model", backend="first") == 60
    assert found.value("studiogate_plugin_faults_total", plugin="first") == 4
    assert found.value("studiogate_hook_calls_total", plugin="first", hook="fetch_response") == asked_in_all

    spans = exporter.get_finished_spans()
    names = Counter(span.name for span in spans)
    attempts = Counter((said(span, "backend"), said(span, "outcome")) for span in spans if span.name == "attempt")
    assert attempts == Counter(outcomes)
    assert names == {
        "chat": asked_in_all,
        "map_tools": asked_in_all,
        "queue": asked_in_all,
        "attempt": sum(outcomes.values()),
        "first_event": sum(outcomes.values()),
    }
    failed = Counter(span.status.description for span in spans if span.name == "chat" and not span.status.is_ok)
    assert failed == {"invalid_request_error": 4, "upstream_error": 6, "client_closed_request": LEFT}
    assert SECRET not in text
    assert SECRET not in "".join(span.to_json() for span in spans)


async def test_a_trace_goes_on_from_the_client_to_the_service() -> None:
    """The attempt is a child of the exchange, which is one of the client's span; a backend passes on the attempt's."""
    seen: list[dict[str, str]] = []

    async def asks(exchange: Exchange) -> AsyncGenerator[Event]:
        seen.append(exchange.trace_headers)
        yield STOP

    tracing, exporter = collecting()
    async with serving({"a": backend(asks)}) as served:
        served.gateway.tracing = tracing
        await served.http.post(
            CHAT_PATH, json={"messages": [{"role": "user", "content": "Hi"}]}, headers={"traceparent": PARENT}
        )
        await until(lambda: any(span.name == "chat" for span in exporter.get_finished_spans()))

    spans = {span.name: span for span in exporter.get_finished_spans()}
    chat, attempt = spans["chat"], spans["attempt"]
    assert chat.parent is not None
    assert chat.context is not None
    assert attempt.parent is not None
    assert attempt.context is not None
    assert f"{chat.context.trace_id:032x}-{chat.parent.span_id:016x}" in PARENT
    assert attempt.parent.span_id == chat.context.span_id
    assert seen == [{"traceparent": f"00-{attempt.context.trace_id:032x}-{attempt.context.span_id:016x}-01"}]
    assert said(chat, "request_id")


async def test_nobody_who_collects_no_traces_passes_any_on() -> None:
    """A client's trace ends here."""
    async with living({"a": backend(says("Hi"))}) as gateway:
        exchange = gateway.submit(ask(), headers={"traceparent": PARENT})
        await read(exchange)

    assert exchange.trace_headers == {}


def test_without_traces_nothing_of_opentelemetry_is_imported() -> None:
    """It is an extra, and takes its time."""
    code = (
        "import sys, studiogate.web.server; print([each for each in sys.modules if each.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_traces_are_off_unless_the_environment_names_an_endpoint(environ: dict[str, str]) -> None:
    """And doesn't switch them off again."""
    assert type(tracing_from(environ)) is Tracing
    assert type(tracing_from(environ).begin("chat", {})) is Span


def test_an_endpoint_in_the_environment_is_enough() -> None:
    """OpenTelemetry's own variables say the rest."""
    made = tracing_from({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})

    assert isinstance(made, OtelTracing)
    made.close()
