"""One exchange's way through the page and a helper service that reads along.

    lease a tab ─ set controls, upload, type ─ the floor alone ─ the service is silent ─ submit ─ listen ─ events

A service has one stream for all answers, so nothing else may be told on it meanwhile: `listening.py` says how that is
made sure. The browser tells how the page's own request fares (`page_request.py`). A prompt that was submitted is never
submitted again: what fails afterwards leaves the answer in the page to the next backend.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Any

import attrs

from studiogate.errors import Declined, Unavailable
from studiogate.events import Event
from studiogate.exchange import Exchange
from studiogate_helper_backend.account import sapisid_of
from studiogate_helper_backend.answer import DONE, AnswerReader, Garbage, ServiceFailed
from studiogate_helper_backend.errors import ServiceError
from studiogate_helper_backend.listening import Endpoint, Listener
from studiogate_helper_backend.page_request import PageRequest
from studiogate_helper_backend.patience import LOOK_S, PAGE_REFUSED, Patience
from studiogate_helper_backend.refusals import status_in, told
from studiogate_helper_backend.sse import TooLong
from studiogate_helper_backend.words import Censor
from studiogate_studio import Studio
from studiogate_studio.preparing import set_controls
from studiogate_studio.tab import Tab
from studiogate_studio.tabs import lease_for

_TAIL_S = 2.0
"""Seconds a stream gets to end once the answer is whole."""


@attrs.frozen(kw_only=True)
class Helping:
    """Answer exchanges in tabs, as one helper service tells."""

    endpoint: Endpoint
    studio: Studio

    async def answer(self, exchange: Exchange) -> AsyncGenerator[Event]:
        """Submit the prompt, or find it submitted, and yield what the service tells; close it with `aclose`.

        :raises Declined: AI Studio or its page hasn't what was asked for, or an answer is under way that the service
            might not tell, or not alone.
        :raises Unavailable: the page or the service failed.
        :raises InvalidRequest: the page doesn't take a file.
        """
        self.studio.model_of(exchange)
        tab = await lease_for(exchange, self.studio.pool)
        sapisid = await sapisid_of(tab)
        telling = self._left(tab, sapisid, exchange) if tab.submitted else self._asked(tab, sapisid, exchange)
        async with aclosing(telling) as events:
            async for event in events:
                yield event

    async def _asked(self, tab: Tab, sapisid: str, exchange: Exchange) -> AsyncGenerator[Event]:
        """Submit the prompt and read its answer."""
        options = self.endpoint.options
        # Looked up once more: the first tab of all brings the list.
        functions = await set_controls(exchange, tab, self.studio.model_of(exchange))
        if exchange.attachments:
            await tab.attach(exchange.attachments)
        await tab.type_prompt(exchange.prompt.text)
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(tab.floor.alone(tab, options.alone_s))
            except TimeoutError:
                busy = "other tabs' answers are under way, from which the helper service can't tell this one's"
                raise Unavailable(busy, status=503, retry_after_s=options.alone_s) from None
            request = PageRequest(self.studio.options.rpc_host)
            stack.enter_context(request.watching(tab.page))
            listener = await stack.enter_async_context(self.endpoint.listening(sapisid))
            await listener.quiet()
            # What a later backend has to know of the answer that it finds in the page.
            tab.params, tab.functions = exchange.params, functions
            await tab.submit(lambda: request.sent)
            try:
                async with aclosing(functions.read(self._read(listener, exchange, request))) as events:
                    async for event in events:
                        yield event
            except ServiceError:
                # A page that was left took its answer along, and the service is not to blame.
                await tab.chat.explain()
                raise

    async def _left(self, tab: Tab, sapisid: str, exchange: Exchange) -> AsyncGenerator[Event]:
        """Read the answer to a prompt that an earlier backend has submitted, if the service surely tells that one."""
        options = self.endpoint.options
        if options.proxy is None or not options.replays:
            raise Declined(
                "the prompt has been submitted already, and the helper service may not tell all of its answer"
            )
        if not tab.answered:
            raise Declined("the prompt has been submitted already, and nobody saw an answer that could be told")
        with tab.floor.keep(tab) as kept:
            if not kept:
                raise Declined(
                    "the prompt has been submitted already, and the helper service may tell another's answer"
                )
            exchange.params = tab.params or exchange.params
            async with (
                self.endpoint.listening(sapisid) as listener,
                aclosing(tab.functions.read(self._read(listener, exchange, None))) as events,
            ):
                async for event in events:
                    yield event

    async def _read(self, listener: Listener, exchange: Exchange, request: PageRequest | None) -> AsyncGenerator[Event]:
        """Yield what the service tells of an answer.

        :param request: the page's own request for it; None for one that was sent before anybody looked.
        """
        reader = AnswerReader()
        try:
            async with aclosing(self._chunks(listener, reader, request)) as chunks:
                async for data in chunks:
                    for event in reader.feed(data):
                        yield event
            for event in reader.close():
                yield event
        except Garbage as error:
            raise ServiceError(f"the helper service's answer makes no sense: {error}") from error
        except TooLong as error:
            limit = self.endpoint.options.answer_bytes
            raise ServiceError(f"the helper service's answer has an event of more than {limit} bytes") from error
        except ServiceFailed as error:
            raise _failure(error.document, Censor(None, exchange.request.messages)) from error

    async def _chunks(
        self, listener: Listener, reader: AnswerReader, request: PageRequest | None
    ) -> AsyncGenerator[bytes]:
        """Yield an answer's chunks until it is whole; what goes wrong after its finish reason is no matter."""
        patience = Patience(request=request, lag_s=self.endpoint.options.lag_s)
        while True:
            try:
                data = await listener.data(_TAIL_S if reader.finished else LOOK_S)
            except TimeoutError:
                if reader.finished:
                    return
                patience.check()
                continue
            except (ServiceError, TooLong):
                if reader.finished:
                    return
                raise
            if data is not None and data != DONE:
                patience.renew()
                yield data
            elif reader.finished or (data == DONE and reader.begun and await patience.is_whole()):
                return
            else:
                raise ServiceError("the helper service's stream ended before the answer did")


def _failure(document: Mapping[str, Any], censor: Censor) -> ServiceError:
    words, _ = told(document)
    status, meaning = PAGE_REFUSED.get(status_in(document) or 0, (502, "the helper service failed"))
    return ServiceError(meaning, said=censor.pass_on(words), status=status)
