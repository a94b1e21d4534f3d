"""Provenance: which backend answered, what was tried, what was ignored; as headers and as text."""

from studiogate.exchange import Exchange

_HEADER_LIMIT = 2000
"""Characters of one header's value; proxies refuse much longer ones."""


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
    return {name: _value(text) for name, text in headers.items() if text}


def _value(text: str) -> str:
    """Make a text fit for a header: printable ASCII, of bounded length."""
    return "".join(char if " " <= char <= "~" else "?" for char in text)[:_HEADER_LIMIT]
