"""Keeps what the page showed when a step in it failed, for the operator to look at: `[studio] debug_dir`.

A failure is a folder with `page.html`, `page.png`, `elements.txt` (what `studiogate doctor` would say of the page as it
is, without leading it anywhere) and `failure.json`. They show prompts and answers, so nothing is kept unless the
operator wants it, only the owner can read it, and only the last ones stay.
"""

import asyncio
import json
import logging
import os
import re
import secrets
import shutil
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Error as PlaywrightError

from studiogate.errors import StudiogateError
from studiogate_studio.elements import load_inventory
from studiogate_studio.errors import FileRefused, PageBroken, PromptRefused
from studiogate_studio.page import ChatPage
from studiogate_studio.report import examine
from studiogate_studio.tour import Tour

log = logging.getLogger(__name__)

_SHOWN_S = 5.0
"""How long a page may take to be copied; one that hangs is not waited for."""
_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}-[0-9a-f]{4}")


@asynccontextmanager
async def kept(chat: ChatPage, doing: str, *, known: Exception | None = None) -> AsyncGenerator[None]:
    """Keep what the page shows if what is done here fails for a reason of the page's, or for none that is known.

    An element that couldn't be found is counted.

    :param doing: what is done, in words without anything of the request's.
    :param known: the last failure of this; one with the same reason isn't kept again.
    """
    try:
        yield
    except (PageBroken, PromptRefused, FileRefused) as error:
        if isinstance(error, PageBroken) and error.element is not None:
            chat.selectors.misses[error.element] += 1
        if known is None or str(known) != str(error):
            await keep_failure(chat, doing, error)
        raise
    except StudiogateError:
        raise  # a verdict: declined, not ready, signed out
    except Exception as error:
        await keep_failure(chat, doing, error)
        raise


async def keep_failure(chat: ChatPage, doing: str, error: Exception) -> None:
    """Keep what the page shows now, if the settings want that; never fails."""
    folder = chat.settings.debug_dir
    if folder is None:
        return
    html, png, elements = await asyncio.gather(
        _shown(chat.page.content()), _shown(chat.page.screenshot()), _shown(_elements(chat))
    )
    now = datetime.now(UTC)
    told = {
        "at": now.isoformat(timespec="milliseconds"),
        "doing": doing,
        "error": type(error).__name__,
        "reason": str(error),
        "url": chat.page.url,
    }
    files = {"page.html": html, "page.png": png, "elements.txt": elements, "failure.json": json.dumps(told, indent=2)}
    name = f"{now:%Y%m%dT%H%M%S.%f}-{secrets.token_hex(2)}"
    try:
        await asyncio.to_thread(_write, folder, name, files, chat.settings.debug_failures)
    except OSError as failed:
        log.warning("what the page showed could not be kept: %s", failed.strerror)
    else:
        log.warning("the page failed when %s; what it showed is kept as %s in studio.debug_dir", doing, name)


async def _elements(chat: ChatPage) -> str:
    tour = Tour(chat, load_inventory())
    await tour.look()
    return examine(tour, chat.selectors).as_text()


async def _shown[T](asked: Awaitable[T]) -> T | None:
    try:
        async with asyncio.timeout(_SHOWN_S):
            return await asked
    except (PlaywrightError, PageBroken, TimeoutError) as error:
        log.debug("the page could not be copied: %s", type(error).__name__)
        return None


def _write(folder: Path, name: str, files: Mapping[str, str | bytes | None], most: int) -> None:
    """Write one failure, whole or not at all, and remove the oldest that are too many."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = folder / f".{name}"
    new.mkdir(mode=0o700)
    try:
        for file, content in files.items():
            if content is not None:
                _create(new / file, content.encode() if isinstance(content, str) else content)
        new.rename(folder / name)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    kept_before = sorted(each for each in folder.iterdir() if _NAME.fullmatch(each.name))
    for old in kept_before[:-most]:
        shutil.rmtree(old, ignore_errors=True)


def _create(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
