"""Token counts of a frame, in OpenAI's sums."""

from studiogate.events import Usage
from studiogate_studio.wire.indices import UsageCounts
from studiogate_studio.wire.jspb import Json, int_at


def read_usage(counts: Json) -> Usage | None:
    """Return the running totals in a frame's usage field, None where it has none.

    What server-side tools added to the prompt counts as prompt, thoughts count as completion. Totals may fall towards
    the end of an answer, so the last ones hold.
    """
    if not isinstance(counts, list) or all(count is None for count in counts):
        return None

    def count(index: UsageCounts) -> int:
        return max(0, int_at(counts, index) or 0)

    thoughts = count(UsageCounts.THOUGHTS)
    return Usage(
        prompt=count(UsageCounts.PROMPT) + count(UsageCounts.TOOL_PROMPT),
        completion=count(UsageCounts.CANDIDATES) + thoughts,
        reasoning=thoughts,
        cached=count(UsageCounts.CACHED),
    )
