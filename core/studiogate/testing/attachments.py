"""The contract of a plugin for attachments, as tests."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import attrs

from studiogate.attachments import Attachment, AttachmentRef
from studiogate.errors import ClientError
from studiogate.plugins import Implementation
from studiogate.testing.blocking import watching
from studiogate.testing.contract import MARK, Contract
from studiogate.testing.listening import listening
from studiogate.testing.rules import NotTried, RuleBroken, rule
from studiogate.testing.steps import check_cancelled, done

FOREIGN = f"studiogate-testing:{MARK}"
"""A reference that is nobody's."""

type Resolved = Mapping[AttachmentRef, Attachment]


class AttachmentsContract(Contract):
    """Hold a plugin to the contract of `resolve_attachments`.

    class TestContract(AttachmentsContract):
        plugin = MyFiles
        own = ["myfiles:report.pdf"]
    """

    own: ClassVar[Sequence[str]] = ()
    """References, as a client writes them, that the plugin makes into files."""
    wrong: ClassVar[Sequence[str]] = ()
    """References that are the plugin's and can't be read, each of which it refuses."""
    cancellations: ClassVar[int] = 50
    """Of its awaits, how many are tried as the place where it is cancelled, spread evenly."""

    @asynccontextmanager
    async def resolving(self) -> AsyncGenerator["Resolving"]:
        """Run a gateway around the plugin and resolve references with it."""
        with tempfile.TemporaryDirectory(prefix="studiogate-testing-") as folder:
            async with self.living() as gateway:
                hooks = gateway.plugins.implementations("resolve_attachments")
                mine = [each for each in hooks if each.plugin == self.listed_as]
                if not mine:
                    raise RuleBroken("there is no resolve_attachments", "it is implemented and marked with @hookimpl")
                yield Resolving(hook=mine[0], folder=Path(folder), patience_s=self.patience_s)

    async def use(self) -> None:
        """Resolve once."""
        async with self.resolving() as resolving:
            await resolving.files(*self.own, FOREIGN)

    @rule("References that aren't its own it leaves to others.")
    async def test_leaves_others(self) -> None:
        """Offer it a reference that is nobody's."""
        async with self.resolving() as resolving:
            files = await resolving.files(FOREIGN)
        if files:
            raise RuleBroken(f"a file for a reference of the kind {FOREIGN.partition(':')[0]}:", "it is left out")

    @rule("References that are its own become files that are there, of the size, the name and the type they say.")
    async def test_takes_own(self) -> None:
        """Offer it its own references."""
        self._need(self.own, "own")
        async with self.resolving() as resolving:
            files = await resolving.files(*self.own, FOREIGN)
            sources = {ref.source for ref in files}
            if missing := [source for source in self.own if source not in sources]:
                raise RuleBroken(f"no file for {_cut(missing[0])}", "each of its own is in the mapping")
            for ref, file in files.items():
                if not file.path.is_file():
                    raise RuleBroken(f"no file at the path for {_cut(ref.source)}", "the file is there when it returns")
                if (size := file.path.stat().st_size) != file.size:
                    raise RuleBroken(f"size {file.size} for a file of {size} bytes", "`size` in bytes")
                if "/" not in file.mime:
                    raise RuleBroken(f"the type {file.mime!r}", "a type such as image/png, recognised from the bytes")
                if file.ref != ref:
                    raise RuleBroken(
                        f"the file of {_cut(ref.source)} names another reference", "`ref` is the reference"
                    )

    @rule("Its files lie in the folder of the exchange, which is removed with it.")
    async def test_files_inside(self) -> None:
        """Look where its files are."""
        self._need(self.own, "own")
        async with self.resolving() as resolving:
            for ref, file in (await resolving.files(*self.own)).items():
                if not file.path.resolve().is_relative_to(resolving.folder.resolve()):
                    raise RuleBroken(
                        f"a file for {_cut(ref.source)} outside of `workdir`", "it is written to `workdir`"
                    )

    @rule("It answers for the references it was offered, and for no others.")
    async def test_offered_only(self) -> None:
        """Look at what it returns for the first of its own."""
        self._need(self.own, "own")
        async with self.resolving() as resolving:
            refs = resolving.refs(self.own[:1])
            for ref in await resolving.of(refs):
                if ref not in refs:
                    raise RuleBroken(
                        f"a file for {_cut(ref.source)}, which it was not asked for", "the refs it was given"
                    )

    @rule("A reference that is its own and can't be read is refused with InvalidRequest or TooLarge.")
    async def test_refuses_wrong(self) -> None:
        """Offer it references that can't be read."""
        self._need(self.wrong, "wrong")
        async with self.resolving() as resolving:
            for source in self.wrong:
                ended = await done(resolving.begun(resolving.refs([source])), self.patience_s)
                if not isinstance(ended.error, ClientError):
                    became = "taken or left" if ended.error is None else type(ended.error).__name__
                    raise RuleBroken(f"{_cut(source)}: {became}", "InvalidRequest, which names `ref.param`")

    @rule("Cancelled at any await, it ends at once.")
    async def test_cancelled(self) -> None:
        """Cancel it at each of its awaits in turn."""
        self._need(self.own, "own")
        async with self.resolving() as resolving:
            refs = resolving.refs(self.own)
            await check_cancelled(lambda: resolving.begun(refs), self.patience_s, self.cancellations)

    @rule("It never blocks the event loop.")
    async def test_never_blocks(self) -> None:
        """Watch the loop's thread while it makes files."""
        self._need(self.own, "own")
        async with self.resolving() as resolving:
            await resolving.files(*self.own)  # imports what it needs
            with watching(self.blocked_s) as watch:
                await resolving.files(*self.own)
        watch.check()

    @rule("Two exchanges at once get files of their own.")
    async def test_keeps_apart(self) -> None:
        """Resolve the same references for two exchanges at once."""
        self._need(self.own, "own")
        async with self.resolving() as resolving:
            both = await asyncio.gather(*(resolving.files(*self.own) for _ in range(2)))
            for files in both:
                for ref, file in files.items():
                    if not file.path.is_file():
                        raise RuleBroken(f"the file of {_cut(ref.source)} is gone", "it stays until its exchange ends")
            shared = {file.path for file in both[0].values()} & {file.path for file in both[1].values()}
        if shared:
            raise RuleBroken("one path in two exchanges", "each exchange has its own `workdir`")

    @rule("Nothing of what a request refers to is in a log.")
    async def test_keeps_quiet(self) -> None:
        """Look for a reference in the log."""
        with listening() as heard:
            await self.use()
        for line in heard:
            if any(source in line for source in (MARK, *self.own)):
                raise RuleBroken("a reference in the log", "no words of a request, whatever happens")

    def _need(self, given: object, name: str) -> None:
        if not given:
            raise NotTried(f"the contract class names none: set `{name}`")


@attrs.frozen(kw_only=True)
class Resolving:
    """A plugin's `resolve_attachments` while a rule is tried."""

    hook: Implementation
    folder: Path
    """Has a folder for each exchange."""
    patience_s: float

    def refs(self, sources: Sequence[str]) -> list[AttachmentRef]:
        """Return references as the gateway makes them."""
        return [AttachmentRef(source=source, param=f"attachments[{index}]") for index, source in enumerate(sources)]

    def begun(self, refs: Sequence[AttachmentRef]) -> Awaitable[Resolved | None]:
        """Begin to resolve references, for an exchange of their own."""
        begun: Awaitable[Resolved | None] = self.hook(refs=list(refs), workdir=Path(tempfile.mkdtemp(dir=self.folder)))
        return begun

    async def of(self, refs: Sequence[AttachmentRef]) -> Resolved:
        """Return the files that the plugin makes of references."""
        ended = await done(self.begun(refs), self.patience_s)
        if ended.error is not None:
            raise RuleBroken(f"it raised {type(ended.error).__name__}: {ended.error}", "a mapping, or None")
        if ended.result is not None and not isinstance(ended.result, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise RuleBroken(f"it returned {ended.result!r}", "a mapping of references to attachments, or None")
        return ended.result or {}

    async def files(self, *sources: str) -> Resolved:
        """Return the files that the plugin makes of texts."""
        return await self.of(self.refs(sources))


def _cut(source: str) -> str:
    return source if len(source) <= 60 else f"{source[:60]}…"  # noqa: PLR2004 - a line's worth
