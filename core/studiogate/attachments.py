"""Attachments: what a request refers to, and the local files made of it."""

from pathlib import Path

import attrs


@attrs.frozen(kw_only=True)
class AttachmentRef:
    """Point at something the client wants to go with a message; no plugin has looked at it yet."""

    source: str
    """A URL (`data:`, `https:`, `file:`), a path, or bare base64, exactly as the client sent it."""
    param: str
    """Where it stood in the request, for error messages: `messages[0].content[1].image_url`."""
    mime: str | None = None
    """As the client declared it; not to be trusted."""
    filename: str | None = None
    """As the client declared it; not to be trusted."""
    detail: str | None = None
    """OpenAI's `detail` of an image: auto, low or high."""


@attrs.frozen(kw_only=True)
class Attachment:
    """Name a local file made from a reference; the exchange owns it and removes it."""

    ref: AttachmentRef
    path: Path
    mime: str
    """Recognised from the bytes."""
    filename: str
    """The name the upstream will see: no folders, no control characters."""
    size: int
    """Bytes."""
