"""What can go wrong with the browser and its page.

    studiogate.errors.Unavailable     the next backend tries
    └── StudioError                   never raised directly
        ├── NotReady          503     the browser starts, restarts or lacks something; or no tab was free in time
        ├── SignedOut         503     the account's cookies are missing, expired or refused
        ├── PromptRefused     502     the page did not take the prompt; it was certainly not sent
        └── PageBroken        502     the page, tab or browser broke, or looks like nothing we know
    studiogate.errors.InvalidRequest  final
    └── FileRefused           400     the page does not take a file

They are `Unavailable` already, or what the client is told, so a backend lets them through before its first event.
Messages hold no prompt, no path and no cookie.
"""

from typing import ClassVar

from studiogate.errors import InvalidRequest, Unavailable


class StudioError(Unavailable):
    """Base of this distribution's errors; never raised directly."""

    default_status: ClassVar[int] = 502
    default_retry_after_s: ClassVar[float | None] = None

    def __init__(self, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(
            reason,
            retry_after_s=self.default_retry_after_s if retry_after_s is None else retry_after_s,
            status=self.default_status,
        )


class NotReady(StudioError):  # noqa: N818 - a verdict, not a failure
    """The browser isn't ready: it starts, restarts, or the operator has to do something first."""

    default_status = 503
    default_retry_after_s = 5.0


class SignedOut(StudioError):  # noqa: N818
    """Nobody is signed in: the page leads to the sign-in form, or the profile's cookies are dead."""

    default_status = 503
    default_retry_after_s = 60.0


class PromptRefused(StudioError):  # noqa: N818
    """The page did not take the prompt; it was certainly not sent, so another backend may send it."""


class PageBroken(StudioError):  # noqa: N818
    """The page does not do what it should, or is gone.

    `element` is the one that none of its candidates finds, where that is why.
    """

    element: str | None = None


def missing(element: str, what: str) -> PageBroken:
    """Return what it means that no candidate finds an element.

    :param what: what the page doesn't show, in words.
    """
    error = PageBroken(f"The page shows no {what}; if it has changed, set studio.selectors.")
    error.element = element
    return error


def before_quotes(message: str) -> str:
    """Return what may be logged of Playwright's message: the first line. What follows quotes the page, prompts too."""
    return message.partition("\n")[0]


class FileRefused(InvalidRequest):
    """The page does not take a file, for its kind, its size or whatever it says; in another tab it wouldn't either."""

    default_code = "attachment_refused"
