"""Reads one answer from the page: looks as often as something changes, hands on what is certain, ends when it is whole.

look -> deltas of thoughts and text -> … -> whole? -> the text's source -> has the page grown since? -> the rest
     -> calls, images, sources -> finish
"""

import asyncio
import base64
import json
import logging
import secrets
from collections.abc import AsyncGenerator, Iterator, Sequence
from functools import cache
from typing import Any

import attrs

from studiogate.errors import UpstreamFailed
from studiogate.events import Citation, Event, Finish, FinishReason, Media, TextDelta, ThoughtDelta, ToolCall
from studiogate_dom_scrape.ending import Ending, Verdict
from studiogate_dom_scrape.live_text import LiveText, alike
from studiogate_dom_scrape.page_state import Seen, ShownCall, ShownMedia, ShownSource, ShownText
from studiogate_dom_scrape.record import Record, Told
from studiogate_dom_scrape.settings import DomScrapeSettings
from studiogate_dom_scrape.troubles import failure_as_text, may_become_failure, refusal, verdict
from studiogate_studio.errors import PageBroken
from studiogate_studio.failures import kept
from studiogate_studio.page import ChatPage
from studiogate_studio.probe import Probe, load_part

log = logging.getLogger(__name__)

_PACKAGE = "studiogate_dom_scrape"
_BEAT_S = 45.0
"""Seconds of silence after which a held text gives a sign of life, so that nobody takes it for dead."""
_BUSY_S = 15.0
"""Seconds that a page may be too busy with an answer to tell of it."""
_MEDIA_S = 20.0
"""Seconds that a file may take to be handed over."""


@attrs.define(kw_only=True, eq=False)
class Reading:
    """Read the answer to the prompt that is submitted in one page."""

    chat: ChatPage
    settings: DomScrapeSettings
    record: Record
    hold_thoughts: bool
    """Whether thoughts are wanted to the letter, and so only when the answer is whole."""
    hold_text: bool
    """Whether the text is."""
    _thoughts: LiveText = attrs.field(init=False)
    _text: LiveText = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._thoughts = LiveText(self.hold_thoughts)
        self._text = LiveText(self.hold_text)

    async def events(self) -> AsyncGenerator[Event]:
        """Yield the answer's events; its prompt has been submitted.

        :raises Unavailable: the page says what went wrong.
        :raises PageBroken: it is gone, or shows no answer.
        """
        ending, clock = Ending(self.settings), asyncio.get_running_loop().time
        seen, told_at = await self._watch(None, 0), clock()
        while True:
            for event in self._grown(seen, idle_s=clock() - told_at):
                told_at = clock()
                yield event
            match ending.judge(seen, clock()):
                case Verdict.GOING:
                    seen = await self._watch(seen, ending.patience_s(seen))
                case Verdict.LOST:
                    if (await self.record.told()).finish is None:
                        raise PageBroken("The page shows no answer, and not that it is at work on one.")
                    # Older pages have no bubble for an answer that is empty.
                    thoughts = text = None
                    break
                case Verdict.WHOLE:
                    _refuse(seen, self._text.rendered)
                    thoughts, text = await self._sources()
                    # Whatever the signs said, an answer that has grown meanwhile isn't over.
                    last = await self._watch(None, 0)
                    if not self._news(last) and last.calls == seen.calls:
                        break
                    seen = last
        for event in self._rest(thoughts, text):
            yield event
        async for event in self._end(seen):
            yield event

    def _grown(self, seen: Seen, *, idle_s: float) -> Iterator[Event]:
        """Yield what there is more of the texts, or a sign of life."""
        self._thoughts.take(seen.thoughts)
        self._text.take(seen.text)
        if not self._text.given:
            self._text.held = self.hold_text or may_become_failure(self._text.rendered)
        alive = idle_s > _BEAT_S
        if thought := self._thoughts.grown() or (self._thoughts.beat() if alive else ""):
            yield ThoughtDelta(text=thought)
            alive = False
        if text := self._text.grown() or (self._text.beat() if alive else ""):
            yield TextDelta(text=text)

    def _news(self, seen: Seen) -> bool:
        return self._thoughts.news(seen.thoughts) or self._text.news(seen.text)

    async def _sources(self) -> tuple[str | None, str | None]:
        """Return the sources of thoughts and text, where they are wanted and the page gives them."""
        thoughts = text = None
        if self.hold_thoughts and self._thoughts.rendered:
            thoughts = await self._source("thoughts_source", self._thoughts)
        if self._text.rendered:
            text = await self._source("source", self._text)
        return thoughts, text

    async def _source(self, action: str, shown: LiveText) -> str | None:
        try:
            # Opening, reading and leaving wait each; a page that does none of it must not hold the answer back.
            async with kept(self.chat, "reading an answer's source"):
                found = await self._ask(
                    ShownText, action, wait_s=self.settings.source_s, slack_s=5 * self.settings.source_s
                )
        except PageBroken as error:
            log.warning("an answer's source could not be read: %s", error.reason)
            return None
        if found.text is None or alike(found.text, shown.rendered):
            return found.text
        log.warning("an answer's source says something else than the page shows; what it shows is used")
        return None

    def _rest(self, thoughts: str | None, text: str | None) -> Iterator[Event]:
        if rest := self._thoughts.end(thoughts):
            yield ThoughtDelta(text=rest)
        if rest := self._text.end(text):
            yield TextDelta(text=rest)

    async def _end(self, seen: Seen) -> AsyncGenerator[Event]:
        """Yield what stands after the text, and the finish."""
        for event in _calls(seen.calls):
            yield event
        told = await self.record.told()
        if told.text and not (self._text.given or seen.calls or seen.media):
            log.warning("the page shows nothing of an answer; its text is taken from the browser's record")
            yield TextDelta(text=told.text)
        for index in range(seen.media):
            media = told.media[index] if len(told.media) == seen.media else await self._shown_media(index)
            if media is not None:
                yield media
        for citation in self._cited(told, await self._ask(tuple[ShownSource, ...], "sources")):
            yield citation
        yield _finish(seen, told)
        if told.usage is not None:
            yield told.usage

    async def _shown_media(self, index: int) -> Media | None:
        """Return a file of the answer as the page has it; an image that the page may not read is drawn anew there."""
        made = await self._ask(ShownMedia, "media", index=index, slack_s=_MEDIA_S)
        return Media(mime=made.mime, data=base64.b64decode(made.data)) if made.data else None

    def _cited(self, told: Told, shown: Sequence[ShownSource]) -> Iterator[Citation]:
        """Yield the sources; with their places where these are places of the text that was handed on."""
        if not told.citations:
            for source in dict.fromkeys(shown):
                yield Citation(url=source.url, title=source.title or source.url)
        elif told.text == self._text.given:
            yield from told.citations
        else:
            yield from dict.fromkeys(Citation(url=each.url, title=each.title) for each in told.citations)

    async def _watch(self, last: Seen | None, wait_s: float) -> Seen:
        """Wait until the page shows something else than `last`; None looks once."""
        return await self._ask(
            Seen,
            "watch",
            wait_s=wait_s,
            slack_s=_BUSY_S,
            last=last and last.digest,
            pause_ms=0 if last is None else self.settings.pace_s * 1000,
            thoughts=self._thoughts.cursor,
            text=self._text.cursor,
        )

    async def _ask[T](self, kind: type[T], action: str, *, wait_s: float = 0, slack_s: float = 0, **more: Any) -> T:
        # Bubbles that were there before the prompt are none of its answer.
        known = self.chat.composer.known
        return await self.chat.probe.ask(
            kind, action, part=reading_part(), wait_s=wait_s, slack_s=slack_s, known=known, **more
        )


async def begin(probe: Probe) -> None:
    """Have the page remember what it shows before a prompt is submitted, so that it isn't taken for the answer's."""
    await probe.ask(bool, "begin", part=reading_part())


@cache
def reading_part() -> str:
    """Return the part of `page.js` that reads, with its markdown."""
    reading, markdown = (load_part(_PACKAGE, name) for name in ("reading.js", "markdown.js"))
    return f"(page) => ({reading})(page, ({markdown})())"


def _refuse(seen: Seen, text: str) -> None:
    """Raise what a page that is done says went wrong, or that it holds nothing.

    A notice beside an answer that is complete is about something else.

    :raises Unavailable: see `troubles.refusal`.
    :raises PageBroken: there is no answer at all.
    """
    if as_text := failure_as_text(text):
        raise refusal([as_text])
    if verdict(seen.troubles) is not None:
        return
    complete = seen.rated or seen.asked
    if failed := [trouble for trouble in seen.troubles if trouble.where == "turn" or not complete]:
        raise refusal(failed)
    if not (complete or text or seen.calls or seen.media):
        raise PageBroken("The page shows an empty answer.")


def _finish(seen: Seen, told: Told) -> Finish:
    """Return how the answer ended: as the page says, else as its request does, else as it looks."""
    if (said := verdict(seen.troubles)) is not None:
        return said
    if told.finish is not None and not seen.calls:
        return told.finish
    return Finish(reason=FinishReason.TOOL_CALLS if seen.calls else FinishReason.STOP)


def _calls(shown: Sequence[ShownCall]) -> Iterator[ToolCall]:
    """Yield the calls, each with an id of its own, since the page shows none.

    :raises UpstreamFailed: the arguments of one make no sense.
    """
    for call in shown:
        try:
            arguments: object = json.loads(call.arguments or "{}")
        except ValueError:
            arguments = None
        if not call.name or not isinstance(arguments, dict):
            raise UpstreamFailed("The page shows a function call that can't be read.")
        compact = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
        yield ToolCall(id=f"call_{secrets.token_hex(8)}", name=call.name, arguments=compact)
