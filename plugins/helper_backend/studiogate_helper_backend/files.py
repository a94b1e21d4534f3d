"""Attachments as an OpenAI-compatible service takes them: parts of a message's content, the bytes inside as base64."""

import base64
from collections.abc import Mapping
from typing import Any

from studiogate.attachments import Attachment, AttachmentRef

_AUDIO_FORMATS = {"audio/mpeg": "mp3", "audio/wav": "wav", "audio/x-wav": "wav"}
"""Those that OpenAI has a name for; others go by the second half of their type."""


def read_parts(files: Mapping[AttachmentRef, Attachment]) -> dict[AttachmentRef, dict[str, Any]]:
    """Read files, each once, and return a part for each reference. Blocks: for a thread."""
    encoded = {
        attachment.path: base64.b64encode(attachment.path.read_bytes()).decode() for attachment in files.values()
    }
    return {ref: part(attachment, ref, encoded[attachment.path]) for ref, attachment in files.items()}


def part(attachment: Attachment, ref: AttachmentRef, encoded: str) -> dict[str, Any]:
    """Return a file as a part of a message's content.

    :param encoded: its bytes in base64.
    """
    group, _, kind = attachment.mime.partition("/")
    url = f"data:{attachment.mime};base64,{encoded}"
    if group == "image":
        detail = {"detail": ref.detail} if ref.detail else {}
        return {"type": "image_url", "image_url": {"url": url, **detail}}
    if group == "audio":
        audio = {"data": encoded, "format": _AUDIO_FORMATS.get(attachment.mime, kind)}
        return {"type": "input_audio", "input_audio": audio}
    return {"type": "file", "file": {"filename": attachment.filename, "file_data": url}}
