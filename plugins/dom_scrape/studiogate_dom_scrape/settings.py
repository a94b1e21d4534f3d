"""The `[dom_scrape]` table of plugins.toml."""

import attrs

from studiogate.strict import positive, within


@attrs.frozen(kw_only=True)
class DomScrapeSettings:
    """Configure how the page's answer is read. Times are in seconds."""

    enabled: bool = True
    """Whether the plugin counts as listed."""
    settle_s: float = attrs.field(default=2.5, validator=positive)
    """How long an answer that the page doesn't mark as complete has to stay as it is, Stop gone, to count as whole."""
    stuck_s: float = attrs.field(default=3.0, validator=positive)
    """The same while the page still shows Stop, but also that the answer is complete."""
    lost_s: float = attrs.field(default=15.0, validator=positive)
    """How long the page may show neither an answer nor that it is at work on one."""
    source_s: float = attrs.field(default=3.0, validator=positive)
    """How long the page gets to show an answer's source; then what it has rendered is turned back into markdown."""
    pace_s: float = attrs.field(default=0.025, validator=within(0, 5))
    """The least time between two looks at a growing answer."""
