"""Types a prompt and submits it, the way a person would, and never twice.

Typing: the composer is given the text but for its last character, which is then typed, so that one trusted event tells
the page of the whole. (Typing all of it takes Chromium seconds for a few hundred lines; with some ten thousand even one
key does, and such texts are written by script alone.) Then the page is asked whether the composer holds exactly the
text and Run can be pressed, since some builds miss some kinds of input; other ways follow.

Submitting is Ctrl+Enter, which every generation of the page knows. Proof is a new bubble, the Stop button, or the
request itself; an emptied composer is none. Only while the composer still holds the text, Run is still ready and no
request was seen is Run clicked as well: pressed in any other state it could submit again, or stop the answer.

What has to be waited for is asked before the keys are pressed, which saves a round trip each time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import attrs
from playwright.async_api import Error as PlaywrightError

from studiogate_studio.errors import PageBroken, PromptRefused, before_quotes, missing
from studiogate_studio.overlays import dismiss_overlays
from studiogate_studio.probe import Aim, Probe, RunState, Sent, Typed, broken
from studiogate_studio.settings import StudioSettings
from studiogate_studio.wire import normalise_newlines

log = logging.getLogger(__name__)

_MISREAD_MS = 500
"""After how long a composer that doesn't hold the text is taken to have missed it."""
_MISREAD_MS_PER_MB = 5000
_SECOND_WAY_S = 1.0
_KEYED_LINES = 2000
"""How many lines a composer can hold for keys to be pressed in it; Chromium's time for each grows with their square."""
_KEYS_TAKEN_S = 2.0
"""How long a page may do nothing visible about Ctrl+Enter before Run is clicked."""


type Seen = Callable[[], bool]
"""Tells whether the request that carries the prompt has been seen on its way upstream."""


def unseen() -> bool:
    """Stand in for a caller that sees no requests."""
    return False


@attrs.define(eq=False)
class Composer:
    """Type into one page's composer and submit."""

    probe: Probe
    settings: StudioSettings
    files: int = attrs.field(default=0, init=False)
    """How many files were put into the composer to go with the prompt; a prompt with files may be without text."""
    known: tuple[str, ...] = attrs.field(default=(), init=False)
    """Ids of the bubbles that were there before the prompt was submitted."""

    async def type_prompt(self, text: str) -> str:
        """Put a prompt into the composer, replacing what it holds; returns the text as the page has it.

        :raises PromptRefused: the page doesn't take it, or doesn't let it run.
        :raises PageBroken: the page is gone, or shows no composer.
        """
        text = as_composed(text)
        if not text.strip():
            text = ""
        if not text and not self.files:
            raise PromptRefused("The prompt is empty.")
        keyed = bool(text) and text.count("\n") <= _KEYED_LINES
        await self._aim(text[:-1] if keyed else "", _extra(text))
        typed: Typed | None = None
        for way in (self._key_in, self._write, self._nudge) if keyed else (self._write, self._write):
            typed = await self._typed(way, text, self.settings.type_s if typed is None else _SECOND_WAY_S)
            if typed.same and typed.run is RunState.IDLE_READY:
                if self.files and typed.files != self.files:
                    raise PageBroken(f"The composer holds {typed.files} files instead of {self.files}.")
                self.known = typed.bubbles
                return text
        raise PromptRefused(_why(typed))

    async def submit(self, seen: Seen = unseen) -> None:
        """Submit what was typed. After any other error than `PromptRefused` it may have been sent.

        :param seen: tells whether the request with the prompt has been seen on its way, where the caller can know.
        :raises PromptRefused: nothing was sent.
        :raises PageBroken: the page is gone, or doesn't show what it did.
        """
        page = self.probe.page
        sent = await self._send(page.keyboard.press("ControlOrMeta+Enter"), _KEYS_TAKEN_S)
        if _untouched(sent, seen):
            await dismiss_overlays(self.probe)
            sent = await self._send(self._click_run(), self.settings.submit_s)
        elif not _taken(sent, seen):
            sent = await self._sent(self.settings.submit_s)
        if _untouched(sent, seen):
            raise PromptRefused(sent.error or "The page ignores Run.")
        if not _taken(sent, seen):
            raise PageBroken(sent.error or "The page does not show whether it took the prompt.")

    async def _typed(self, way: Callable[[str], Awaitable[None]], text: str, patience_s: float) -> Typed:
        """Type in one way and tell what came of it."""
        extra = _extra(text)
        patience_s += self.settings.type_s_per_mb * extra
        asking = asyncio.create_task(
            self.probe.ask(
                Typed, "typed", wait_s=patience_s, text=text, misread_ms=_MISREAD_MS + _MISREAD_MS_PER_MB * extra
            )
        )
        try:
            async with asyncio.timeout(patience_s):
                await way(text)
        except TimeoutError:
            await _dropped(asking)
            raise PageBroken("The page takes too long to take the prompt.") from None
        except PlaywrightError as error:
            await _dropped(asking)
            raise broken(error, "typing") from error
        except BaseException:
            await _dropped(asking)
            raise
        return await asking

    async def _send(self, press: Coroutine[Any, Any, None], wait_s: float) -> Sent:
        """Press something that submits and tell what came of it."""
        asking = asyncio.create_task(self._sent(wait_s))
        try:
            async with asyncio.timeout(self.settings.submit_s):
                await press
        except TimeoutError:
            await _dropped(asking)
            raise PageBroken("The page does not respond to Run.") from None
        except PlaywrightError as error:
            # A click is also reported as failed when the button changed under it; what it did shows below.
            log.debug("pressing Run failed: %s", before_quotes(error.message))
        except BaseException:
            await _dropped(asking)
            raise
        return await asking

    async def _sent(self, wait_s: float) -> Sent:
        return await self.probe.ask(Sent, "sent", wait_s=wait_s, known=self.known)

    async def _click_run(self) -> None:
        chosen = self.probe.selectors["run_button"][self.probe.chosen["run_button"]]
        await self.probe.page.locator(chosen).first.click(timeout=_KEYS_TAKEN_S * 1000)

    async def _aim(self, before: str, extra: float) -> None:
        slack_s = self.settings.type_s_per_mb * extra
        aim = await self.probe.ask(Aim, "aim", slack_s=slack_s, before=before)
        if aim.overlays:
            await dismiss_overlays(self.probe)
            aim = await self.probe.ask(Aim, "aim", slack_s=slack_s, before=before)
        if aim.run is RunState.GENERATING:
            raise PageBroken("The tab is still busy with an earlier answer.")
        if aim.overlays:
            raise PageBroken(f"An overlay stays in the way: {', '.join(aim.overlays)}.")
        if not aim.composer:
            raise missing("composer", "composer")

    async def _key_in(self, text: str) -> None:
        """Type the last character of a text whose rest the composer holds already."""
        await self.probe.page.keyboard.insert_text(text[-1])

    async def _write(self, text: str) -> None:
        await self.probe.ask(bool, "write", text=text)

    async def _nudge(self, text: str) -> None:
        """Write once more, then type a character and take it back, for builds that wait for a key."""
        await self._write(text)
        await self.probe.ask(bool, "caret_to_end")
        await self.probe.page.keyboard.press("Space")
        await self.probe.page.keyboard.press("Backspace")


def as_composed(text: str) -> str:
    """Return a text as a textarea holds it: newlines as LF, lone surrogates replaced."""
    return normalise_newlines(text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _taken(sent: Sent, seen: Seen) -> bool:
    return sent.proof is not None or seen()


def _untouched(sent: Sent, seen: Seen) -> bool:
    held = sent.text_length > 0 or sent.files > 0
    return not _taken(sent, seen) and held and sent.run is RunState.IDLE_READY


def _extra(text: str) -> float:
    """Return what a text's size is worth in millions of characters; ten thousand lines keep Chromium as busy."""
    return len(text) / 1_000_000 + text.count("\n") / 10_000


async def _dropped(asking: asyncio.Task[Any]) -> None:
    """Give up waiting for an answer of the page."""
    asking.cancel()
    with suppress(asyncio.CancelledError, PageBroken):
        await asking


def _why(typed: Typed | None) -> str:
    if typed is not None and typed.error:
        return typed.error
    if typed is not None and typed.same:
        return "The page does not let the prompt run: Run stays disabled. A key, a right or quota may be missing."
    return "The page does not take the prompt."
