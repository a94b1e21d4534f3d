"""Decode one GenerateContent answer: response bytes in, `studiogate.events` out.

    bytes -> FrameScanner -> frame -> jspb.decode -> usage, parts, sources, finish -> events

A frame holds at most one candidate with some parts, deltas all of them, and running totals of tokens. The last frame
with a candidate holds an integer finish reason; a frame without candidates and the closing brackets follow. That gives
the decoder's three duties beyond translating parts:

- `Finish` is emitted as soon as it is read, since the page may drop its request right after it; from then on the answer
  is whole, whatever becomes of the connection. Only totals are read from later frames.
- `Usage` is emitted once, by `close()`: only the last totals are right.
- Citations are about the whole text and come just before `Finish` (or in `close()` where none came).

How it ended is a value, `outcome`, for the caller to judge: to go on elsewhere, retry, or fail.
"""

import hashlib
import json
from collections.abc import Iterator

import attrs

from studiogate.events import Event, Finish, Media, TextDelta, ThoughtDelta, ToolCall, Usage
from studiogate_studio.wire.errors import WireError, so_far
from studiogate_studio.wire.finish import read_block, read_finish
from studiogate_studio.wire.frames import DEFAULT_LIMIT, FrameScanner
from studiogate_studio.wire.indices import Candidate, Content, Frame
from studiogate_studio.wire.jspb import Json, decode, list_at, text_at
from studiogate_studio.wire.parts import Blob, FunctionCall, Words, read_part
from studiogate_studio.wire.sources import citations, has_sources
from studiogate_studio.wire.status import Status, status_of
from studiogate_studio.wire.transcript import Transcript
from studiogate_studio.wire.usage import read_usage


@attrs.frozen(kw_only=True)
class Completed:
    """The answer is whole: a finish reason, or the refusal of the prompt, was read."""


@attrs.frozen(kw_only=True)
class Truncated:
    """The body ended, or was cut off, before a finish reason."""

    complete: bool
    """Whether the body itself was whole: the upstream ended it in order, without giving a reason."""


@attrs.frozen(kw_only=True)
class StreamFailed:
    """The upstream broke off with an error, before or after its first frame."""

    status: Status


type Outcome = Completed | Truncated | StreamFailed


@attrs.define(kw_only=True)
class AnswerDecoder:
    """Turn one response body into events. Feed it decoded content (`ContentDecoder`), then close it."""

    limit: int = DEFAULT_LIMIT
    """Bytes that one frame may have."""
    response_id: str | None = attrs.field(default=None, init=False)
    """Upstream's id of this answer, `v1_...`, once a frame named it."""
    frames: int = attrs.field(default=0, init=False)
    """Frames read."""
    finished: bool = attrs.field(default=False, init=False)
    """Whether `Finish` was emitted: the answer is whole."""
    outcome: Outcome | None = attrs.field(default=None, init=False)
    """How the answer ended; None until `close()`."""
    _scanner: FrameScanner = attrs.field(
        default=attrs.Factory(lambda self: FrameScanner(limit=self.limit), takes_self=True), init=False
    )
    _usage: Json = attrs.field(default=None, init=False)
    """The last frame's usage field that was set; read only when asked for."""
    _transcript: Transcript = attrs.field(factory=Transcript, init=False)
    _sources: list[Json] = attrs.field(factory=list[Json], init=False)
    """Candidates with metadata about sources."""
    _calls: dict[str, tuple[str, str]] = attrs.field(factory=dict[str, tuple[str, str]], init=False)
    """Name and arguments of each call, by the id it was given."""

    @property
    def usage(self) -> Usage | None:
        """Return the last totals read, also of an answer that broke off; None before any."""
        return read_usage(self._usage)

    @property
    def complete(self) -> bool:
        """Tell whether the body's root array has closed."""
        return self._scanner.complete

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take the next bytes of the body, return what they say, in order.

        They are read at once, not as the events are taken. The iterator raises `WireError` for a frame that is no JSON
        or too large, or an inline file that can't be decoded: after all that came before it, however the network cut
        the body. Nothing more can be read then.
        """
        return so_far(self._events(data))

    def close(self) -> list[Event]:
        """End the answer, cut off or not: return the events held back and settle `outcome`. Call it once."""
        events: list[Event] = [] if self.finished else list(self._cite())
        if (usage := self.usage) is not None:
            events.append(usage)
        self.outcome = self._settle()
        return events

    def _events(self, data: bytes) -> Iterator[Event]:
        for raw in self._scanner.feed(data):
            for frame in _frames(decode(raw)):
                yield from self._read(frame)

    def _settle(self) -> Outcome:
        if self.finished:
            return Completed()
        rest = self._scanner.close()
        try:
            status = status_of(decode(rest)) if rest else None
        except WireError:
            status = None
        if status is not None and status.code != 0:
            return StreamFailed(status=status)
        return Truncated(complete=self.complete)

    def _read(self, frame: Json) -> Iterator[Event]:
        self.frames += 1
        self._usage = list_at(frame, Frame.USAGE) or self._usage
        self.response_id = text_at(frame, Frame.RESPONSE_ID) or self.response_id
        for candidate in list_at(frame, Frame.CANDIDATES)[:1]:
            if not self.finished:
                yield from self._read_candidate(candidate)
        if not self.finished and (block := read_block(frame)):
            yield from self._finish(block)

    def _read_candidate(self, candidate: Json) -> Iterator[Event]:
        for part in list_at(candidate, Candidate.CONTENT, Content.PARTS):
            yield from self._read_part(part)
        if has_sources(candidate):
            self._sources.append(candidate)
        if finish := read_finish(candidate, called=bool(self._calls)):
            yield from self._finish(finish)

    def _read_part(self, part: Json) -> Iterator[Event]:
        match read_part(part):
            case Words(text=text, thought=True):
                yield ThoughtDelta(text=text)
            case Words(text=text, own=own):
                (self._transcript.add if own else self._transcript.add_foreign)(text)
                yield TextDelta(text=text)
            case FunctionCall() as call:
                yield from self._call(call)
            case Blob(mime=mime, data=data):
                yield Media(mime=mime, data=data)
            case None:
                pass

    def _call(self, call: FunctionCall) -> Iterator[Event]:
        """Emit a call once: one that comes again under its id is dropped; one without an id gets one of its own."""
        arguments = json.dumps(call.arguments, ensure_ascii=False, separators=(",", ":"))
        said = call.name, arguments
        if call.id is not None and self._calls.get(call.id) == said:
            return
        identity = call.id if call.id is not None and call.id not in self._calls else self._new_id(said)
        self._calls[identity] = said
        yield ToolCall(id=identity, name=call.name, arguments=arguments)

    def _new_id(self, said: tuple[str, str]) -> str:
        """Return an id that the same answer always gives, and another answer, in all likelihood, doesn't."""
        seed = json.dumps([self.response_id, len(self._calls), *said])
        return f"call_{hashlib.sha256(seed.encode()).hexdigest()[:16]}"

    def _cite(self) -> Iterator[Event]:
        yield from citations(self._sources, self._transcript)

    def _finish(self, finish: Finish) -> Iterator[Event]:
        self.finished = True
        yield from self._cite()
        yield finish


def _frames(value: Json) -> list[Json]:
    """Return the frames in an array of the stream's list: itself, or its elements where a layer was put around them.

    Told apart by where the turn's role stands, the one string at a known place.
    """
    role = (Candidate.CONTENT, Content.ROLE)
    if text_at(value, 0, 0, *role) is None and text_at(value, 0, 0, 0, *role) is not None:
        return list_at(value)
    return [value]
