"""The helper service's stream of answers: one address for all of them, fetched at the right moment.

    quiet: GET, before the prompt is submitted ──▶ refused     nothing was sent; the next backend does it all
                                               ├─▶ data        an earlier answer's: read to its end, GET again
                                               ├─▶ an end      nothing to tell now: GET again once the prompt is sent
                                               └─▶ silence     this GET will tell the answer
    then submit, and data: what comes now is the answer's

Nothing on such a stream says whose answer it tells, and nobody knows what a service does with answers that were never
fetched. Therefore it has to be silent when the prompt is submitted, and no other tab may have an answer under way
(`studiogate_studio.floor`): what comes then can only be the answer.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from urllib.parse import urlsplit

import aiohttp
import attrs
from yarl import URL

from studiogate.settings import is_loopback
from studiogate_helper_backend.answer import DONE
from studiogate_helper_backend.errors import ServiceError
from studiogate_helper_backend.refusals import read_retry_after
from studiogate_helper_backend.service import system_proxy, trusting, unreachable
from studiogate_helper_backend.settings import HelperBackendSettings
from studiogate_helper_backend.sse import EventScanner, TooLong

log = logging.getLogger(__name__)

STREAM_PATH = "/getStreamResponse"
"""Where such services tell answers, if the endpoint names no path."""
OLD_S = 5.0
"""Seconds that a service gets to have told all of what is old."""
_AGAIN_S = 0.2
"""Seconds between two requests to a service that has nothing to tell."""
_NO_STREAM = ("text/html", "application/json")
"""Types of what is no stream for sure; some services don't say that theirs is one."""
_OK = 200

_REFUSED: dict[int, tuple[int, str]] = {
    401: (503, "the helper service refuses the account's cookie"),
    403: (503, "the helper service refuses the account's cookie"),
    404: (502, "the helper service knows nothing at this address; is endpoint right?"),
    429: (429, "the helper service has had too many requests"),
    504: (504, "the helper service took too long"),
}
"""HTTP status of the service -> (status for the client, what it means)."""


@attrs.frozen(kw_only=True, eq=False)
class Endpoint:
    """Where a helper service tells answers."""

    options: HelperBackendSettings
    url: URL
    session: aiohttp.ClientSession = attrs.field(repr=False)
    proxy: str | None = attrs.field(repr=False)
    """The system's proxy for this address; it may hold a password."""

    @asynccontextmanager
    async def listening(self, sapisid: str) -> AsyncGenerator["Listener"]:
        """Make ready to listen, as the account of that cookie; leaving closes the connection at once."""
        listener = Listener(self, sapisid)
        try:
            yield listener
        finally:
            await listener.close()

    async def fetch(self, sapisid: str) -> aiohttp.ClientResponse:
        """Ask for the stream; returns when its head has come, which may be with the next answer only.

        :raises ServiceError: no connection came about, or the service refuses.
        """
        cookie = {"cookie": f"SAPISID={sapisid}"}
        try:
            response = await self.session.get(self.url, headers=cookie, proxy=self.proxy, allow_redirects=False)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise unreachable(error) from error
        except aiohttp.ClientError as error:
            raise ServiceError("the helper service broke off before it answered") from error
        if not _OK <= response.status < 300:  # noqa: PLR2004
            response.close()
            raise _refusal(response)
        if response.content_type in _NO_STREAM:
            response.close()
            raise ServiceError(f"the helper service answers with {response.content_type} instead of a stream")
        return response


@asynccontextmanager
async def reaching(options: HelperBackendSettings, environ: Mapping[str, str]) -> AsyncGenerator[Endpoint]:
    """Make the endpoint that is configured, without asking it anything; closes its connections at the end.

    :param environ: where the system's proxy stands.
    :raises ConfigurationError: the authorities' file is none.
    """
    url = stream_url(options.endpoint or "")
    if url.scheme == "http" and not is_loopback(url.host or ""):
        log.warning("the account's cookie travels to the helper service unencrypted; its endpoint should be https")
    headers = {
        "accept": "text/event-stream",
        # Compressed, pieces of a stream might wait for one another.
        "accept-encoding": "identity",
        "cache-control": "no-cache",
        "user-agent": f"studiogate/{version('studiogate')}",
    }
    async with aiohttp.ClientSession(
        # A stream is all that its connection is for.
        connector=aiohttp.TCPConnector(limit=0, force_close=True, ssl=trusting(options)),
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=None, connect=options.connect_s),
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        yield Endpoint(options=options, url=url, session=session, proxy=system_proxy(url, environ))


def stream_url(endpoint: str) -> URL:
    """Return where answers are told: the endpoint, or below it where it names no path."""
    parts = urlsplit(endpoint)
    return URL(parts._replace(path=parts.path if parts.path.strip("/") else STREAM_PATH, fragment="").geturl())


@attrs.define(eq=False)
class Listener:
    """Listen to one answer."""

    endpoint: Endpoint
    sapisid: str = attrs.field(repr=False)
    told: bool = attrs.field(default=False, init=False)
    """Whether anything of the answer has come."""
    _hearing: "_Hearing | None" = attrs.field(default=None, init=False)

    async def quiet(self) -> None:
        """Wait until the service has nothing more to tell of earlier answers; submit the prompt then, at once.

        :raises ServiceError: the service can't be reached, refuses, or goes on telling.
        """
        settle_s = self.endpoint.options.settle_s
        try:
            async with asyncio.timeout(OLD_S + settle_s):
                while await self._heard_old(settle_s):
                    await self.close()
        except TimeoutError:
            raise ServiceError("the helper service goes on telling of another answer", retry_after_s=OLD_S) from None

    async def _heard_old(self, settle_s: float) -> bool:
        """Listen for a while; return whether something old came, which then was let pass to its end."""
        hearing = self._hearing = self._hearing or _Hearing(self.endpoint, self.sapisid)
        old = False
        try:
            while (data := await hearing.data(None if old else settle_s)) is not None:
                old = old or data != DONE
        except TimeoutError:
            return False
        except (TooLong, aiohttp.ClientError):
            old = True
        if not old:
            # It has nothing to tell and doesn't wait: asked again when there is something.
            await self.close()
        return old

    async def data(self, within_s: float) -> bytes | None:
        """Return the data of the answer's next event, `DONE` among it; None when its stream has ended.

        A service that ends its stream before anything of the answer was told is asked again.

        :raises TimeoutError: nothing came within that many seconds.
        :raises ServiceError: the service can't be reached, refuses, or breaks off.
        :raises TooLong: an event is over the limit.
        """
        async with asyncio.timeout(within_s):
            while True:
                self._hearing = self._hearing or _Hearing(self.endpoint, self.sapisid)
                try:
                    data = await self._hearing.data(None)
                except aiohttp.ClientError as error:
                    raise ServiceError("the helper service's answer broke off") from error
                if self.told or data not in (None, DONE):
                    self.told = True
                    return data
                await self.close()
                await asyncio.sleep(_AGAIN_S)

    async def close(self) -> None:
        """Close the connection, if there is one."""
        hearing, self._hearing = self._hearing, None
        if hearing is not None:
            await hearing.close()


class _Hearing:
    """One request for the stream, from when it is sent."""

    def __init__(self, endpoint: Endpoint, sapisid: str) -> None:
        # A task of its own: its head may come only with the answer, and who waits for it has other things to look at.
        self._fetching = asyncio.create_task(endpoint.fetch(sapisid), name="fetch a helper's stream")
        self._scanner = EventScanner(limit=endpoint.options.answer_bytes)
        self._heard = deque[bytes]()
        self._ended = False

    async def data(self, within_s: float | None) -> bytes | None:
        """Return the next event's data, None at the end; safe to give up waiting."""
        async with asyncio.timeout(within_s):
            response = await asyncio.shield(self._fetching)
            while not self._heard and not self._ended:
                piece = await response.content.readany()
                self._heard.extend(self._scanned(piece))
        return self._heard.popleft() if self._heard else None

    def _scanned(self, piece: bytes) -> Iterator[bytes]:
        if piece:
            yield from self._scanner.feed(piece)
        else:
            self._ended = True
            yield from self._scanner.close()

    async def close(self) -> None:
        self._fetching.cancel()
        await asyncio.wait({self._fetching})
        if not self._fetching.cancelled() and self._fetching.exception() is None:
            self._fetching.result().close()


def _refusal(response: aiohttp.ClientResponse) -> ServiceError:
    otherwise = "the helper service failed" if response.status >= 500 else "the helper service refuses"  # noqa: PLR2004
    status, meaning = _REFUSED.get(response.status, (502, otherwise))
    wait_s = read_retry_after(response.headers)
    return ServiceError(f"{meaning} (HTTP {response.status})", status=status, retry_after_s=wait_s)
