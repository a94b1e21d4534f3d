"""The `[helper_backend]` table of plugins.toml."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from studiogate.models import bare_id
from studiogate.strict import WrongValue, one_of, positive, within

PASSED_FIELDS = ("user", "metadata", "prompt_cache_key", "safety_identifier")
"""Fields of OpenAI's that change no answer and mean something to the service."""


def http_address(_: Any, field: "attrs.Attribute[str | None]", value: str | None) -> None:
    """Validate: None, or an http(s) address without user and password."""
    if value is None:
        return
    if not _is_http_address(value):
        raise WrongValue(field.name, "must be an address such as https://api.example.com/v1")
    if "@" in urlsplit(value).netloc:
        raise WrongValue(field.name, "must not hold a user and password; there is api_key")


def _is_http_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return known and text.isascii() and text.isprintable() and " " not in text


def _fit_for_a_header(_: Any, field: "attrs.Attribute[str | None]", value: str | None) -> None:
    # The value is never shown.
    if value is not None and not (value and value.isascii() and value.isprintable() and " " not in value):
        raise WrongValue(field.name, "must be printable ASCII characters without spaces")


def _model_ids(models: dict[str, str]) -> dict[str, str]:
    return {bare_id(ours): theirs for ours, theirs in models.items()}


def _no_empty_ids(_: Any, field: "attrs.Attribute[dict[str, str]]", value: dict[str, str]) -> None:
    if not all(ours and theirs.strip() for ours, theirs in value.items()):
        raise WrongValue(field.name, "must not hold empty ids")


@attrs.frozen(kw_only=True)
class HelperBackendSettings:
    """Configure the service that answers."""

    protocol: str = attrs.field(default="openai", validator=one_of("openai"))
    """`openai`: the whole request goes to an OpenAI-compatible service."""
    base_url: str | None = attrs.field(default=None, validator=http_address)
    """Where the service is, such as `https://api.example.com/v1`; None makes the plugin inactive."""
    api_key: str | None = attrs.field(default=None, repr=False, validator=_fit_for_a_header)
    """Sent to the service as `Authorization: Bearer`; best given as STUDIOGATE_HELPER_BACKEND_API_KEY."""
    models: dict[str, str] = attrs.field(factory=dict[str, str], converter=_model_ids, validator=_no_empty_ids)
    """Our ids and the service's; these are listed. Others are sent as they are."""
    limit_field: str = attrs.field(default="max_tokens", validator=one_of("max_tokens", "max_completion_tokens"))
    """What the service calls the output limit."""
    send_defaults: bool = True
    """Whether the service is told what `[defaults]` says where the client says nothing; else its own defaults hold."""
    pass_fields: tuple[str, ...] = PASSED_FIELDS
    """Fields of the request, unknown to the gateway or of no use to it, that the service gets as they are."""
    ca: Path | None = None
    """PEM file of the authorities that the service's certificate must come from; None for the system's."""
    connect_s: float = attrs.field(default=10.0, validator=positive)
    """Seconds in which a connection must stand, its encryption included."""
    retries: int = attrs.field(default=2, validator=within(0, 10))
    """Further tries, after short pauses, where no connection came about or the service answered 502, 503 or 504."""
    connections: int = attrs.field(default=64, validator=positive)
    """Requests to the service at once; more wait."""
    answer_bytes: int = attrs.field(default=64 * 1024 * 1024, validator=positive)
    """Bytes that a whole answer, or one event of a stream, may have."""
