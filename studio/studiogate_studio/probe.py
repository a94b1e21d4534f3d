"""Asks the page things, one round trip each: runs `page.js` in it and gives its answers types.

Whoever has questions of its own writes them as a part of `page.js` (`load_part`), which keeps each call's script small.

The page is re-rendered at any time, so nothing here holds on to a node; every call finds its elements anew, by the
first candidate that matches, and remembers which one it was.
"""

import asyncio
import json
import logging
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

import attrs
import cattrs
from playwright.async_api import Error as PlaywrightError, Page

from studiogate_studio.errors import PageBroken, before_quotes
from studiogate_studio.selectors import Selectors

log = logging.getLogger(__name__)

ROUND_TRIP_S = 5.0
"""How long one question may take on top of what it waits for in the page; a healthy page needs milliseconds."""

_converter = cattrs.Converter()


class RunState(StrEnum):
    """What the Run button says the page is doing."""

    IDLE_EMPTY = "empty"
    """Nothing to run."""
    IDLE_READY = "ready"
    """There is something to run."""
    GENERATING = "generating"
    """An answer is on its way; the button is Stop."""
    BLOCKED = "blocked"
    """There is text, but Run can't be pressed: an upload is pending, or a key, right or quota is missing."""
    ABSENT = "absent"
    """There is no Run button to be seen."""


@attrs.frozen(kw_only=True)
class Look:
    """Describe the page at one moment."""

    url: str
    title: str
    language: str
    """The document's language, such as `en`; empty when it names none."""
    composer: bool
    """Whether the composer is visible."""
    run: RunState
    temporary: bool
    """Whether the chat says that it is temporary."""
    bubbles: tuple[str, ...]
    """Ids of the message bubbles that hold something, in order."""
    overlays: tuple[str, ...]
    """The overlays in the way that `dismiss` would close."""
    terms: bool
    """Whether a dialog waits that only the account's owner may answer."""


@attrs.frozen(kw_only=True)
class Aim:
    """Say whether the composer is ready to be typed into."""

    composer: bool
    """Whether it is visible and has the focus."""
    run: RunState
    overlays: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Typed:
    """Say what became of a typed text."""

    same: bool
    """Whether the composer holds exactly the text."""
    run: RunState
    bubbles: tuple[str, ...]
    files: int
    """How many files the composer holds."""
    error: str | None
    """What a visible toast, callout or bubble says went wrong; at most 500 characters."""


@attrs.frozen(kw_only=True)
class Sent:
    """Say what became of a submitted prompt."""

    proof: str | None
    """How the page shows that it took the prompt: a new `bubble`, or that it is `generating`; None if it doesn't."""
    text_length: int
    """What the composer holds, in UTF-16 units."""
    files: int
    """How many files it holds."""
    run: RunState
    error: str | None


@attrs.frozen(kw_only=True)
class Media:
    """Say how the composer's files fare."""

    shown: int
    """How many there are, in whatever state."""
    ready: int
    """How many are uploaded and counted."""
    busy: bool
    """Whether something shows progress."""
    consent: bool
    """Whether the page asks to acknowledge its copyright notice."""
    error: str | None
    """What the composer says of a file that failed."""
    failed: int
    """Which file that is, counted from 0; -1 where it can't be told."""
    said: str | None
    """What a toast says."""
    done: bool
    """Whether what was waited for is so."""


@attrs.define(eq=False)
class Probe:
    """Ask one page."""

    page: Page
    selectors: Selectors
    chosen: dict[str, int] = attrs.field(factory=dict[str, int], init=False)
    """For each element seen, the index of the candidate that last matched."""
    _scripts: dict[str, str] = attrs.field(factory=dict[str, str], init=False)

    async def ask[T](
        self, kind: type[T], action: str, *, part: str = "", wait_s: float = 0.0, slack_s: float = 0.0, **arguments: Any
    ) -> T:
        """Run one action of `page.js`, or of a part of it, and return its answer as `kind`.

        :param part: the text of the part that has the action, as `load_part` returns it.
        :param wait_s: how long the action may wait in the page; it is told so as `ms`.
        :param slack_s: how much longer than usual the page may be busy with it.
        :raises PageBroken: the page is gone, navigates, or doesn't answer.
        """
        call = {"action": action, "ms": wait_s * 1000, **arguments}
        try:
            async with asyncio.timeout(wait_s + slack_s + ROUND_TRIP_S):
                answer = await self.page.evaluate(self._script(part), call)
        except TimeoutError:
            raise PageBroken("The page does not respond.") from None
        except PlaywrightError as error:
            raise broken(error, f"asked to {action}") from error
        self.chosen.update(answer["chosen"])
        return _converter.structure(answer["result"], kind)

    async def look(self) -> Look:
        """Describe the page as it is now."""
        return await self.ask(Look, "look")

    def _script(self, part: str) -> str:
        script = self._scripts.get(part)
        if script is None:
            candidates = json.dumps(dict(self.selectors.candidates))
            script = f"(call) => ({_function(__package__, 'page.js')})({candidates}, call, {part or 'null'})"
            self._scripts[part] = script
        return script


def broken(error: PlaywrightError, doing: str) -> PageBroken:
    """Return what Playwright's error means for a client."""
    log.debug("the page failed when %s: %s", doing, before_quotes(error.message))
    if "crashed" in error.message or "closed" in error.message:
        return PageBroken("The tab or its browser is gone.")
    return PageBroken(f"The page failed when {doing}.")


def load_part(package: str, name: str) -> str:
    """Return the text of a part of `page.js`: a file of `package` that holds a function `(page) => actions`.

    `page` is what `page.js` names so. Comments may come before the function.
    """
    return _function(package, name)


@cache
def _function(package: str, name: str) -> str:
    text = (resources.files(package) / name).read_text(encoding="utf-8")
    # A function expression can't start with a comment line when it is put between brackets on one line.
    return text[text.index("\n(") + 1 :].rstrip()
