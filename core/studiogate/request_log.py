"""The log's line about a request: one each, written when it is over, whatever ended it.

It says how the request went and never what was said in it: no prompt, no answer, no key but its mask. What others have
worded (a model's name, an upstream's refusal) can't break out of the line.
"""

import logging
import time
from collections.abc import Iterator
from typing import Any

import attrs

from studiogate.counts import Counts
from studiogate.errors import ClientClosed, ClientError
from studiogate.exchange import Caller, Exchange, new_id
from studiogate.trace import attempts_text, ignored_text, one_line

log = logging.getLogger(__name__)

_FAILED = 500


@attrs.define(kw_only=True, eq=False)
class RequestLog:
    """Collect what a request's line says, from its arrival on; `finish` writes it."""

    id: str = attrs.field(factory=new_id)
    """What the client sees as `x-request-id`; the exchange's too."""
    client: str = ""
    """Where it came from: an address, without the port."""
    caller: Caller = attrs.field(factory=Caller)
    model: str = ""
    """The model asked for, where there is no exchange that knows better."""
    stream: bool | None = None
    """None while the request hasn't been read, and for good if it can't be."""
    exchange: Exchange | None = None
    """None for one refused before it became an exchange."""
    status: int | None = None
    """The status of the response, as far as one was begun."""
    error: ClientError | None = None
    """What the client was told instead of an answer, outside the exchange."""
    _arrived: float = attrs.field(factory=time.monotonic, init=False)
    _ended: float = attrs.field(default=0.0, init=False)

    def finish(self, counts: Counts, endpoint: str) -> None:
        """Write the line and count the request, as soon as the exchange has put everything away. To be called once.

        :param endpoint: as `Counts.request` takes it.
        """
        self._ended = time.monotonic()

        def over() -> None:
            error = (self.exchange.error if self.exchange else None) or self.error
            status = self._final_status(error)
            self._count(counts, endpoint, status, error)
            self._write(status, error)

        if self.exchange is None:
            over()
        else:
            self.exchange.when_over(over)

    def _count(self, counts: Counts, endpoint: str, status: int, error: ClientError | None) -> None:
        first = self.exchange.first_token_at if self.exchange else None
        counts.request(endpoint, status)
        counts.chat(
            self._ended - self._arrived,
            None if first is None else first - self._arrived,
            None if error is None else error.type,
        )

    def _write(self, status: int, error: ClientError | None) -> None:
        fields = {name: value for name, value in self._fields(status, error) if value is not None and value != ""}
        failed = max(status, error.status if error else 0) >= _FAILED
        text = " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())
        log.log(
            logging.WARNING if failed else logging.INFO,
            "request %s",
            text,
            extra={"event": "request", "fields": fields},
        )

    def _final_status(self, error: ClientError | None) -> int:
        """Return the status that was sent; 499 for whoever didn't wait for the end, as web servers have it."""
        if isinstance(error, ClientClosed):
            return error.status
        if self.status is not None:
            return self.status
        return ClientClosed.status if error is None else error.status

    def _fields(self, status: int, error: ClientError | None) -> Iterator[tuple[str, Any]]:
        yield "id", self.id
        yield "status", status
        yield "client", self.client
        yield "key", self.caller.key
        yield "stream", self.stream
        if self.exchange is None:
            yield "model", one_line(self.model)
        else:
            yield from _of_exchange(self.exchange, self._arrived)
        yield "total_s", _seconds(self._ended - self._arrived)
        if error is not None:
            yield "error", error.type
            yield "error_code", error.code
            yield "error_param", one_line(error.param or "")
            yield "error_message", one_line(error.message)


def _of_exchange(exchange: Exchange, arrived: float) -> Iterator[tuple[str, Any]]:
    target = exchange.model.id if exchange.model else ""
    yield "model", one_line(exchange.model_name)
    yield "target", one_line(target) if target != exchange.model_name else None
    yield "backend", exchange.backend
    yield "attempts", one_line(attempts_text(exchange))
    yield "ignored", one_line(ignored_text(exchange))
    yield "queue_wait_s", _seconds(exchange.waited_s)
    first = exchange.first_token_at
    yield "first_token_s", None if first is None else _seconds(first - arrived)
    if (usage := exchange.usage) is not None:
        yield "prompt_tokens", usage.prompt
        yield "completion_tokens", usage.completion
        yield "reasoning_tokens", usage.reasoning or None
    if (finish := exchange.finish) is not None:
        yield "finish", str(finish.reason)
        yield "finish_message", one_line(finish.message or "")


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _quoted(value: object) -> str:
    """Return a value as one word: a text that isn't one stands in quotes."""
    text = str(value)
    return text if text.isascii() and not set(text) & set(" \"'=") else repr(text)
