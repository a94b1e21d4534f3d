"""What a gateway counts as it goes: requests, attempts, tokens, attachments, tool calls, and how long they took.

One registry for each gateway. Nothing is counted while an answer streams: requests and exchanges are when they are
over, from what they remember of themselves.

Labels can only have values that the operator or the gateway's own code has given them. A model is named only if it is
listed; else it is `other`.
"""

from collections.abc import Iterator

import attrs
from prometheus_client import CollectorRegistry, Counter, Histogram, Metric

from studiogate.attachments import Attachment
from studiogate.exchange import Exchange

OTHER = "other"
"""What stands for all that has no name of its own."""
TYPES = ("application", "audio", "image", "text", "video")
"""The kinds of attachments that have one."""
_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)


class _Registry(CollectorRegistry):
    """Leave out when each series began: Prometheus doesn't need it, and it would be a third of the lines."""

    def collect(self) -> Iterator[Metric]:
        for family in super().collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family


@attrs.frozen(eq=False)
class Counts:
    """Count what one gateway does. Lives on the loop's thread only."""

    registry: CollectorRegistry = attrs.field(factory=_Registry)
    requests: Counter = attrs.field(init=False)
    errors: Counter = attrs.field(init=False)
    request_seconds: Histogram = attrs.field(init=False)
    first_token_seconds: Histogram = attrs.field(init=False)
    queue_wait_seconds: Histogram = attrs.field(init=False)
    attempts: Counter = attrs.field(init=False)
    first_event_seconds: Histogram = attrs.field(init=False)
    attempt_seconds: Histogram = attrs.field(init=False)
    tokens: Counter = attrs.field(init=False)
    attachments: Counter = attrs.field(init=False)
    attachment_bytes: Counter = attrs.field(init=False)
    tool_calls: Counter = attrs.field(init=False)
    tool_call_seconds: Histogram = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        for name, value in _made(self.registry).items():
            object.__setattr__(self, name, value)

    def request(self, endpoint: str, status: int) -> None:
        """Count an HTTP request that is over.

        :param endpoint: its method and the path of its route, such as `POST /v1/chat/completions`; never the path asked
            for.
        """
        self.requests.labels(endpoint, str(status)).inc()

    def chat(self, seconds: float, first_token_s: float | None, error: str | None) -> None:
        """Count what became of a chat request that is over.

        :param first_token_s: seconds from its arrival to the first text, thought or tool call; None if there was none.
        :param error: the type of what its client was told instead of a whole answer.
        """
        self.request_seconds.observe(seconds)
        if first_token_s is not None:
            self.first_token_seconds.observe(first_token_s)
        if error is not None:
            self.errors.labels(error).inc()

    def exchange(self, exchange: Exchange) -> None:
        """Count an exchange that is over."""
        if exchange.started_at is not None and exchange.waited_s is not None:
            self.queue_wait_seconds.observe(exchange.waited_s)
        for attempt in exchange.attempts:
            self.attempts.labels(attempt.backend, attempt.verdict).inc()
            if attempt.first_event is not None:
                self.first_event_seconds.labels(attempt.backend).observe(attempt.first_event - attempt.began)
            if attempt.ended is not None:
                self.attempt_seconds.labels(attempt.backend).observe(attempt.ended - attempt.began)
        for attachment in exchange.attachments:
            kind = _type(attachment)
            self.attachments.labels(kind).inc()
            self.attachment_bytes.labels(kind).inc(attachment.size)
        self._count_tokens(exchange)

    def tool_call(self, outcome: str, seconds: float) -> None:
        """Count a call of a tool that the gateway ran: `ok`, `error`, `timeout`, `fault` or `cancelled`."""
        self.tool_calls.labels(outcome).inc()
        self.tool_call_seconds.observe(seconds)

    def _count_tokens(self, exchange: Exchange) -> None:
        usage, asked = exchange.usage, exchange.model
        if usage is None:
            return
        backend = exchange.backend or OTHER
        model = asked.id if asked is not None and asked.listed else OTHER
        self.tokens.labels("prompt", backend, model).inc(usage.prompt)
        self.tokens.labels("completion", backend, model).inc(usage.completion)
        self.tokens.labels("reasoning", backend, model).inc(usage.reasoning)


def _type(attachment: Attachment) -> str:
    kind = attachment.mime.partition("/")[0]
    return kind if kind in TYPES else OTHER


def _made(registry: CollectorRegistry) -> dict[str, Counter | Histogram]:
    def counter(name: str, about: str, *labels: str) -> Counter:
        return Counter(f"studiogate_{name}", about, labels, registry=registry)

    def histogram(name: str, about: str, *labels: str) -> Histogram:
        return Histogram(f"studiogate_{name}", about, labels, registry=registry, buckets=_SECONDS)

    backend = "backend"
    return {
        "requests": counter("requests", "HTTP requests by endpoint and status.", "endpoint", "status"),
        "errors": counter("chat_errors", "Chat requests whose clients were told an error, by its type.", "type"),
        "request_seconds": histogram("chat_seconds", "Seconds from a chat request's arrival to its end."),
        "first_token_seconds": histogram("chat_first_token_seconds", "Seconds from its arrival to its first token."),
        "queue_wait_seconds": histogram("queue_wait_seconds", "Seconds that requests waited for their slot."),
        "attempts": counter("attempts", "Attempts by backend and what came of them.", backend, "outcome"),
        "first_event_seconds": histogram("attempt_first_event_seconds", "Seconds to a first event.", backend),
        "attempt_seconds": histogram("attempt_seconds", "Seconds that attempts took.", backend),
        "tokens": counter("tokens", "Tokens as backends counted them.", "kind", backend, "model"),
        "attachments": counter("attachments", "Files that went with requests, by their main type.", "type"),
        "attachment_bytes": counter("attachment_bytes", "Their bytes.", "type"),
        "tool_calls": counter("tool_calls", "Calls of tools that the gateway ran, by what came of them.", "outcome"),
        "tool_call_seconds": histogram("tool_call_seconds", "Seconds that such calls took."),
    }
