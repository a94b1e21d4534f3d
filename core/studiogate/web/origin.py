"""Who may ask a gateway that asks nobody for a key: this machine's programs, not the web pages that are open on it.

Any page can post to a loopback address without a preflight, and one that rebinds its own name to loopback can read
the answer too. So `Host` has to name loopback, and so has `Origin`, which browsers send with each post and other
programs don't.

Where a key is asked for, no name is checked. No page knows a key, and no browser adds one by itself: chats are out of
reach. What needs no key a page can't read either, since nothing here allows it to other origins; only one that rebinds
its name to this address can, and it sees what anybody without a key does: models, health, a queue whose ids are cut.
"""

from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlsplit

from studiogate.errors import Forbidden
from studiogate.settings import GatewaySettings, is_loopback
from studiogate.web.auth import NOBODY_ASKED, AnyRequest, caller_of


def refuse_foreign_sites(settings: GatewaySettings) -> Callable[[AnyRequest], Awaitable[None]]:
    """Return a check of each request; it raises `Forbidden`. With `insecure` everybody may ask, pages too."""
    trusted = frozenset(name.lower() for name in settings.trusted_hosts)

    # Litestar runs what isn't async in a thread.
    async def check(request: AnyRequest) -> None:
        if settings.insecure or caller_of(request) != NOBODY_ASKED:
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


def names_loopback(request: AnyRequest) -> bool:
    """Tell whether a request names loopback as its host and, if it has one, as its origin."""
    origin = request.headers.get("origin")
    named = _is_trusted(f"//{request.headers.get('host', '')}", ())
    return named and (origin is None or _is_trusted(origin, ()))


def _is_trusted(url: str, trusted: Iterable[str]) -> bool:
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return name in trusted or is_loopback(name)
