"""Files from other hosts, without lending the gateway's place in the network to whoever may ask it.

Each address on the way, redirects included, is checked by name first. Then the name is resolved, every address it has
is checked, and the connection goes to one of just those: between check and connection nothing is looked up again. TLS
is verified for the name all the same. No proxy, no cookies, no compression (whose size nobody could bound), one
connection per file.
"""

import asyncio
import posixpath
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import unquote

import attrs
import httpx

from studiogate.errors import InvalidRequest
from studiogate_attachments.background import in_thread
from studiogate_attachments.hosts import AllowedHosts
from studiogate_attachments.settings import AttachmentsSettings
from studiogate_attachments.storing import too_large

PIECE = 1024 * 1024
_HEADERS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "studiogate"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}


@attrs.frozen(kw_only=True)
class Fetched:
    """Say what a host said of a file."""

    mime: str | None
    name: str
    """The last part of the address; may be empty."""


class Fetcher:
    """Fetch from the hosts of a list."""

    def __init__(self, hosts: AllowedHosts, settings: AttachmentsSettings, tls: ssl.SSLContext | None = None) -> None:
        """Check by `hosts`, and certificates by `tls`; by the usual authorities when None."""
        self._hosts = hosts
        self._settings = settings
        self._tls = tls

    async def fetch(self, url: str, write: Callable[[bytes], Awaitable[None]]) -> Fetched:
        """Pass a file on piece by piece.

        :raises InvalidRequest: the address may not be asked, or doesn't answer with a file in time.
        """
        limit = asyncio.timeout(self._settings.fetch_s)
        try:
            async with limit, self._answer(_parsed(url)) as (response, name):
                self._refuse(response)
                async for piece in response.aiter_raw(PIECE):
                    await write(piece)
                return Fetched(mime=response.headers.get("content-type"), name=name)
        except httpx.HTTPError as error:
            raise InvalidRequest(f"The file can't be fetched: {type(error).__name__}.") from None
        except TimeoutError:
            if not limit.expired():
                raise
            raise InvalidRequest(f"The file did not come within {self._settings.fetch_s:g} s.") from None

    def _refuse(self, response: httpx.Response) -> None:
        if response.status_code != HTTPStatus.OK:
            raise InvalidRequest(f"The host answers {response.status_code}, not with a file.")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise InvalidRequest("The host sends the file compressed, although it was asked not to.")
        length = response.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._settings.max_file_bytes:
            raise too_large(self._settings)

    @asynccontextmanager
    async def _answer(self, url: httpx.URL) -> AsyncGenerator[tuple[httpx.Response, str]]:
        """Follow redirects to the answer."""
        for _ in range(self._settings.max_redirects + 1):
            addresses = await self._addresses(url)
            async with self._client() as client, _asked(client, url, addresses) as response:
                if response.status_code not in _REDIRECTS:
                    yield response, unquote(posixpath.basename(url.path))
                    return
                url = _parsed(response.headers.get("location", ""), url)
        raise InvalidRequest(f"The host redirects more than {self._settings.max_redirects} times.")

    async def _addresses(self, url: httpx.URL) -> list[str]:
        """Return the addresses of a URL's host that may be connected to; all are checked."""
        host, port = _host(url), url.port or _PORTS[url.scheme]
        if not self._hosts.allow(host, port):
            raise InvalidRequest("The host is none that this gateway fetches files from.")
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise InvalidRequest("The host's name has no address.") from None
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if not addresses or not all(self._hosts.reach(address, port) for address in addresses):
            raise InvalidRequest("The host's address is not public, and the gateway's operator has not allowed it.")
        return addresses

    @asynccontextmanager
    async def _client(self) -> AsyncGenerator[httpx.AsyncClient]:
        if self._tls is None:
            # Reading the certificates takes tens of milliseconds.
            self._tls = await in_thread(lambda _: httpx.create_ssl_context(trust_env=False))
        async with httpx.AsyncClient(
            verify=self._tls, trust_env=False, timeout=self._settings.fetch_s, headers=_HEADERS
        ) as client:
            yield client


@asynccontextmanager
async def _asked(client: httpx.AsyncClient, url: httpx.URL, addresses: list[str]) -> AsyncGenerator[httpx.Response]:
    """Ask the first address that takes the connection, under the host's own name."""
    for address in addresses:
        request = client.build_request(
            "GET",
            url.copy_with(host=address),
            headers={"host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": _host(url)},
        )
        try:
            response = await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if address == addresses[-1]:
                raise
            continue
        try:
            yield response
        finally:
            await response.aclose()
        return


def _parsed(text: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        url = httpx.URL(text) if base is None else base.join(text)
    except (httpx.InvalidURL, UnicodeError):
        raise InvalidRequest("The address is no URL.") from None
    if url.scheme not in _PORTS or not url.host:
        raise InvalidRequest("The address must be an http: or https: URL with a host.")
    if url.userinfo:
        raise InvalidRequest("The address must hold no user name or password.")
    return url


def _host(url: httpx.URL) -> str:
    """Return the host as the network knows it: international names in their ASCII form."""
    return url.raw_host.decode("ascii")
