"""The service over HTTP: connections that are kept, what is tried again, and what failures of the network mean.

A request is sent again only where nothing can have come of the first: no connection came about, or who stands before
the service (502, 503, 504) says so. aiohttp itself sends no POST twice.
"""

import asyncio
import io
import logging
import random
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import attrs
from yarl import URL

from studiogate.errors import ConfigurationError
from studiogate.settings import is_loopback
from studiogate_helper_backend.answer import Garbage, read_object
from studiogate_helper_backend.errors import ServiceError
from studiogate_helper_backend.refusals import read_retry_after, refusal
from studiogate_helper_backend.settings import HelperBackendSettings
from studiogate_helper_backend.sse import TooLong
from studiogate_helper_backend.words import Censor

log = logging.getLogger(__name__)

KEPT_S = 4.0
"""Seconds that an idle connection is kept. Many servers close theirs after 5; a request sent just then would be lost,
and must not be sent again."""
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 2.0
_TRIED_AGAIN = (502, 503, 504)
_SENT_AT_ONCE = 256 * 1024
"""Bytes."""
_REFUSAL_BYTES = 64 * 1024
"""Bytes that a refusal may have for its words to be read."""
_REFUSAL_S = 5.0
"""Seconds in which they must have come."""


@attrs.frozen(kw_only=True, eq=False)
class Service:
    """A service, and the connections to it."""

    options: HelperBackendSettings
    url: URL
    """Where chat completions are asked for."""
    session: aiohttp.ClientSession = attrs.field(repr=False)
    proxy: str | None = attrs.field(repr=False)
    """The system's proxy for this address; it may hold a password."""
    room: asyncio.Semaphore = attrs.field(repr=False)
    """Keeps to the number of connections."""

    @asynccontextmanager
    async def ask(
        self, body: bytes, censor: Censor, headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Send a request and hand over the answer's beginning; leaving it early closes its connection at once.

        :param headers: more headers, such as those of a trace.
        :raises ServiceError: no connection came about, or the service refuses.
        """
        async with self.room:
            response = await self._sent(body, censor, headers or {})
            try:
                yield response
            except aiohttp.ClientError as error:
                raise ServiceError("the answer broke off") from error
            finally:
                # Read to its end, it has given its connection back already.
                response.close()

    async def _sent(self, body: bytes, censor: Censor, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        pauses = [*(_FIRST_PAUSE_S * 2**number for number in range(self.options.retries)), None]
        for number, pause_s in enumerate(pauses, start=1):
            try:
                response = await self.session.post(
                    self.url, data=_in_pieces(body), headers=headers, proxy=self.proxy, allow_redirects=False
                )
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                failed, final = unreachable(error), isinstance(error, aiohttp.ClientSSLError)
            except aiohttp.ClientError as error:
                raise ServiceError("the service broke off before it answered") from error
            else:
                if 200 <= response.status < 300:  # noqa: PLR2004
                    return response
                failed, final = await _refusal(response, censor), response.status not in _TRIED_AGAIN
            if final or pause_s is None or (failed.retry_after_s or 0) > _LONGEST_PAUSE_S:
                raise failed
            log.info("%s; trying again (%d of %d)", failed.meaning, number, self.options.retries)
            await asyncio.sleep(_jittered(pause_s))
        raise AssertionError  # the last pause is None


@asynccontextmanager
async def connected(options: HelperBackendSettings, environ: Mapping[str, str]) -> AsyncGenerator[Service]:
    """Make the service that is configured, without asking it anything; closes its connections at the end.

    :param environ: where the system's proxy stands.
    :raises ConfigurationError: the authorities' file is none.
    """
    url = chat_url(options.base_url or "")
    if options.api_key and url.scheme == "http" and not is_loopback(url.host or ""):
        log.warning("the key for the service travels unencrypted; its base_url should be https")
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_S, ssl=trusting(options))
    headers = {
        "content-type": "application/json",
        # Compressed, pieces of a stream might wait for one another.
        "accept-encoding": "identity",
        "user-agent": f"studiogate/{version('studiogate')}",
        **({"authorization": f"Bearer {options.api_key}"} if options.api_key else {}),
    }
    async with aiohttp.ClientSession(
        connector=connector,
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=None, connect=options.connect_s),
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        yield Service(
            options=options,
            session=session,
            url=url,
            proxy=system_proxy(url, environ),
            room=asyncio.Semaphore(options.connections),
        )


def chat_url(base_url: str) -> URL:
    """Return where chat completions are asked for; a query of the base's stays."""
    parts = urlsplit(base_url)
    return URL(parts._replace(path=f"{parts.path.rstrip('/')}/chat/completions", fragment="").geturl())


def system_proxy(url: URL, environ: Mapping[str, str]) -> str | None:
    """Return the proxy that the environment names for an address, by `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`."""
    named = {name.lower(): value for name, value in sorted(environ.items()) if name.lower().endswith("_proxy")}
    proxy, host = named.get(f"{url.scheme}_proxy"), url.host or ""
    direct = {name.strip().lstrip(".") for name in named.get("no_proxy", "").split(",")}
    if (
        not proxy
        or is_loopback(host)
        or "*" in direct
        or any(f".{host}".endswith(f".{name}") for name in direct if name)
    ):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def unreachable(error: aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError) -> ServiceError:
    """Return what it means that no connection came about; neither address nor name is said."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return ServiceError("the service's certificate is not trusted")
        case aiohttp.ClientSSLError():
            return ServiceError("no encrypted connection to the service came about")
        case aiohttp.ClientConnectorDNSError():
            return ServiceError("the service's host name can't be resolved", status=503)
        case aiohttp.ConnectionTimeoutError():
            return ServiceError("no connection to the service came about in time", status=504)
        case _:
            return ServiceError("the service can't be reached", status=503)


async def _refusal(response: aiohttp.ClientResponse, censor: Censor) -> ServiceError:
    document: Mapping[str, Any] = {}
    # The status says enough; only the service's words may be lost.
    with suppress(Garbage, TooLong, TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(_REFUSAL_S):
            document = read_object(await read_all(response.content, _REFUSAL_BYTES))
    response.close()
    return refusal(response.status, document, censor, retry_after_s=read_retry_after(response.headers))


async def read_all(content: aiohttp.StreamReader, limit: int) -> bytes:
    """Read a body to its end.

    :raises TooLong: it has more bytes than `limit`.
    :raises aiohttp.ClientError: it broke off.
    """
    body = bytearray()
    while piece := await content.readany():
        body += piece
        if len(body) > limit:
            raise TooLong
    return bytes(body)


def trusting(options: HelperBackendSettings) -> ssl.SSLContext:
    """Return what a service's certificate is verified against.

    :raises ConfigurationError: the authorities' file is none.
    """
    try:
        return ssl.create_default_context(cafile=options.ca)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        why = error.strerror if isinstance(error, FileNotFoundError | PermissionError) else "holds no certificate"
        raise ConfigurationError(f"[helper_backend] ca: the file can't be used: {why}.") from None


def _in_pieces(body: bytes) -> bytes | io.BytesIO:
    """Return a body as aiohttp takes it: what is long is sent bit by bit, as the service takes it in."""
    return body if len(body) <= _SENT_AT_ONCE else io.BytesIO(body)


def _jittered(pause_s: float) -> float:
    """Return about as long a pause, so that many that failed together don't come back together."""
    return pause_s * random.uniform(0.75, 1.25)  # noqa: S311 - nobody gains by guessing it
