"""Files, images, audio and video of requests, made into local files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from studiogate.attachments import Attachment, AttachmentRef
from studiogate.hookspecs import hookimpl
from studiogate_attachments.resolving import Resolver
from studiogate_attachments.settings import AttachmentsSettings

__all__ = ["Attachments", "AttachmentsSettings"]


class Attachments:
    """The plugin `attachments`: data URLs and base64, shared files, allowed hosts."""

    settings: ClassVar[type[AttachmentsSettings]] = AttachmentsSettings

    def __init__(self, settings: AttachmentsSettings) -> None:
        self.options = settings
        """This plugin's settings; `settings` is their class."""
        self._resolver = Resolver(settings)

    @hookimpl
    async def resolve_attachments(
        self, refs: Sequence[AttachmentRef], workdir: Path
    ) -> Mapping[AttachmentRef, Attachment]:
        """Take every reference that is data, a path or a URL of the schemes above; leave others."""
        return await self._resolver.resolve(refs, workdir)
