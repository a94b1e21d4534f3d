"""The `[helper_backend]` table of plugins.toml."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from studiogate.models import bare_id
from studiogate.strict import WrongValue, one_of, positive, within

OPENAI = "openai"
HELPER = "helper"

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


def _host_and_port(_: Any, field: "attrs.Attribute[str | None]", value: str | None) -> None:
    if value is None:
        return
    from studiogate_studio.proxies import parse_host_port  # noqa: PLC0415 - not needed where there is no browser

    try:
        parse_host_port(value)
    except ValueError as error:
        raise WrongValue(field.name, str(error)) from None


def _fit_for_a_header(_: Any, field: "attrs.Attribute[str | None]", value: str | None) -> None:
    # The value is never shown.
    if value is not None and not (value and value.isascii() and value.isprintable() and " " not in value):
        raise WrongValue(field.name, "must be printable ASCII characters without spaces")


def _the_one_with_an_address(settings: "HelperBackendSettings") -> str:
    return HELPER if settings.endpoint is not None and settings.base_url is None else OPENAI


def _model_ids(models: dict[str, str]) -> dict[str, str]:
    return {bare_id(ours): theirs for ours, theirs in models.items()}


def _no_empty_ids(_: Any, field: "attrs.Attribute[dict[str, str]]", value: dict[str, str]) -> None:
    if not all(ours and theirs.strip() for ours, theirs in value.items()):
        raise WrongValue(field.name, "must not hold empty ids")


@attrs.frozen(kw_only=True)
class HelperBackendSettings:
    """Configure the service that answers."""

    endpoint: str | None = attrs.field(
        default=None, validator=http_address, metadata={"env": ("GUI_DEFAULT_HELPER_ENDPOINT",)}
    )
    """Where a helper service tells AI Studio's answers, such as `http://127.0.0.1:3121/getStreamResponse`; that is also
    the path if none is named."""
    base_url: str | None = attrs.field(default=None, validator=http_address)
    """Where an OpenAI-compatible service is, such as `https://api.example.com/v1`."""
    protocol: str = attrs.field(
        default=attrs.Factory(_the_one_with_an_address, takes_self=True), validator=one_of(OPENAI, HELPER)
    )
    """`openai`: the whole request goes to an OpenAI-compatible service. `helper`: the prompt is submitted in the page,
    and a helper service tells the answer. Unless set, whichever has its address; `openai` if both or none have."""
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
    proxy: str | None = attrs.field(default=None, validator=_host_and_port)
    """`host:port` of the helper service's own proxy, which AI Studio's traffic is then led through; None where it sees
    that traffic by other means."""
    proxy_ca: Path | None = None
    """PEM file of the authority that the proxy's certificates come from; trusted for that way only."""
    replays: bool = False
    """Whether the service tells its newest answer from its start, however late it is asked: only then it can tell one
    to a prompt that another backend has submitted."""
    settle_s: float = attrs.field(default=0.3, validator=within(0, 5))
    """Seconds the helper service must have been silent before the prompt is submitted, so that no old answer is taken
    for a new one."""
    lag_s: float = attrs.field(default=5.0, validator=positive)
    """Seconds the helper service may be behind the page with an answer's end."""
    alone_s: float = attrs.field(default=30.0, validator=positive)
    """Seconds that answers in other tabs get to end first, as a helper service can't tell two apart."""

    @property
    def address(self) -> str | None:
        """Return where the service of the chosen protocol is; None makes the plugin inactive."""
        return self.endpoint if self.protocol == HELPER else self.base_url

    @property
    def missing(self) -> str:
        """Return the name of the setting without which the plugin is inactive."""
        return "endpoint" if self.protocol == HELPER else "base_url"
