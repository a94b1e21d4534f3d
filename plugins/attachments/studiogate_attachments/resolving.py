"""One request's references, made into files.

    workdir/attachments/3.part            the third source on its way in
    workdir/attachments/3/report.pdf      recognised and named

What comes from other hosts is fetched side by side; the rest takes its turn in threads, few at a time for the whole
gateway, so that decoding leaves the event loop its share. Everything a reference is refused for is raised with its
place.
"""

import asyncio
import logging
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import attrs

from studiogate.attachments import Attachment, AttachmentRef
from studiogate.errors import ClientError, InvalidRequest, TooLarge
from studiogate_attachments.background import Wanted, in_thread
from studiogate_attachments.decoding import decoded
from studiogate_attachments.expansion import refuse_bombs
from studiogate_attachments.hosts import AllowedHosts
from studiogate_attachments.kinds import Kind, Recognizer, kind_named
from studiogate_attachments.local_files import SharedFolders
from studiogate_attachments.names import file_name
from studiogate_attachments.settings import AttachmentsSettings
from studiogate_attachments.sources import Data, LocalFile, Remote, Source, source_of
from studiogate_attachments.storing import Budget, NewFile

if TYPE_CHECKING:
    from studiogate_attachments.fetching import Fetcher

log = logging.getLogger(__name__)

THREADS = 2
"""Files that are decoded, copied or looked at side by side in the whole gateway: each holds up the loop a little."""
FETCHES = 8
"""Files that are fetched side by side in the whole gateway."""


@attrs.frozen(kw_only=True)
class Said:
    """Say what is said of a file; none of it is to be trusted."""

    declared: tuple[str, ...]
    """Types, the most trusted first."""
    name: str
    """May be empty."""

    @classmethod
    def of(cls, ref: AttachmentRef, mime: str | None = None, name: str = "") -> "Said":
        """Join what the client says with what the file's origin does."""
        declared = tuple(word for word in (ref.mime, mime) if word)
        return cls(declared=declared, name=ref.filename or name)


@attrs.frozen(kw_only=True)
class Stored:
    """A file that came in whole, not named yet."""

    path: Path
    size: int
    sha256: str
    kind: Kind
    name: str
    """As it is called so far; may be empty."""


class Resolver:
    """Make files of references, as the settings allow."""

    def __init__(self, settings: AttachmentsSettings, hosts: AllowedHosts) -> None:
        self._settings = settings
        self._recognizer = Recognizer()
        self._shared = SharedFolders(settings.allowed_roots)
        self._fetcher = _fetcher(hosts, settings) if hosts else None
        self._threads = asyncio.Semaphore(THREADS)
        self._fetches = asyncio.Semaphore(FETCHES)

    async def resolve(self, refs: Sequence[AttachmentRef], workdir: Path) -> Mapping[AttachmentRef, Attachment]:
        """Return the files of those references that are ours; equal files once.

        :raises InvalidRequest: one can't be read, or isn't allowed.
        :raises TooLarge: one is over a limit, or all are.
        """
        sources = {ref: source for ref in refs if (source := _source(ref)) is not None}
        if not sources:
            return {}
        if len(sources) > self._settings.max_files:
            late = list(sources)[self._settings.max_files]
            raise TooLarge(f"A request may have at most {self._settings.max_files} files.", param=late.param)
        folder = workdir / "attachments"
        folder.mkdir(mode=0o700)
        stored = await self._all_stored(sources, folder)
        return await in_thread(lambda _: _named(stored))

    async def _all_stored(self, sources: Mapping[AttachmentRef, Source], folder: Path) -> dict[AttachmentRef, Stored]:
        """Store every source, side by side; the first that can't be ends all."""
        budget = Budget(self._settings)
        firsts: dict[Source, AttachmentRef] = {}
        for ref, source in sources.items():
            firsts.setdefault(source, ref)
        try:
            async with asyncio.TaskGroup() as group:
                coming = {
                    source: group.create_task(self._stored(ref, source, NewFile(folder / f"{number}.part", budget)))
                    for number, (source, ref) in enumerate(firsts.items(), 1)
                }
        except ExceptionGroup as errors:
            raise _told(errors) from None
        return {ref: coming[source].result() for ref, source in sources.items()}

    async def _stored(self, ref: AttachmentRef, source: Source, file: NewFile) -> Stored:
        try:
            match source:
                case Data():
                    return await self._kept(decoded(source), file, Said.of(ref, source.mime))
                case LocalFile():
                    said = Said.of(ref, name=PurePosixPath(source.path).name)
                    return await self._kept(self._shared.pieces(source.path), file, said)
                case Remote():
                    return await self._fetched(source, file, ref)
        except ClientError as error:
            error.param = error.param or ref.param
            raise

    async def _kept(self, pieces: Generator[bytes], file: NewFile, said: Said) -> Stored:
        """Store what is at hand, and look at it, in one thread."""

        def work(wanted: Wanted) -> Stored:
            with closing(pieces), file:
                for piece in pieces:
                    wanted.check()
                    file.write(piece)
            return self._examined(file, said, wanted)

        async with self._threads:
            return await in_thread(work)

    async def _fetched(self, source: Remote, file: NewFile, ref: AttachmentRef) -> Stored:
        fetcher = self._fetcher
        if fetcher is None:
            raise InvalidRequest(
                "This gateway fetches no files. Send the file itself, as a data: URL; or its operator can allow the "
                "host: allowed_hosts in the [attachments] table of plugins.toml."
            )

        async def write(piece: bytes) -> None:
            async with self._threads:
                await in_thread(lambda _: file.write(piece))

        async with self._fetches:
            with file:
                fetched = await fetcher.fetch(source.url, write)
        said = Said.of(ref, fetched.mime, fetched.name)
        async with self._threads:
            return await in_thread(lambda wanted: self._examined(file, said, wanted))

    def _examined(self, file: NewFile, said: Said, wanted: Wanted) -> Stored:
        """Recognise a stored file, and refuse it if it is none of ours. Blocks."""
        kind = self._recognizer.recognize(file.path, (*said.declared, said.name), wanted.check)
        refuse_bombs(file.path, kind, self._settings.max_decode_ratio, wanted.check)
        _note_mismatch(said.declared, kind)
        return Stored(path=file.path, size=file.size, sha256=file.sha256, kind=kind, name=said.name)


def _fetcher(hosts: AllowedHosts, settings: AttachmentsSettings) -> "Fetcher":
    from studiogate_attachments.fetching import Fetcher  # noqa: PLC0415 - an HTTP client that most have no use for

    return Fetcher(hosts, settings)


def _source(ref: AttachmentRef) -> Source | None:
    try:
        return source_of(ref)
    except ClientError as error:
        error.param = ref.param
        raise


def _told(errors: ExceptionGroup[Exception]) -> Exception:
    """Return what a client is told of the errors that came at once: one, unless some are bugs."""
    told, bugs = errors.split(ClientError)
    if bugs is not None or told is None:
        return errors
    first = told.exceptions[0]
    return _told(first) if isinstance(first, ExceptionGroup) else first


def _note_mismatch(declared: Iterable[str], kind: Kind) -> None:
    """Log a file that was declared as another kind, by kinds only: what clients write may be anything."""
    for word in declared:
        said = kind_named(word)
        if said is not None and said is not kind:
            log.info("an attachment declared as %s is %s, and goes as that", said.mime, kind.mime)
            return


def _named(stored: Mapping[AttachmentRef, Stored]) -> Mapping[AttachmentRef, Attachment]:
    """Give each content its name, once, and remove what came twice. Blocks."""
    kept: dict[str, Attachment] = {}
    numbers: dict[str, int] = {}
    for ref, file in stored.items():
        if file.sha256 in kept:
            file.path.unlink(missing_ok=True)
            continue
        number = numbers[file.kind.group] = numbers.get(file.kind.group, 0) + 1
        name = file_name(file.name, file.kind, number)
        folder = file.path.with_suffix("")
        folder.mkdir(mode=0o700)
        path = file.path.rename(folder / name)
        kept[file.sha256] = Attachment(ref=ref, path=path, mime=file.kind.mime, filename=name, size=file.size)
    return {ref: kept[file.sha256] for ref, file in stored.items()}
