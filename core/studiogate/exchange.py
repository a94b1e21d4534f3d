"""An exchange: one request, its answer, and everything that belongs to both.

A supervisor task of the gateway owns it and feeds its events into a bounded channel; the HTTP side only reads that
channel and, when the client goes, says so with `cancel()`, which never blocks. Whatever ends the exchange (answer,
error, deadline, cancel, client gone) closes `stack`, and with it everything the exchange opened.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack

import attrs

from studiogate.attachments import Attachment, AttachmentRef
from studiogate.chat import ChatRequest, Message
from studiogate.errors import ClientError
from studiogate.events import Event, Finish, TextDelta, ThoughtDelta, ToolCall, Usage
from studiogate.functions import CallMode
from studiogate.models import Model
from studiogate.params import Params
from studiogate.prompt import Prompt, build_prompt
from studiogate.tools import ToolPlan
from studiogate.tracing import Span

CHANNEL_EVENTS = 256
"""How many events wait for a slow client before the backend is held back."""


def new_id() -> str:
    """Return an id for a request that nobody can guess: `req_` and 24 hexadecimal digits."""
    return f"req_{secrets.token_hex(12)}"


@attrs.frozen(kw_only=True)
class Caller:
    """Say who asks, as far as the gateway can tell: the holder of a key."""

    key: str = ""
    """The key masked (`abcd****efgh`), for logs; empty where nobody is asked for one. Never the key itself."""
    id: str = ""
    """Tells keys apart, for a fair queue; a digest, empty where nobody is asked for a key."""


@attrs.define(kw_only=True)
class Attempt:
    """Trace one backend's try at an exchange."""

    backend: str
    outcome: str
    """`running`, `ok`, `declined: …`, `unavailable: …`, `failed: …` or `cancelled`."""
    fault: bool = False
    """Whether it failed because a plugin raised what no hook should."""
    began: float = attrs.field(factory=time.monotonic)
    """This and the moments below by `time.monotonic`."""
    first_event: float | None = None
    """When the backend yielded its first event; None before that."""
    ended: float | None = None
    """When it was over; None before that."""
    span: Span = attrs.field(factory=Span)
    """What a trace tells of it."""

    @property
    def verdict(self) -> str:
        """Return the outcome in one word, of those above or `fault`."""
        return "fault" if self.fault else self.outcome.partition(":")[0]


@attrs.define(kw_only=True, eq=False)
class Exchange:
    """Carry one request through the gateway. Lives on the loop's thread only."""

    id: str
    """`req_` and 24 hexadecimal digits; clients see it as `x-request-id`."""
    request: ChatRequest
    prompt: Prompt
    """The messages as a page takes them; backends with an API of their own use `request.messages`."""
    deadline: float
    """When the exchange must be over, in the event loop's time, seconds."""
    caller: Caller = attrs.field(factory=Caller)
    model: Model | None = None
    """The model that answers, never an alias; None where the client named none and no plugin lists any."""
    model_name: str = ""
    """The id that the client asked by and is answered under: the model's or an alias. Empty where `model` is None."""
    params: Params = attrs.field(factory=Params)
    """The parameters of the current attempt."""
    plan: ToolPlan = attrs.field(factory=ToolPlan)
    call_mode: CallMode = CallMode.AUTO
    """How the operator wants functions to be offered."""
    attachments: tuple[Attachment, ...] = ()
    """The request's files, each once, in the order of the first reference to it."""
    files: Mapping[AttachmentRef, Attachment] = attrs.field(factory=dict[AttachmentRef, Attachment])
    """The file of every reference in `request.messages`, in order; several may share one."""
    stack: AsyncExitStack = attrs.field(factory=AsyncExitStack)
    """Closed when the exchange ends, in reverse order of opening."""
    round_stack: AsyncExitStack = attrs.field(factory=AsyncExitStack)
    """Closed when the round ends, before `stack`: for what a backend opens to answer once, such as a tab's lease. An
    exchange has more than one round only where the gateway runs tools."""
    attempts: list[Attempt] = attrs.field(factory=list[Attempt])
    """One per backend tried, in order."""
    span: Span = attrs.field(factory=Span)
    """What a trace tells of it."""
    finish: Finish | None = None
    """How the answer ended; None while it hasn't."""
    created: float = attrs.field(factory=time.time)
    """Unix time, seconds."""
    enqueued_at: float | None = attrs.field(default=None, init=False)
    """When it came to the queue, Unix time in seconds; None before that."""
    started_at: float | None = attrs.field(default=None, init=False)
    """When it got its slot, Unix time in seconds; None before that."""
    first_token_at: float | None = attrs.field(default=None, init=False)
    """When the first text, thought or tool call came, by `time.monotonic`; None before that."""
    usage: Usage | None = attrs.field(default=None, init=False)
    """The tokens its backend has counted so far; None if it counted none."""
    error: ClientError | None = attrs.field(default=None, init=False)
    """What ended it instead of a whole answer."""
    cancelled: bool = False
    """Whether somebody asked for the end before it came."""
    _channel: "asyncio.Queue[Event | ClientError | None]" = attrs.field(
        factory=asyncio.Queue["Event | ClientError | None"], init=False
    )
    # The channel's bound is kept apart from the queue, so that the end can always be said and drops no event.
    _room: asyncio.Semaphore = attrs.field(factory=lambda: asyncio.Semaphore(CHANNEL_EVENTS), init=False)
    _supervisor: "asyncio.Task[None] | None" = attrs.field(default=None, init=False)
    _shared: dict[type, object] = attrs.field(factory=dict[type, object], init=False)
    # The same two moments by a clock that nobody sets, for their distance.
    _enqueued: float | None = attrs.field(default=None, init=False)
    _started: float | None = attrs.field(default=None, init=False)

    @property
    def backend(self) -> str | None:
        """Return the name of the backend that answers or answered; None before one does."""
        return self.attempts[-1].backend if self.attempts else None

    @property
    def waited_s(self) -> float | None:
        """Return how long it has waited in the queue, or did until it got its slot, in seconds; None before that."""
        if self._enqueued is None:
            return None
        return (time.monotonic() if self._started is None else self._started) - self._enqueued

    @property
    def trace_headers(self) -> dict[str, str]:
        """Return the W3C headers that a backend sends to whom it asks; empty where nobody collects traces."""
        return (self.attempts[-1].span if self.attempts else self.span).headers

    def share[T](self, value: T) -> T:
        """Keep a value for later attempts of this exchange, under its type; one per type."""
        self._shared[type(value)] = value
        return value

    def shared[T](self, kind: type[T]) -> T | None:
        """Return what an earlier attempt shared under this type, or None."""
        value = self._shared.get(kind)
        return value if isinstance(value, kind) else None

    async def next_event(self) -> Event | None:
        """Return the answer's next event, None at its end. For the one reader; safe to cancel, nothing gets lost.

        :raises ClientError: what ended the exchange, if an error did.
        """
        item = await self._channel.get()
        if isinstance(item, ClientError):
            raise item
        self._room.release()
        return item

    async def events(self) -> AsyncIterator[Event]:
        """Yield the answer's events, as `next_event` returns them."""
        while (event := await self.next_event()) is not None:
            yield event

    def cancel(self) -> None:
        """End the exchange now; does nothing once it is over. Never blocks."""
        if self._supervisor is not None and not self._supervisor.done() and not self.cancelled:
            self.cancelled = True
            self._supervisor.cancel()

    def when_over(self, call: Callable[[], None]) -> None:
        """Have something called once everything that the exchange opened is closed, which may be so already."""
        if self._supervisor is None:
            call()
        else:
            self._supervisor.add_done_callback(lambda _: call())

    # What follows is the supervisor's side.

    def supervised_by(self, task: "asyncio.Task[None]") -> None:
        """Name the task that `cancel` ends."""
        self._supervisor = task

    async def next_round(self, messages: tuple[Message, ...], plan: ToolPlan) -> None:
        """Close the last round and begin another.

        :param messages: the conversation to ask with from now on. No function has to be called in it any more, since
            one has been.
        :param plan: the tools to ask with.
        """
        await self.close_round()
        self.request = attrs.evolve(self.request, messages=messages, tool_choice=None)
        self.prompt = build_prompt(messages)
        self.plan = plan

    async def close_round(self) -> None:
        """Close what backends opened for this round, and forget what they shared."""
        self._shared.clear()
        stack, self.round_stack = self.round_stack, AsyncExitStack()
        await stack.aclose()

    def enqueue(self) -> None:
        """Note that it comes to the queue."""
        self.enqueued_at, self._enqueued = time.time(), time.monotonic()

    def start(self) -> None:
        """Note that it has its slot."""
        self.started_at, self._started = time.time(), time.monotonic()

    async def emit(self, event: Event) -> None:
        """Pass an event to the reader; waits while the channel is full."""
        match event:
            case TextDelta() | ThoughtDelta() | ToolCall() if self.first_token_at is None:
                self.first_token_at = time.monotonic()
            case Usage():
                self.usage = event
            case Finish():
                self.finish = event
            case _:
                pass
        await self._room.acquire()
        self._channel.put_nowait(event)

    def close(self, error: ClientError | None = None) -> None:
        """End the reader's iteration, after the events already emitted, with an error or without. Never blocks."""
        self.error = error
        self._channel.put_nowait(error)
