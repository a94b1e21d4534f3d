"""Real spans, by OpenTelemetry. Needs the extra `otel`; imported only where the environment asks for traces.

Nothing global is set: each gateway has a provider of its own, and spans are passed on by hand, since an answer's
generators run in whichever context reads them.
"""

from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from studiogate.tracing import Said, Span, Tracing

NAME = "studiogate"
_PROPAGATOR = TraceContextTextMapPropagator()


class OtelSpan(Span):
    """A span that is collected. What it says is prefixed with `studiogate.`."""

    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        self._tracer = tracer
        self._span = span
        self._over = False

    @property
    def headers(self) -> dict[str, str]:
        """Return `traceparent`, and `tracestate` where there is one."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, context=self._context)
        return carrier

    @property
    def _context(self) -> Context:
        return trace.set_span_in_context(self._span, Context())

    def child(self, name: str, **said: Said) -> Span:
        """Begin a span below this one."""
        made = OtelSpan(self._tracer, self._tracer.start_span(name, context=self._context))
        made.say(**said)
        return made

    def say(self, **said: Said) -> None:
        """Add attributes."""
        self._span.set_attributes({f"{NAME}.{name}": value for name, value in said.items()})

    def fail(self, why: str) -> None:
        """Set the status."""
        self._span.set_status(trace.Status(trace.StatusCode.ERROR, why))

    def end(self) -> None:
        """End it, if it hasn't ended."""
        if not self._over:
            self._over = True
            self._span.end()


class OtelTracing(Tracing):
    """Begin spans that a provider collects."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(NAME)

    def begin(self, name: str, headers: Mapping[str, str], **said: Said) -> Span:
        """Begin a span that goes on with the trace of `traceparent`, if there is one."""
        context = _PROPAGATOR.extract(headers, context=Context())
        made = OtelSpan(self._tracer, self._tracer.start_span(name, context=context, kind=trace.SpanKind.SERVER))
        made.say(**said)
        return made

    def close(self) -> None:
        """Hand over what is left; an endpoint that doesn't answer is waited for as long as the environment says."""
        self._provider.shutdown()


def collected(environ: Mapping[str, str]) -> Tracing:
    """Return what sends spans to the endpoint that the environment names, over HTTP, from a thread of its own.

    Endpoint, headers, sampler, limits and the rest are read by OpenTelemetry itself (`OTEL_*`).
    """
    named = environ.get("OTEL_SERVICE_NAME") or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    provider = TracerProvider(resource=Resource.create(None if named else {SERVICE_NAME: NAME}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return OtelTracing(provider)
