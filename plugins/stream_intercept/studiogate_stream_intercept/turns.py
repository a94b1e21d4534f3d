"""Which request of the page belongs to which prompt: the gate, and the life of a turn.

Theory of operation. All tabs share one connection to the proxy and the RPC carries nothing that names its tab, so
one tab submits at a time. `Turns.expect` is the gate: it holds the submit lock (first come, first served) from before
the click until the request is seen, some tens of milliseconds; from then on the turn is bound to its own flow and the
next tab may submit while this one's answer still streams.

    waiting --a request matches--> sent --headers--> answering --end--> over
       |                            |                  |
       +--> failed                  +------ break -----+--> over

- Waiting turns fail when the page sends something else (409, nothing goes upstream), when a callback raises (502, the
  same), when the caller leaves or aborts, and when the proxy stops. A failed turn keeps the gate shut until its caller
  has left, so that whatever the page still sends for it is refused too.
- With nobody waiting, other prompts pass untouched: a person may use the window, and so may another backend.
- Nothing is sent twice. The prompt of an open turn, or of one that broke a moment ago, is a repetition and is refused:
  Chromium repeats a POST whose connection closed before the headers, the page tries again with a fresh proof.
- Nothing is sent for nobody. Between the press and the request lie some tens of milliseconds in which a caller may
  leave; its prompt is given up and refused for a while, so that it neither goes upstream unpatched nor fails the turn
  of whoever waits next.
- A waiting turn is asked before all that, since the same prompt may be wanted again, also at once.

This module knows no mitmproxy: `interception.py` tells it what passes and does what it says. Its methods below "the
proxy's side" are called from hooks and the tap, on the loop; none of them waits or raises.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager

import attrs

from studiogate_stream_intercept.errors import RequestMismatch, StreamBroken
from studiogate_stream_intercept.stream import AnswerStream

RETRY_WINDOW_S = 5.0
"""How long after a break the same prompt is taken for a repetition, in seconds; those come at once."""
GIVEN_UP_S = 30.0
"""How long a prompt is refused whose caller left after the press, in seconds; a busy page may be that late."""

type Matches = Callable[[bytes], bool]
"""Is this request's body the prompt that was typed?"""
type Patch = Callable[[bytes], bytes]
"""The body to send in its place."""
type Cut = Callable[[], asyncio.Task[None]]
"""Start to abort the flow a turn is bound to; the task never raises."""


class Turn:
    """One submitted prompt and its answer. Made by `Turns.expect`; `abort` it unless its answer was read to the end.

    Whoever stops reading earlier lets it go (`let_go`): the page gets the rest, until it is aborted.
    """

    def __init__(self, matches: Matches, patch: Patch, *, buffer_limit: int, on_over: Callable[["Turn"], None]) -> None:
        self.matches = matches
        self.patch = patch
        self.sent_at: float | None = None
        """`time.perf_counter()` when the request was seen; None while waiting."""
        self.broken: str | None = None
        """Why the answer broke off; None while it hasn't."""
        self._limit = buffer_limit
        self._on_over = on_over
        self._failure: Exception | None = None
        self._stream: AnswerStream | None = None
        self._over = False
        self._unread = False
        self._seen = asyncio.Event()
        self._headers = asyncio.Event()
        self._cut: Cut | None = None
        self._cutting: asyncio.Task[None] | None = None

    async def sent(self) -> None:
        """Wait until the page's request was seen, matched and patched; the next tab may submit from then on.

        Raises `RequestMismatch` when the page sent something else, `StreamBroken` when the proxy stopped, or what
        a callback raised; in each case nothing went upstream.
        """
        await self._seen.wait()
        if self._failure is not None:
            raise self._failure

    async def answer(self) -> AnswerStream:
        """Wait for the response's headers and return its stream. Raises what `sent` does, and `StreamBroken`."""
        await self.sent()
        await self._headers.wait()
        if self._stream is None:
            raise StreamBroken(self.broken or "the answer ended without headers")
        return self._stream

    async def abort(self) -> None:
        """Break the turn off wherever it stands: refused if still unsent, cut upstream and in the page if open.

        Idempotent, and a no-op after the end. What the reader has not read is dropped. The cut goes on when the
        caller is cancelled meanwhile.
        """
        if not self._seen.is_set():
            self.fail(StreamBroken("aborted before the page submitted"))
        self._break_and_cut("aborted by the gateway", discard=True)
        if self._cutting is not None:
            await asyncio.shield(self._cutting)

    def let_go(self) -> None:
        """Read no more of the answer: what still comes is for the page alone. Idempotent, also after the end."""
        self._unread = True
        if self._stream is not None:
            self._stream.end(None, discard=True)

    # The proxy's side.

    @property
    def failed(self) -> bool:
        """Tell whether the turn ended before it was sent."""
        return self._failure is not None

    def fail(self, error: Exception) -> None:
        """End a waiting turn: nothing of it goes upstream."""
        if not self._seen.is_set():
            self._failure = error
            self._over = True
            self._seen.set()

    def bind(self, cut: Cut) -> None:
        """Tie the turn to the flow that `cut` aborts."""
        self.sent_at = time.perf_counter()
        self._cut = cut
        self._seen.set()

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Start the answer: its headers have come."""
        if self._stream is None and not self._over and not self._unread:
            self._stream = AnswerStream(status=status, headers=headers, limit=self._limit, abort=self.abort)
            self._headers.set()

    def tap(self, chunk: bytes) -> bytes:
        """Copy a chunk to the reader and give it back for the page; the empty chunk is the answer's end."""
        if not chunk:
            self.end()
        elif self._stream is not None and not self._stream.feed(chunk, time.perf_counter()):
            self._break_and_cut(f"its reader fell more than {self._limit} bytes behind")
        return chunk

    def end(self, reason: str | None = None, *, discard: bool = False) -> None:
        """Close the turn, once: normally, or broken for `reason`."""
        if self._over:
            return
        self._over, self.broken = True, reason
        if self._stream is not None:
            self._stream.end(reason, discard=discard)
        self._headers.set()
        self._on_over(self)

    def _break_and_cut(self, reason: str, *, discard: bool = False) -> None:
        if not self._over and self._cut is not None:
            self.end(reason, discard=discard)
            self._cutting = self._cut()


@attrs.frozen(kw_only=True)
class Bound:
    """This request is a turn's: it goes upstream with another body."""

    turn: Turn
    body: bytes


@attrs.frozen(kw_only=True)
class Refused:
    """This request is answered here and goes nowhere."""

    status: int
    reason: str
    """For the page's console: holds nothing of the request."""


@attrs.frozen(kw_only=True)
class _Spent:
    """A prompt that must not go upstream for a while. Keeps no turn: that may hold an unread answer."""

    matches: Matches
    until: float
    """Monotonic seconds."""


class Turns:
    """The gate that prompts pass one at a time, and every turn that is open behind it."""

    def __init__(
        self, *, buffer_limit: int, retry_window_s: float = RETRY_WINDOW_S, given_up_s: float = GIVEN_UP_S
    ) -> None:
        self._buffer_limit = buffer_limit
        self._retry_window_s = retry_window_s
        self._given_up_s = given_up_s
        self._gate = asyncio.Lock()
        self._waiting: Turn | None = None
        self._open: set[Turn] = set()
        self._spent: list[_Spent] = []
        """Prompts of turns that broke or were left unbound."""
        self._closed: str | None = "the proxy is not running"

    @asynccontextmanager
    async def expect(
        self, matches: Matches, patch: Patch, *, pressed: Callable[[], bool] = lambda: True
    ) -> AsyncGenerator[Turn]:
        """Wait for the gate, then hold it until the page's request is seen or the block is left.

        `matches` and `patch` are called on the loop with the body; what they raise comes out of `Turn.sent`. Click
        inside the block. A bound turn lives on after it; one still waiting fails, and its prompt is refused for a
        while.

        :param pressed: asked when the block is left unbound: may the page have been told to send? Otherwise nothing
            can come late, and the prompt is refused to nobody.
        """
        await self._gate.acquire()
        turn = Turn(matches, patch, buffer_limit=self._buffer_limit, on_over=self._over)
        self._waiting = turn
        if self._closed is not None:
            turn.fail(StreamBroken(self._closed))
        try:
            yield turn
        finally:
            turn.fail(StreamBroken("nobody waits for this prompt any more"))
            if turn.failed and pressed():
                self._refuse_for(self._given_up_s, matches)
            self._let_next(turn)

    def admit(self, body: bytes, cut: Cut) -> Bound | Refused | None:
        """Decide on a request of the RPC: a turn's, refused, or (None) not ours and untouched."""
        turn = self._waiting
        if turn is None:
            return self._refuse_spent(body)
        if turn.failed:
            return Refused(status=409, reason="this prompt was given up")
        try:
            if not turn.matches(body):
                return self._refuse_spent(body) or self._mismatch(turn)
            patched = turn.patch(body)
        except Exception as error:  # noqa: BLE001 - callbacks are another part's code; the caller gets what they raise
            turn.fail(error)
            return Refused(status=502, reason="the request could not be rewritten")
        turn.bind(cut)
        self._open.add(turn)
        self._let_next(turn)
        return Bound(turn=turn, body=patched)

    def open(self) -> None:
        """Let prompts pass from now on."""
        self._closed = None

    def close(self, reason: str) -> None:
        """End every turn: waiting ones fail, open ones break, later ones fail at once."""
        self._closed = reason
        if self._waiting is not None:
            self._waiting.fail(StreamBroken(reason))
        for turn in tuple(self._open):
            turn.end(reason)

    def _let_next(self, turn: Turn) -> None:
        if self._waiting is turn:
            self._waiting = None
            self._gate.release()

    def _over(self, turn: Turn) -> None:
        self._open.discard(turn)
        if turn.broken is not None:
            self._refuse_for(self._retry_window_s, turn.matches)

    def _refuse_for(self, seconds: float, matches: Matches) -> None:
        self._forget_old()
        self._spent.append(_Spent(matches=matches, until=time.monotonic() + seconds))

    def _refuse_spent(self, body: bytes) -> Refused | None:
        self._forget_old()
        if any(_says_yes(turn.matches, body) for turn in self._open):
            return Refused(status=409, reason="this prompt was already sent")
        if any(_says_yes(spent.matches, body) for spent in self._spent):
            return Refused(status=409, reason="this prompt was already sent, or given up")
        return None

    def _forget_old(self) -> None:
        now = time.monotonic()
        self._spent = [spent for spent in self._spent if spent.until > now]

    @staticmethod
    def _mismatch(turn: Turn) -> Refused:
        turn.fail(RequestMismatch("the page sent another prompt than the one that was typed; it was not let through"))
        return Refused(status=409, reason="this is not the prompt that was typed")


def _says_yes(matches: Matches, body: bytes) -> bool:
    """Ask a callback whose caller can no longer be told what it raises: a body it can't read isn't its prompt."""
    try:
        return matches(body)
    except Exception:  # noqa: BLE001 - another part's code, see above; the hook must go on
        return False
