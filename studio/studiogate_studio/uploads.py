"""Puts files into the composer and waits until the page has them.

    hand a file over -> [the owner's consent, once] -> its chip shows -> the next file …
                                                       all chips ready, nothing under way

Files are handed over one by one, each as soon as the chip of the one before shows: nobody says that the page keeps the
order of files it gets at once, and some builds take only one. Uploading and counting then go on side by side.

The input lies hidden in the prompt box (2026), so no menu has to be opened. Where it doesn't, it lies in the menu's
item (2025), or only a file chooser opens. The element is taken by a handle and never waited for by a locator: a locator
that still waits when an exchange is given up would find the next chat's input and leave the file there.

Upload comes before typing. Run stays disabled until every file is ready, so whoever types afterwards sees in the usual
way that the prompt can run.
"""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import attrs
from playwright.async_api import Error as PlaywrightError

from studiogate.attachments import Attachment
from studiogate_studio.errors import FileRefused, NotReady, PageBroken
from studiogate_studio.overlays import dismiss_overlays
from studiogate_studio.probe import Media, Probe, broken
from studiogate_studio.settings import StudioSettings

log = logging.getLogger(__name__)

_MENU_S = 3.0
_GIVE_S = 15.0
"""How long the browser may take to open a file; it does not read it for that."""
_CONSENTS = 3
"""How often the copyright dialog is answered for one set of files, should it not go at once."""
_BYTES_PER_MB = 1_000_000


@attrs.define(eq=False)
class Uploads:
    """Upload files in one page."""

    probe: Probe
    settings: StudioSettings

    async def held(self) -> int:
        """Return how many files the composer holds.

        :raises PageBroken: the page is gone.
        """
        return (await self._look()).shown

    async def attach(self, files: Sequence[Attachment]) -> None:
        """Put files into an empty composer, in order, and wait until the page has uploaded and counted all.

        :raises FileRefused: the page doesn't take one; says so in the page's words.
        :raises NotReady: the page asks for the owner's consent, which the settings don't give.
        :raises PageBroken: the page takes too long, or does not do what it should.
        """
        megabytes = sum(file.size for file in files) / _BYTES_PER_MB
        deadline = (
            asyncio.get_running_loop().time() + self.settings.upload_s + self.settings.upload_s_per_mb * megabytes
        )
        known = (await self._look()).said
        for count, file in enumerate(files, 1):
            await self._hand_over(file.path)
            await self._until(files[:count], deadline, known, ready=False)
        media = await self._until(files, deadline, known, ready=True)
        if media.shown != len(files):
            raise PageBroken(f"The page shows {media.shown} files after it was given {len(files)}.")

    async def _look(self) -> Media:
        return await self.probe.ask(Media, "uploads", wanted=0, all_ready=False, known=None, quiet_ms=0)

    async def _until(self, files: Sequence[Attachment], deadline: float, known: str | None, *, ready: bool) -> Media:
        """Wait until the page shows that many files, or has them all ready.

        :param known: what a toast has said since before.
        """
        for _ in range(_CONSENTS + 1):
            media = await self.probe.ask(
                Media,
                "uploads",
                wait_s=max(0.0, deadline - asyncio.get_running_loop().time()),
                wanted=len(files),
                all_ready=ready,
                known=known,
                quiet_ms=self.settings.upload_quiet_s * 1000,
            )
            if media.done:
                return media
            if media.consent:
                await self._consent()
                continue
            if words := media.error or (media.said if media.said != known else None):
                raise _refused(words, _blamed(media, words, files, last=not ready))
            raise PageBroken(_why(media, len(files)))
        raise PageBroken("The copyright dialog does not close.")

    async def _consent(self) -> None:
        if not self.settings.acknowledge_copyright:
            raise NotReady(
                "AI Studio asks the account's owner to acknowledge its copyright notice before the first upload: do so "
                "in a window, or set studio.acknowledge_copyright."
            )
        log.info("agreeing to AI Studio's copyright notice, as studio.acknowledge_copyright says")
        if await self.probe.ask(bool, "click", element="copyright_agree"):
            await self.probe.ask(bool, "hidden", wait_s=_MENU_S, element="copyright_dialog")

    async def _hand_over(self, path: Path) -> None:
        """Give the page one file, the quickest way it has."""
        try:
            if not await self._give("file_input", path):
                await self._give_by_menu(path)
        except PlaywrightError as error:
            raise broken(error, "given a file") from error

    async def _give(self, element: str, path: Path) -> bool:
        """Give a file to an input, visible or not; returns False if there is none."""
        place = await self.probe.ask(int, "present", element=element)
        if place < 0:
            return False
        handle = await self.probe.page.query_selector(self.probe.selectors[element][place])
        if handle is None:
            return False
        await handle.set_input_files(path, timeout=_GIVE_S * 1000)
        return True

    async def _give_by_menu(self, path: Path) -> None:
        ask = self.probe.ask
        if not await ask(bool, "click", element="add_media") or not await ask(
            bool, "shown", wait_s=_MENU_S, element="upload_item"
        ):
            raise PageBroken("The page offers no way to add a file; if it has changed, set studio.selectors.")
        try:
            if not await self._give("menu_file_input", path):
                async with self.probe.page.expect_file_chooser(timeout=_MENU_S * 1000) as coming:
                    await ask(bool, "click", element="upload_item")
                await (await coming.value).set_files(path, timeout=_GIVE_S * 1000)
        finally:
            # An open menu's transparent backdrop would swallow every later click.
            await dismiss_overlays(self.probe)


def _blamed(media: Media, words: str, files: Sequence[Attachment], *, last: bool) -> Attachment | None:
    """Return the file that is refused, as far as that is known: by its chip, by its name, or for want of others.

    :param last: whether the page has just been given the last of the files, and doesn't show it.
    """
    if media.error is not None and 0 <= media.failed < len(files):
        return files[media.failed]
    named = next((file for file in files if file.filename in words), None)
    return named or (files[-1] if last or len(files) == 1 else None)


def _refused(words: str, blamed: Attachment | None) -> FileRefused:
    if blamed is None:
        return FileRefused(f"AI Studio refused a file: {words}")
    return FileRefused(f'AI Studio refused the file "{blamed.filename}": {words}', param=blamed.ref.param)


def _why(media: Media, wanted: int) -> str:
    if media.shown < wanted and not media.busy:
        return "The page drops a file without a word, or ignores it."
    return f"The page takes too long with the files: {media.ready} of {wanted} are ready."
