"""Attachments: what a request refers to, and the local files made of it."""

from pathlib import Path

import attrs


@attrs.frozen(kw_only=True)
class AttachmentRef:
    """Point at something the client wants to go with a message; no plugin has looked at it yet."""

    source: str = attrs.field(repr=False, hash=False)
    """A URL (`data:`, `https:`, `file:`), a path, or bare base64, exactly as the client sent it. Empty once there is a
    file: it may be as big, and requests wait. For the same reason it is no part of the hash."""
    param: str
    """Where it stood in the request, for error messages: `messages[0].content[1].image_url`."""
    data: memoryview | None = attrs.field(default=None, repr=False, eq=False)
    """Where a source of data (base64, a data URL) is long: its bytes, all of them; `source` is only its beginning then.
    None where `source` is all."""
    mime: str | None = None
    """As the client declared it: a type, or a word such as `mp3` or `image`. Not to be trusted."""
    filename: str | None = None
    """As the client declared it; not to be trusted."""
    detail: str | None = None
    """OpenAI's `detail` of an image: auto, low or high."""

    def settled(self) -> "AttachmentRef":
        """Return it without its source, as it is once there is a file."""
        return attrs.evolve(self, source="", data=None)


def _ends_path(attachment: "Attachment", _: object, filename: str) -> None:
    if attachment.path.name != filename:
        raise ValueError("an attachment's filename must be the last part of its path")


@attrs.frozen(kw_only=True)
class Attachment:
    """Name a local file made from a reference; the exchange owns it and removes it."""

    ref: AttachmentRef
    path: Path
    """Its last part is `filename`, as pages take the name from there."""
    mime: str
    """Recognised from the bytes."""
    filename: str = attrs.field(validator=_ends_path)
    """The name the upstream will see: no folders, no control characters."""
    size: int
    """Bytes."""
