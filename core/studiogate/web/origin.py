"""Who may ask a gateway that asks nobody for a key: this machine's programs, not the web pages that are open on it.

Any page can post to a loopback address without a preflight, and one that rebinds its own name to loopback can read
the answer too. So `Host` has to name loopback, and so has `Origin`, which browsers send with each post and other
programs don't.
"""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from litestar import Request

from studiogate.errors import Forbidden
from studiogate.settings import GatewaySettings, is_loopback


def refuse_foreign_sites(settings: GatewaySettings) -> Callable[[Request[Any, Any, Any]], None]:
    """Return a check of each request; it raises `Forbidden`. With `insecure` everybody may ask, pages too."""
    trusted = frozenset(name.lower() for name in settings.trusted_hosts)

    def check(request: Request[Any, Any, Any]) -> None:
        if settings.insecure:
            return
        host = request.headers.get("host", "")
        if not _is_trusted(f"//{host}", trusted):
            raise Forbidden(
                "This gateway doesn't go by that name. Ask 127.0.0.1, or have its operator add the name to "
                "[gateway] trusted_hosts."
            )
        origin = request.headers.get("origin")
        if origin is not None and not _is_trusted(origin, trusted):
            raise Forbidden(
                "Web pages of other sites may not ask this gateway. Its operator can add the site's host to "
                "[gateway] trusted_hosts."
            )

    return check


def _is_trusted(url: str, trusted: Iterable[str]) -> bool:
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return name in trusted or is_loopback(name)
