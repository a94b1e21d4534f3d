"""One exchange's way through the page alone: submit the prompt, or find it submitted, and read the answer.

    lease a tab -> set every control -> upload the files -> type the prompt -> submit -> read
    lease a tab in which an earlier backend has submitted the prompt ----------------> read

A prompt that may have been sent is never sent again, whatever becomes of its answer.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from studiogate.errors import Declined
from studiogate.events import Event, Finish
from studiogate.exchange import Exchange
from studiogate.functions import FunctionPlan
from studiogate.models import Model
from studiogate_dom_scrape.reading import Reading, begin
from studiogate_dom_scrape.record import Record
from studiogate_dom_scrape.settings import DomScrapeSettings
from studiogate_studio.errors import PageBroken
from studiogate_studio.functions import PageFunctions
from studiogate_studio.preparing import set_controls
from studiogate_studio.tab import Tab

_STOP_S = 1.0
"""Seconds the page gets to stop an answer that nobody waits for; the tab's renewal ends it too."""


async def answer(
    exchange: Exchange, tab: Tab, model: Model | None, settings: DomScrapeSettings
) -> AsyncGenerator[Event]:
    """Submit the prompt in a tab, unless that is done, and yield the answer's events; close it with `aclose`.

    :param model: the requested model as AI Studio lists it; None if it doesn't.
    :raises Declined: the page doesn't offer what the answer would be wrong without, or the prompt was refused already.
    :raises Unavailable: the page failed, or says what did.
    :raises InvalidRequest: the page doesn't take a file.
    """
    if tab.refused:
        # What the page shows of it says less than who saw the refusal.
        raise Declined("the prompt has been submitted already, and AI Studio refused it")
    record = Record(tab.page)
    exchange.round_stack.enter_context(record.kept())
    if tab.submitted:
        # What the client is told of its parameters is about the prompt that was sent.
        exchange.params = tab.params or exchange.params
        functions: FunctionPlan = tab.functions
    else:
        functions = await _submit(exchange, tab, model)
    # To the letter is what a client gets that waits for the whole, or whose answer is read by a machine.
    whole = not exchange.request.stream
    reading = Reading(
        chat=tab.chat,
        settings=settings,
        record=record,
        hold_thoughts=whole,
        hold_text=whole or exchange.params.response_format is not None or bool(functions.described),
    )
    async with aclosing(functions.read(_read(reading, exchange, tab))) as events:
        async for event in events:
            yield event


async def _read(reading: Reading, exchange: Exchange, tab: Tab) -> AsyncGenerator[Event]:
    """Yield the answer's events; one that is left before its end is stopped when the exchange ends."""
    finished = False
    try:
        async with tab.step("reading an answer"), aclosing(reading.events()) as events:
            async for event in events:
                finished = finished or isinstance(event, Finish)
                yield event
    finally:
        if not finished:
            exchange.round_stack.push_async_callback(_stop, tab)


async def _submit(exchange: Exchange, tab: Tab, model: Model | None) -> PageFunctions:
    """Set the page's controls, upload, type and submit; returns what was done about functions."""
    functions = await set_controls(exchange, tab, model)
    if exchange.attachments:
        await tab.attach(exchange.attachments)
    await tab.type_prompt(exchange.prompt.text)
    async with tab.step("looking at the page before a prompt"):
        await begin(tab.chat.probe)
    tab.params, tab.functions = exchange.params, functions
    try:
        await tab.submit()
    except asyncio.CancelledError:
        exchange.round_stack.push_async_callback(_stop, tab)
        raise
    return functions


async def _stop(tab: Tab) -> None:
    """Stop what the page generates."""
    with suppress(PageBroken, TimeoutError):
        async with asyncio.timeout(_STOP_S):
            await tab.chat.stop()
