"""Judges what a backend said: whether its events are of known types, well made and in a legal order."""

# A plugin may yield anything, whatever the annotations promise.
# pyright: reportUnnecessaryIsInstance=false

import json
from collections.abc import Iterator, Sequence

from studiogate.events import (
    Citation,
    Event,
    Finish,
    FinishReason,
    Media,
    Progress,
    TextDelta,
    ThoughtDelta,
    ToolCall,
    Usage,
)

type Fault = tuple[str, str]
"""What is wrong, and what would be right."""

_KINDS = (TextDelta, ThoughtDelta, ToolCall, Media, Citation, Usage, Finish, Progress)


def faults_of(events: Sequence[Event]) -> Iterator[Fault]:
    """Yield what is wrong with single events."""
    for event in events:
        if not isinstance(event, _KINDS):
            yield f"{event!r} was yielded", "an event of studiogate.events"
        elif (fault := _fault_of(event)) is not None:
            yield fault
    ids = [event.id for event in events if isinstance(event, ToolCall)]
    if twice := sorted({each for each in ids if ids.count(each) > 1}):
        yield f"two calls with the id {twice[0]!r}", "each call has an id of its own"


def misplaced(events: Sequence[Event]) -> Iterator[Fault]:
    """Yield what stands where it may not in a whole answer."""
    ends = [place for place, event in enumerate(events) if isinstance(event, Finish)]
    if not ends:
        return
    last = events[ends[0]]
    late = [event for event in events[ends[0] + 1 :] if not isinstance(event, (Usage, Finish))]
    if late:
        yield f"{type(late[0]).__name__} after the Finish", "nothing follows Finish but Usage"
    called = any(isinstance(event, ToolCall) for event in events)
    if isinstance(last, Finish) and last.reason is FinishReason.TOOL_CALLS and not called:
        yield "an answer that ends for tool_calls, without a ToolCall", "the calls are yielded before it"


def _fault_of(event: Event) -> Fault | None:
    match event:
        case TextDelta() | ThoughtDelta():
            fits = isinstance(event.text, str) and event.text != ""
            right = "a delta's text is never empty"
        case ToolCall():
            fits = bool(event.id) and bool(event.name) and _is_object(event.arguments)
            right = "a call has an id, a name, and a JSON object as text for its arguments"
        case Media():
            fits = "/" in event.mime and isinstance(event.data, bytes)
            right = "a type such as image/png, and the decoded bytes"
        case Usage():
            fits = min(event.prompt, event.completion, event.reasoning, event.cached) >= 0
            right = "counts from 0"
        case Finish():
            fits = isinstance(event.reason, FinishReason)
            right = "a FinishReason"
        case _:
            return None
    return None if fits else (f"{event!r} was yielded", right)


def _is_object(text: object) -> bool:
    if not isinstance(text, str):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
