"""When an answer is whole, told from what the page shows of it. Pure: the clock comes from outside.

No sign is enough by itself. Stop is shown as long as the page is at work, and models think in silence for minutes, so
silence alone ends nothing while it is there; but a page may also leave it behind when all is done. Run comes back
disabled, and is so too before anything happens. The page offers to rate an answer that is complete, but not every one.
The network's end is seen before the last words are shown. So signs are combined, and each combination has to hold for a
while, the longer the weaker it is.
"""

from enum import StrEnum

import attrs

from studiogate_dom_scrape.page_state import Seen
from studiogate_dom_scrape.settings import DomScrapeSettings
from studiogate_studio.probe import RunState

_SURE_S = 0.04
"""How long the strongest signs have to hold: two looks, the page quiet in between."""
_LIKELY_S = 0.4


class Verdict(StrEnum):
    """What is to be thought of an answer."""

    GOING = "going"
    WHOLE = "whole"
    LOST = "lost"
    """The page shows neither an answer nor that it is at work on one."""


@attrs.define
class Ending:
    """Watch one answer for its end."""

    settings: DomScrapeSettings
    _digest: str | None = attrs.field(default=None, init=False)
    _since: float = attrs.field(default=0.0, init=False)
    """When the page last showed anything new, by the caller's clock in seconds."""

    def judge(self, seen: Seen, now: float) -> Verdict:
        """Return what to think of the answer, given one more look at it."""
        if seen.digest != self._digest:
            self._digest, self._since = seen.digest, now
        needed = self._needed_s(seen)
        if needed is None or now - self._since < needed:
            return Verdict.GOING
        return Verdict.WHOLE if _something(seen) or seen.rated else Verdict.LOST

    def patience_s(self, seen: Seen) -> float:
        """Return how long it is worth to wait for something new to be shown."""
        needed = self._needed_s(seen)
        return 1.0 if needed is None else min(1.0, max(_SURE_S, needed))

    def _needed_s(self, seen: Seen) -> float | None:
        """Return how long the page has to stay as it is for the answer to be over; None for ever."""
        complete = seen.rated or seen.asked
        if seen.run is RunState.GENERATING or (seen.loading and not complete):
            return self.settings.stuck_s if complete or seen.ended else None
        if complete or seen.troubles:
            return _SURE_S if seen.ended else _LIKELY_S
        if not _something(seen):
            # A page without a composer is none that will show one: it leads to the sign-in form, for example.
            if seen.run is RunState.ABSENT:
                return self.settings.settle_s
            return min(2 * self.settings.settle_s, self.settings.lost_s) if seen.ended else self.settings.lost_s
        return self.settings.settle_s if seen.editable or seen.ended else 2 * self.settings.settle_s


def _something(seen: Seen) -> bool:
    # A known text is told by its cursor, so a piece may be empty; a bubble that holds nothing is still at work.
    return bool(seen.turns or seen.troubles)
