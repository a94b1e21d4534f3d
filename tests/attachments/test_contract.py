"""The plugin keeps the contract of attachments."""

import base64
from typing import ClassVar

from studiogate.testing import AttachmentsContract
from studiogate_attachments import Attachments

from .samples import png


def data_url(data: bytes, mime: str) -> str:
    """Write data as a client does."""
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


class TestContract(AttachmentsContract):
    """Data of two kinds is its own; what isn't base64, or what it may not fetch, is refused."""

    plugin = Attachments
    own = (data_url(png(), "image/png"), data_url(b"%PDF-1.4 a document", "application/pdf"))
    wrong: ClassVar = ("data:image/png;base64,%%%", "https://files.example.com/a.png", "file:///etc/hostname")
