"""What the page shows of an answer, as `reading.js` tells it."""

import attrs

from studiogate_studio.probe import RunState


@attrs.frozen(kw_only=True)
class Piece:
    """What a growing text has more than its reader knows of it."""

    same: bool
    """Whether it still begins with what the reader knows; else the piece is all of it."""
    sure: str
    """What will stay as it is."""
    rest: str
    """What follows, and may turn into something else yet."""


@attrs.frozen(kw_only=True)
class ShownCall:
    """A function call that the page shows."""

    name: str
    arguments: str
    """As shown: JSON, perhaps not all of it yet."""


@attrs.frozen(kw_only=True)
class Trouble:
    """Something that the page says went wrong."""

    where: str
    """`turn`: in the answer itself; else what shows it: `toast`, `callout` or `snackbar`."""
    said: str
    """The page's words, at most 500 characters."""


@attrs.frozen(kw_only=True)
class Seen:
    """What the page shows of an answer at one moment."""

    digest: str
    """Differs whenever any of the rest does."""
    run: RunState
    loading: bool
    """Whether a bubble of the answer shows that it is at work."""
    rated: bool
    """Whether the last bubble offers to rate it, as complete ones do."""
    editable: bool
    """Whether the last bubble can be edited."""
    asked: bool
    """Whether the page waits for what a function returned."""
    ended: bool
    """Whether the network has brought the answer to an end; false also where that can't be told."""
    turns: int
    """Bubbles of the answer."""
    thoughts: Piece
    text: Piece
    calls: tuple[ShownCall, ...]
    media: int
    """Images and other files that the model made."""
    loaded: bool
    """Whether all images are there."""
    troubles: tuple[Trouble, ...]


@attrs.frozen(kw_only=True)
class ShownText:
    """A text from its source."""

    text: str | None
    """None where the page doesn't give it."""


@attrs.frozen(kw_only=True)
class ShownMedia:
    """A file that the model made."""

    mime: str
    data: str
    """Base64; empty where the page doesn't hand it over."""


@attrs.frozen(kw_only=True)
class ShownSource:
    """A source that the page names."""

    url: str
    title: str
