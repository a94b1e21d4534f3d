"""The circuit breaker of a backend: one that keeps failing is asked last, so that requests don't wait for it first.

    closed ── so many in a row  ──> open ── after `pause_s` ──> half open: one request tries
       ^                               ^                              │
       └────────── an answer ──────────┼────────── failed ────────────┘

Only what speaks against the backend itself counts: it broke, fell silent or is faulty. Being declined, out of quota,
signed out or still starting is said at once and costs nobody any time, and what a client got wrong or cancelled isn't
the backend's doing.
"""

import asyncio
from enum import StrEnum

import attrs

from studiogate.errors import ClientError, Unavailable

COUNTED = (500, 502, 504)
"""Statuses of failures that speak against a backend: faulty, broken, silent."""


class BreakerState(StrEnum):
    """How a breaker stands."""

    CLOSED = "closed"
    """The backend is asked in its turn."""
    OPEN = "open"
    """It failed too often: it is asked only when no other could answer."""
    HALF_OPEN = "half open"
    """The pause is over: one request asks it in its turn, and what comes of it decides."""


@attrs.define
class Breaker:
    """Count a backend's failures. Lives on the loop's thread only."""

    failures_allowed: int = attrs.field(kw_only=True)
    """Failures in a row that open it."""
    pause_s: float = attrs.field(kw_only=True)
    """Seconds from the last failure until it is half open."""
    _failures: int = attrs.field(default=0, init=False)
    _until: float = attrs.field(default=0.0, init=False)
    """When the pause ends, in the event loop's time, seconds."""
    _trying: bool = attrs.field(default=False, init=False)
    """Whether the one request of a half open breaker is under way."""

    @property
    def state(self) -> BreakerState:
        """Return how it stands now."""
        if self._failures < self.failures_allowed:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.again_in_s > 0 else BreakerState.HALF_OPEN

    @property
    def failures(self) -> int:
        """Return how often the backend failed in a row."""
        return self._failures

    @property
    def again_in_s(self) -> float:
        """Return the seconds until an open breaker lets a request try; 0 for one that isn't open."""
        if self._failures < self.failures_allowed:
            return 0.0
        return max(0.0, self._until - asyncio.get_running_loop().time())

    def admits(self) -> bool:
        """Tell whether a request may ask the backend in its turn; of a half open breaker's, only the first."""
        state = self.state
        if state is BreakerState.HALF_OPEN and not self._trying:
            self._trying = True
            return True
        return state is BreakerState.CLOSED

    def answered(self) -> None:
        """Note an answer: closes the breaker."""
        self._failures = 0
        self._trying = False

    def ended(self, error: BaseException) -> None:
        """Note an attempt that ended with an error, whatever it was."""
        self._trying = False
        if isinstance(error, Unavailable | ClientError) and error.status in COUNTED:
            self._failures += 1
            self._until = asyncio.get_running_loop().time() + self.pause_s
