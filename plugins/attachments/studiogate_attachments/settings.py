"""The `[attachments]` table of plugins.toml."""

from pathlib import Path

import attrs

from studiogate.strict import positive, within

MIB = 1024 * 1024


@attrs.frozen(kw_only=True)
class AttachmentsSettings:
    """Configure what is taken, from where, and how much of it."""

    allowed_roots: tuple[Path, ...] = ()
    """Folders whose files requests may name by path or `file:` URL; none by default. Whoever may ask the gateway may
    have everything in them read."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts that files may be fetched from: `name`, `*.name` (any name below), `address` or `network/bits`, each with
    `:port` where it isn't 80 or 443. Addresses that aren't public are reached only if one of the last two means
    them."""
    max_files: int = attrs.field(default=100, validator=positive)
    """Files of one request; more are a 413."""
    max_file_bytes: int = attrs.field(default=100 * MIB, validator=positive)
    """Bytes of one file; more are a 413."""
    max_request_bytes: int = attrs.field(default=200 * MIB, validator=positive)
    """Bytes of all files of one request; more are a 413."""
    max_decode_ratio: float = attrs.field(default=200.0, validator=positive)
    """How many times its own size a file may grow when it is opened: an image to its pixels, a ZIP to its files. What
    stays below 64 MiB is never too much. More is a 413."""
    fetch_s: float = attrs.field(default=30.0, validator=positive)
    """Seconds a file may take to come from a host, redirects included."""
    max_redirects: int = attrs.field(default=5, validator=within(0, 20))
    """Redirects followed for one file; each is checked as the first address was."""
