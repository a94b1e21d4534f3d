"""One exchange's way through the page: type, submit, read the answer off the wire.

    lease a tab -> upload the files -> type the prompt -> expect its request -> submit
                -> the request is seen, compared, patched
                -> the answer's headers -> bytes -> frames -> events -> finish -> token counts

The prompt itself is never rewritten, since the request carries a proof bound to it; all else the client asked for is
patched into the request on its way. An answer that can't be read here goes on in the page, for a later backend to read
it there; the end of the exchange, which the client's leaving is too, aborts what is left of it upstream.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import attrs

from studiogate.errors import Declined, StudiogateError, Unavailable
from studiogate.events import Event
from studiogate.exchange import Exchange
from studiogate.models import Model
from studiogate_stream_intercept.errors import TransportError
from studiogate_stream_intercept.proxy import InterceptingProxy
from studiogate_stream_intercept.refusals import refuse_broken, refuse_status
from studiogate_stream_intercept.stream import AnswerStream
from studiogate_stream_intercept.turns import Turn
from studiogate_studio.detail import media_resolution, note_detail
from studiogate_studio.functions import PageFunctions, fit_functions, mixes
from studiogate_studio.tab import Tab
from studiogate_studio.wire import (
    JSON_MIME,
    SWITCHES,
    AnswerDecoder,
    ContentDecoder,
    Json,
    RequestPatch,
    Unset,
    WireError,
    patch_request,
    read_request,
    read_status,
)

HTTP_OK = 200


@attrs.frozen(kw_only=True)
class Answering:
    """Answer exchanges in tabs, through one proxy."""

    proxy: InterceptingProxy
    tail_s: float
    """Seconds to wait for the stream's end once the answer is complete."""

    async def answer(self, exchange: Exchange, tab: Tab, model: Model | None) -> AsyncGenerator[Event]:
        """Submit the exchange's prompt in a tab and yield the answer's events; close it with `aclose`.

        :param model: the requested model as AI Studio lists it; None if it doesn't.
        :raises Declined: an earlier backend has submitted the prompt already.
        :raises Unavailable: the page, the proxy or the upstream failed.
        :raises InvalidRequest: the upstream finds the request itself wrong.
        """
        if tab.submitted:
            raise Declined("the prompt has been submitted already; its stream was not seen from the start")
        functions = fit_functions(exchange, model, mixing=mixes(model))
        exchange.params = note_detail(functions.params, exchange.request.attachments, model)
        tab.params, tab.functions = exchange.params, functions
        turn = await self._submit(exchange, tab, request_patch(exchange, model, functions))
        try:
            stream = await turn.answer()
            if stream.status != HTTP_OK:
                tab.refused = True
                raise await read_refusal(stream)
            tab.answered = True
            async with aclosing(functions.read(read_answer(stream, tail_s=self.tail_s))) as events:
                async for event in events:
                    yield event
            # A stream that stays open after its answer is nobody's.
            await turn.abort()
        except TransportError as error:
            # A page that was left took its request along.
            await tab.chat.explain()
            raise Unavailable(str(error)) from error
        finally:
            turn.let_go()

    async def _submit(self, exchange: Exchange, tab: Tab, patch: RequestPatch) -> Turn:
        """Upload, type and submit the prompt; returns once its request has gone upstream, patched."""
        if exchange.attachments:
            await tab.attach(exchange.attachments)
        # A page may trim what was typed; nothing else may differ.
        typed = (await tab.type_prompt(exchange.prompt.text)).strip()
        async with self.proxy.expect(
            lambda body: carries(body, typed, len(exchange.attachments)),
            lambda body: _patched(body, patch),
            pressed=lambda: tab.submitted,
        ) as turn:
            exchange.round_stack.push_async_callback(turn.abort)
            submitting = asyncio.create_task(tab.submit(lambda: turn.sent_at is not None))
            try:
                await _seen_or_failed(turn, submitting)
            except (TransportError, WireError) as error:
                raise Unavailable(f"the page's request was not let through: {error}") from error
            finally:
                # Once the request is seen, what the page shows of it is no news.
                submitting.cancel()
                await asyncio.gather(submitting, return_exceptions=True)
        return turn


async def read_answer(stream: AnswerStream, *, tail_s: float) -> AsyncGenerator[Event]:
    """Yield what the stream says; whatever goes wrong after its finish reason, the answer is whole all the same.

    :param tail_s: seconds the stream gets to end once the answer is complete.
    :raises Unavailable: the stream can't be read, or upstream failed in it.
    :raises TransportError: it broke off.
    """
    decoder, chunks = AnswerDecoder(), aiter(stream)
    try:
        content = ContentDecoder(stream.content_encoding)
        while True:
            # Only the counts are missing once the answer is complete, and they may never come.
            async with asyncio.timeout(tail_s if decoder.finished else None):
                chunk = await anext(chunks, None)
            if chunk is None:
                break
            for event in decoder.feed(content.feed(chunk)):
                yield event
    except WireError as error:
        if not decoder.finished:
            raise Unavailable(f"the answer could not be read: {error}") from error
    except (TransportError, TimeoutError):
        if not decoder.finished:
            raise
    for event in decoder.close():
        yield event
    refuse_broken(decoder)


async def read_refusal(stream: AnswerStream) -> StudiogateError:
    """Return the error for an answer whose HTTP status is not 200."""
    try:
        body = await stream.read_all()
        status = read_status(ContentDecoder(stream.content_encoding).feed(body))
    except (TransportError, WireError):
        # The HTTP status says enough; only the upstream's words are lost.
        status = None
    return refuse_status(stream.status, status)


def request_patch(exchange: Exchange, model: Model | None, functions: PageFunctions) -> RequestPatch:
    """Return what has to be set in the page's request.

    What the gateway's parameters leave open is the requested model's default: the page's own values are made for
    whatever model is chosen there. System instruction, tools, seed and JSON are cleared where the client asks for none,
    since the page may hold saved ones and searches by default.

    :param model: the requested model as AI Studio lists it; None leaves the page's values where the client has none.
    :param functions: what the exchange's functions are made of.
    """
    params, form, thinking = exchange.params, exchange.params.response_format, exchange.params.thinking
    defaults = model or Model(id="", display_name="")
    return RequestPatch(
        model=exchange.model.id if exchange.model else None,
        system=functions.instruct(exchange.prompt.system) or "",
        temperature=_first(params.temperature, defaults.default_temperature),
        top_p=_first(params.top_p, defaults.default_top_p),
        top_k=defaults.default_top_k,
        max_tokens=_first(params.max_tokens, defaults.output_token_limit),
        stop=params.stop,
        seed=_first(params.seed, Unset.UNSET),
        response_mime=JSON_MIME if form else "",
        response_schema=(form and form.schema) or {},
        thinks=None if model is None else model.thinking is not None,
        thinking_budget=thinking.budget if thinking else None,
        thinking_level=thinking.level if thinking else None,
        media_resolution=media_resolution(exchange.request.attachments, model),
        tools=_tools(exchange, functions),
    )


def _tools(exchange: Exchange, functions: PageFunctions) -> tuple[Json, ...]:
    switched = (SWITCHES[switch]() for switch in exchange.plan.switches)
    return (*switched, *(() if functions.tool is None else (functions.tool,)))


def carries(body: bytes, typed: str, files: int) -> bool:
    """Tell whether a request is the one that was made ready: its text, and as many files as were uploaded for it."""
    request = read_request(body)
    return request.prompt.strip() == typed and request.files == files


def _patched(body: bytes, patch: RequestPatch) -> bytes:
    """Patch a request; where nothing is known of a model other than the page's, it gets no way of thinking at all."""
    if patch.thinks is None and patch.model is not None and read_request(body).model != patch.model:
        patch = attrs.evolve(patch, thinks=False)
    return patch_request(body, patch)


def _first[T, D](value: T | None, default: D) -> T | D:
    return default if value is None else value


async def _seen_or_failed(turn: Turn, submitting: "asyncio.Task[None]") -> None:
    """Wait until the page's request was seen, or until submitting or seeing it failed."""
    seen = asyncio.create_task(turn.sent())
    try:
        await asyncio.wait({submitting, seen}, return_when=asyncio.FIRST_COMPLETED)
        if not seen.done():
            await submitting
        await seen
    finally:
        seen.cancel()
        await asyncio.gather(seen, return_exceptions=True)
