"""How long a silent helper service is waited for."""

import asyncio

import attrs

from studiogate_helper_backend.errors import ServiceError
from studiogate_helper_backend.page_request import PageRequest

LOOK_S = 0.25
"""Seconds of silence after which the page is looked at."""
_OK = 200

PAGE_REFUSED: dict[int, tuple[int, str]] = {
    400: (400, "AI Studio refused the request"),
    401: (503, "the account is signed out"),
    403: (502, "AI Studio refused the request (no permission for this model, or a proof it doesn't accept)"),
    429: (429, "the account's quota is used up"),
    504: (504, "AI Studio took too long"),
}
"""HTTP status of the page's own request -> (status for the client, what it means)."""


@attrs.define
class Patience:
    """Say how long a silent service is waited for: as long as the page has no whole answer either, and then some."""

    request: PageRequest | None
    """None where nothing is known of the page; then only the first word must come soon."""
    lag_s: float
    _last: float = attrs.field(factory=lambda: asyncio.get_running_loop().time(), init=False)
    _heard: bool = attrs.field(default=False, init=False)

    def renew(self) -> None:
        """Note that something came."""
        self._last, self._heard = asyncio.get_running_loop().time(), True

    def check(self) -> None:
        """Raise what a silence means that lasts too long.

        :raises ServiceError: the page's request was refused or broke off, or the service is behind with its answer.
        """
        now = asyncio.get_running_loop().time()
        if self.request is None:
            if not self._heard and now - self._last > self.lag_s:
                raise ServiceError("the helper service told nothing of an answer that is under way")
            return
        over_at = self.request.over_at
        if over_at is None or now - max(over_at, self._last) <= self.lag_s:
            return
        if self.request.status not in {None, _OK}:
            raise _page_refused(self.request.status or 0)
        if not self.request.whole:
            raise ServiceError("the answer broke off on its way to the page")
        told = "the end" if self._heard else "anything"
        raise ServiceError(f"the helper service did not tell {told} of an answer that the page has whole", status=504)

    async def is_whole(self) -> bool:
        """Tell whether the page's answer came to its end, once that can be told."""
        if self.request is None:
            return True
        try:
            async with asyncio.timeout(self.lag_s):
                while self.request.over_at is None:  # noqa: ASYNC110 - told by the browser's events, at most LOOK_S late
                    await asyncio.sleep(LOOK_S / 5)
        except TimeoutError:
            return False
        return self.request.whole


def _page_refused(status: int) -> ServiceError:
    to_client, meaning = PAGE_REFUSED.get(status, (502, "AI Studio failed"))
    return ServiceError(f"{meaning}: the page's request was answered with HTTP {status}", status=to_client)
