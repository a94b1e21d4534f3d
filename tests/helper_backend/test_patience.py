"""How long a silent service is waited for, by what the browser tells of the page's request."""

import asyncio

import pytest

from studiogate_helper_backend.errors import ServiceError
from studiogate_helper_backend.page_request import PageRequest
from studiogate_helper_backend.patience import Patience


def ended(ago_s: float = 10.0, *, status: int | None = 200, whole: bool = True) -> PageRequest:
    """Return a request that ended a while ago."""
    request = PageRequest("rpc.example")
    request.sent, request.status, request.whole = True, status, whole
    request.over_at = asyncio.get_running_loop().time() - ago_s
    return request


def silent(request: PageRequest | None, lag_s: float = 1.0) -> Patience:
    """Return the patience with a service that has been silent for longer than any lag."""
    patience = Patience(request=request, lag_s=lag_s)
    patience._last -= 100  # pyright: ignore[reportPrivateUsage]
    return patience


async def test_while_the_page_waits_so_does_everybody() -> None:
    """A model may think for minutes."""
    silent(PageRequest("rpc.example")).check()


async def test_the_service_may_lag_behind_the_page() -> None:
    """For a while after its last word, too."""
    silent(ended(0.5)).check()
    patience = silent(ended())
    patience.renew()
    patience.check()


@pytest.mark.parametrize(
    ("status", "whole", "expected", "words"),
    [
        (200, True, 504, "did not tell anything of an answer that the page has whole"),
        (None, True, 504, "did not tell anything"),
        (200, False, 502, "broke off on its way to the page"),
        (429, True, 429, "quota is used up"),
        (401, True, 503, "signed out"),
        (418, True, 502, "AI Studio failed"),
    ],
)
async def test_what_a_long_silence_means(status: int | None, whole: bool, expected: int, words: str) -> None:  # noqa: FBT001
    """The page's own request says it, and what to tell the client."""
    with pytest.raises(ServiceError) as told:
        silent(ended(status=status, whole=whole)).check()

    assert (told.value.status, words in told.value.reason) == (expected, True)


async def test_an_answer_that_stops_in_the_middle_is_told_as_that() -> None:
    """Something came, and then the end did not."""
    patience = silent(ended(), lag_s=0.0001)
    patience.renew()
    await asyncio.sleep(0.001)
    with pytest.raises(ServiceError, match="did not tell the end"):
        patience.check()


async def test_where_nothing_is_known_of_the_page_the_first_word_must_come_soon() -> None:
    """What comes after it is the gateway's to wait for."""
    with pytest.raises(ServiceError, match="told nothing of an answer that is under way"):
        silent(None).check()
    patience = Patience(request=None, lag_s=0)
    patience.renew()
    patience.check()


async def test_an_end_without_a_reason_is_one_if_the_page_says_so() -> None:
    """A service may say that it is done where the stream was cut."""
    assert await silent(ended()).is_whole()
    assert await silent(None).is_whole()
    assert not await silent(ended(whole=False)).is_whole()
    assert not await silent(PageRequest("rpc.example"), lag_s=0.01).is_whole()
