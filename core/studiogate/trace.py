"""Provenance: which backend answered, what was tried, what was ignored; as headers and as text."""

from studiogate.exchange import Exchange

_LIMIT = 2000
"""Characters of one header's value or line; proxies refuse much longer headers."""


def attempts_text(exchange: Exchange) -> str:
    """Return the trace of attempts in one line: `stream_intercept=unavailable: …, dom_scrape=ok`."""
    return ", ".join(f"{attempt.backend}={attempt.outcome}" for attempt in exchange.attempts)


def ignored_text(exchange: Exchange) -> str:
    """Return what was asked for and not honoured: `seed: not supported by dom_scrape; …`."""
    return "; ".join(f"{name}: {reason}" for name, reason in exchange.params.ignored.items())


def trace_headers(exchange: Exchange) -> dict[str, str]:
    """Return the `x-request-id` and `x-studiogate-*` headers, as far as they are known yet."""
    headers = {
        "x-request-id": exchange.id,
        "x-studiogate-backend": exchange.backend or "",
        "x-studiogate-attempts": attempts_text(exchange),
        "x-studiogate-ignored": ignored_text(exchange),
    }
    return {name: one_line(text, ascii_only=True) for name, text in headers.items() if text}


def one_line(text: str, *, ascii_only: bool = False) -> str:
    """Make a text fit for a header or a line of the log: of bounded length, no control characters."""
    printable = (char if char.isprintable() and (char.isascii() or not ascii_only) else "?" for char in text)
    return "".join(printable)[:_LIMIT]
