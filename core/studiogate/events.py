"""What a backend says: the events of one answer.

A backend yields these in order; everything a client sees is made from them, in `studiogate.openai.response` alone.
Text and thoughts are deltas to append; a tool call is whole; the last usage counts; `Finish` ends the answer.
"""

from enum import StrEnum

import attrs


@attrs.frozen(kw_only=True)
class TextDelta:
    """Append a piece to the answer."""

    text: str
    """Never empty."""


@attrs.frozen(kw_only=True)
class ThoughtDelta:
    """Append a piece to the model's visible reasoning."""

    text: str
    """Never empty."""


@attrs.frozen(kw_only=True)
class ToolCall:
    """Ask for one call of a declared function; always whole, never a delta."""

    id: str
    """Unique within the answer; the result comes back under it."""
    name: str
    """The declared function's name."""
    arguments: str
    """A JSON object, as text."""


@attrs.frozen(kw_only=True)
class Media:
    """Hand over a generated image or piece of audio."""

    mime: str
    """For example `image/png`."""
    data: bytes
    """The file's bytes, decoded."""


@attrs.frozen(kw_only=True)
class Citation:
    """Name a source of the answer."""

    url: str
    title: str
    start: int | None = None
    """Where the cited passage starts in the answer's text, in characters; None when the backend can't tell."""
    end: int | None = None
    """Where it ends, exclusive, in characters."""


@attrs.frozen(kw_only=True)
class Usage:
    """Count tokens so far; the last one of an answer holds."""

    prompt: int = 0
    """Tokens of the prompt, tool results included."""
    completion: int = 0
    """Tokens of the answer, reasoning included (as OpenAI counts)."""
    reasoning: int = 0
    """The part of `completion` spent on reasoning."""
    cached: int = 0
    """The part of `prompt` served from a cache."""


class FinishReason(StrEnum):
    """Why an answer ended, in OpenAI's words."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


@attrs.frozen(kw_only=True)
class Finish:
    """End the answer. Nothing follows but `Usage`."""

    reason: FinishReason
    message: str | None = None
    """The upstream's own words, where it gave any; for the log and for content filters."""


@attrs.frozen(kw_only=True)
class Progress:
    """Tell whoever waits that something goes on; no part of the answer. A stream shows it as a comment."""

    text: str
    """A few words, such as `running get_weather`; nothing of prompts, arguments or results."""


type Event = TextDelta | ThoughtDelta | ToolCall | Media | Citation | Usage | Finish | Progress
