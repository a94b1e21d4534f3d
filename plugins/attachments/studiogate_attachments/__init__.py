"""Files, images, audio and video of requests, made into local files."""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from studiogate.attachments import Attachment, AttachmentRef
from studiogate.hookspecs import hookimpl
from studiogate_attachments.hosts import AllowedHosts
from studiogate_attachments.settings import AttachmentsSettings

if TYPE_CHECKING:
    from studiogate_attachments.resolving import Resolver

log = logging.getLogger(__name__)

__all__ = ["Attachments", "AttachmentsSettings"]


class Attachments:
    """The plugin `attachments`: data URLs and base64, shared files, allowed hosts."""

    settings: ClassVar[type[AttachmentsSettings]] = AttachmentsSettings

    def __init__(self, settings: AttachmentsSettings) -> None:
        self.options = settings
        """This plugin's settings; `settings` is their class."""
        self._hosts = AllowedHosts(settings.allowed_hosts)
        self._resolver: Resolver | None = None

    @hookimpl
    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Say which shared folders aren't there; take files while the gateway serves."""
        from studiogate_attachments.resolving import Resolver  # noqa: PLC0415 - brings libmagic's code

        self._resolver = Resolver(self.options, self._hosts)
        for index, root in enumerate(self.options.allowed_roots):
            if not root.is_dir():
                log.warning("[attachments] allowed_roots[%d] is no folder; nothing of it can be read", index)
        try:
            yield
        finally:
            self._resolver = None

    @hookimpl
    async def resolve_attachments(
        self, refs: Sequence[AttachmentRef], workdir: Path
    ) -> Mapping[AttachmentRef, Attachment] | None:
        """Take every reference that is data, a path, or a `file:`, `http:` or `https:` URL; leave others."""
        return await self._resolver.resolve(refs, workdir) if self._resolver else None
