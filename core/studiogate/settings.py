"""The gateway's own settings: the `[gateway]` table of plugins.toml."""

import ipaddress
from enum import StrEnum
from pathlib import Path

import attrs

from studiogate.environment import Variable, read_bool, read_milliseconds
from studiogate.functions import CallMode
from studiogate.strict import one_of, positive, within

LOG_LEVELS = ("trace", "debug", "info", "warning", "error")
"""From the most said to the least. `trace` is `debug`, and the libraries that carry requests speak too."""


class OnError(StrEnum):
    """What becomes of the start where a plugin can't be used."""

    STOP = "stop"
    SKIP = "skip"


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _debug(text: str) -> str | None:
    return "debug" if read_bool(text) else None


def _trace(text: str) -> str | None:
    return "trace" if read_bool(text) else None


def _level(text: str) -> str:
    """Read a level by any name that the standard library has for it."""
    name = text.strip().lower()
    return {"critical": "error", "fatal": "error", "warn": "warning"}.get(name, name)


@attrs.frozen(kw_only=True)
class Timeouts:
    """Configure how long one backend may take: a `[gateway.timeouts.<backend>]` table."""

    first_event_s: float | None = attrs.field(default=None, validator=positive)
    """Seconds to its first event; None for the gateway's."""
    silence_s: float | None = attrs.field(default=None, validator=positive)
    """Seconds between two events; None for the gateway's."""
    total_s: float | None = attrs.field(default=None, validator=positive)
    """Seconds to the end of its answer; None for the exchange's deadline only."""


@attrs.frozen(kw_only=True)
class GatewaySettings:
    """Configure the gateway itself."""

    host: str = "127.0.0.1"
    """Address to listen on. One that isn't loopback is refused unless there are keys, or `insecure`."""
    port: int = attrs.field(
        default=2048, validator=within(0, 65535), metadata={"env": ("PORT", "DEFAULT_FASTAPI_PORT")}
    )
    """TCP port to listen on; 0 takes any free one."""
    insecure: bool = False
    """Whether to listen beyond loopback although there are no keys, and to ask nobody for one while there are none."""
    trusted_hosts: tuple[str, ...] = ()
    """Host names besides loopback's by which clients may reach the gateway and whose web pages may ask it, such as a
    reverse proxy's. Without effect when `insecure`, or while there are keys: then all may."""
    keys_file: Path = Path("auth_profiles/key.txt")
    """File of API keys, one a line, read again when it changes. Without keys everybody who can reach the gateway may
    ask."""
    excluded_models: Path = Path("excluded_models.txt")
    """File of model ids, one a line, that are neither listed nor answered; read again when it changes."""
    default_model: str | None = None
    """Model of requests that name none; when unset, the first one listed."""
    lifespan_s: float = attrs.field(default=60.0, validator=positive)
    """Seconds that a plugin gets to start, and as many to end. One that hasn't started by then can't be used."""
    on_error: str = attrs.field(default=OnError.STOP.value, validator=one_of(*OnError))
    """What comes of a plugin that can't be loaded, set or started: it stops the start (`stop`), or is left out, which
    the log and `/health` tell (`skip`)."""
    function_calling: str = attrs.field(default=CallMode.AUTO.value, validator=one_of(*CallMode))
    """How functions are offered to models: `native` by the upstream's own means, `emulated` as text in the system
    instruction and the answer, `auto` natively where model and request allow it."""
    max_tool_rounds: int = attrs.field(default=8, validator=positive)
    """Rounds with calls of tools that the gateway runs, in one request; then the model is asked without them."""
    tool_call_s: float = attrs.field(default=60.0, validator=positive)
    """Seconds that one call of such a tool may take; then the model is told so."""
    max_tool_result_chars: int = attrs.field(default=200_000, validator=positive)
    """Characters of a result that the model reads; the rest is cut off, and the model is told so."""
    slots: int | None = attrs.field(default=None, validator=positive)
    """Exchanges that run at once; when unset, as many as the first backend that says (tabs, for a browser)."""
    queue_limit: int = attrs.field(default=64, validator=positive)
    """Exchanges that may wait; more are refused with 429, unless less than an equal share of them is their key's."""
    deadline_s: float = attrs.field(
        default=900.0,
        validator=positive,
        metadata={"env": (Variable("RESPONSE_COMPLETION_TIMEOUT", read_milliseconds),)},
    )
    """Seconds from a request's arrival to its end, waiting included; then 504."""
    first_event_s: float = attrs.field(default=180.0, validator=positive)
    """Seconds a backend may take to its first event; then the next one tries, or 504."""
    silence_s: float = attrs.field(default=180.0, validator=positive)
    """Seconds between two events of a backend; then 504. Models think silently for minutes: keep it generous."""
    timeouts: dict[str, Timeouts] = attrs.field(factory=dict[str, Timeouts])
    """Other times for single backends, by their names."""
    breaker_failures: int = attrs.field(default=5, validator=positive)
    """Failures in a row after which a backend is asked after all others."""
    breaker_pause_s: float = attrs.field(default=30.0, validator=positive)
    """Seconds after which it is tried again in its turn."""
    commit_s: float = attrs.field(default=10.0, validator=positive)
    """Seconds a stream's HTTP status waits for the first event, so that early failures keep their status."""
    keepalive_s: float = attrs.field(default=15.0, validator=positive)
    """Seconds of silence after which a stream gets a comment, so that nobody in between cuts it."""
    grace_s: float = attrs.field(default=5.0, validator=positive)
    """Seconds running answers get to end after the first signal to stop; a second signal skips the rest."""
    state_dir: Path = Path("state")
    """Folder for what plugins keep between starts, such as the proxy's certificates; each has a folder in it."""
    upload_files_dir: Path = attrs.field(default=Path("upload_files"), metadata={"env": ("UPLOAD_FILES_DIR",)})
    """Folder for the files of requests; each is removed when its request ends, and at the next start after a crash."""
    only_collect_current_user_attachments: bool = attrs.field(
        default=False, metadata={"env": ("ONLY_COLLECT_CURRENT_USER_ATTACHMENTS",)}
    )
    """Whether only the attachments of the last user message, and of the request as a whole, go with a request; those
    of earlier messages are left out, without a word to the client."""
    log_level: str = attrs.field(
        default="info",
        validator=one_of(*LOG_LEVELS),
        metadata={
            "env": (
                Variable("TRACE_LOGS_ENABLED", _trace),
                Variable("DEBUG_LOGS_ENABLED", _debug),
                Variable("SERVER_LOG_LEVEL", _level),
            )
        },
    )
    """What the log of the command line says: one of `LOG_LEVELS`."""
    max_body_bytes: int = attrs.field(default=64 * 1024 * 1024, validator=positive)
    """Size limit of a request's body; then 413."""
    max_media_bytes: int = attrs.field(default=64 * 1024 * 1024, validator=positive)
    """Size limit of the images and sounds of one answer together; a backend that sends more has failed, 502."""


FIXED = (
    "host",
    "port",
    "insecure",
    "trusted_hosts",
    "keys_file",
    "state_dir",
    "upload_files_dir",
    "max_body_bytes",
)
"""Settings that hold from a gateway's start to its end: who can reach it, and what it has opened."""


def fixed_by(running: GatewaySettings, wanted: GatewaySettings) -> GatewaySettings:
    """Return settings for a gateway that runs: those wanted, but for what can't change before its end."""
    return attrs.evolve(wanted, **{name: getattr(running, name) for name in FIXED})


def not_changed(running: GatewaySettings, wanted: GatewaySettings) -> tuple[str, ...]:
    """Return the names of the settings that are wanted otherwise than they stay."""
    return tuple(name for name in FIXED if getattr(running, name) != getattr(wanted, name))
