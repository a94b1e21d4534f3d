"""Turn a scenario (or none) into the exact bytes of one answer and how they are to be sent."""

from collections.abc import Iterable
from enum import Enum
from itertools import chain
from typing import Final

import attrs
from attrs import frozen

from studiogate_simulator import frames
from studiogate_simulator.answer import Answer, default_answer
from studiogate_simulator.frames import Usage, count_tokens
from studiogate_simulator.jspb import Json
from studiogate_simulator.models import Model
from studiogate_simulator.scenarios import Call, Scenario
from studiogate_simulator.status import Status, code_of, streamed
from studiogate_simulator.submission import Submission

_OK: Final = 200
_ERRORS: Final = 400
_MEDIA_COST: Final = 1290
"""Tokens of a generated image."""
_CODE_COST: Final = 16
"""Tokens of code, and of what came of it."""
_BLOCKED: Final = "The prompt could not be submitted. It may violate the policies on prohibited use."


class Ending(Enum):
    """How an answer ends."""

    WHOLE = "whole"
    """With its last byte."""
    CUT = "cut"
    """With a reset of the stream."""
    HANG = "hang"
    """With silence, until the client goes."""


@frozen(kw_only=True)
class Script:
    """One answer, ready to be sent."""

    frames: list[bytes]
    """Messages that are flushed one by one; each completes one frame."""
    tail: bytes
    """What follows the last frame."""
    http_status: int = _OK
    """HTTP status."""
    delay_s: float = 0
    """Pause between frames, in seconds."""
    write_bytes: int | None = None
    """Size of every network write, in bytes; None for one write per message."""
    ending: Ending = Ending.WHOLE
    """How it ends."""


def failure(status: Status) -> Script:
    """Compose the answer to a turn that is refused."""
    return Script(frames=[], tail=streamed(status), http_status=status.http)


def compose(scenario: Scenario | None, submission: Submission, model: Model) -> Script:
    """Compose the answer to an accepted turn."""
    scenario = scenario or Scenario()
    if scenario.raw is not None:
        return _paced(scenario, [], scenario.raw.encode("utf-8", "surrogatepass"))
    if scenario.http_status >= _ERRORS:
        status = scenario.status or Status(
            code=code_of(scenario.http_status), message="The scenario asked for this error."
        )
        return _paced(scenario, [], streamed(status))
    encoded = _frames(scenario, submission, model)
    if not encoded and scenario.status is not None:
        return _paced(scenario, [], streamed(scenario.status))
    tail = b"]]" if scenario.status is None else b"]" + streamed(scenario.status)[1:]
    return _paced(scenario, _listed(encoded), tail if encoded else b"[[" + tail)


def _frames(scenario: Scenario, submission: Submission, model: Model) -> list[bytes]:
    if scenario.blocked is not None:
        usage = Usage(prompt=submission.prompt_tokens)
        blocked = frames.blocked_frame(scenario.blocked, _BLOCKED, usage, frames.new_response_id())
        return [blocked, frames.event_frame()]
    given = (scenario.thoughts, scenario.text, scenario.code, scenario.calls, scenario.media)
    scripted = any(each is not None for each in given)
    if scripted or scenario.status is not None:
        answer = Answer(
            thoughts=scenario.thoughts or [],
            text=scenario.text or [],
            finish=scenario.finish,
            code=scenario.code or [],
            media=scenario.media or [],
            sources=scenario.sources or [],
        )
    else:
        answer = default_answer(submission, model)
        if scenario.finish != 1:
            answer = attrs.evolve(answer, finish=scenario.finish)
    ends = scenario.status is None
    return list(_encoded(answer, scenario.calls or [], submission.prompt_tokens, ends=ends))


def _encoded(answer: Answer, calls: list[Call], prompt_tokens: int, *, ends: bool) -> Iterable[bytes]:
    response_id = frames.new_response_id()
    thoughts = said = 0
    for part, cost, is_thought in chain(
        ((frames.thought_part(text), count_tokens(text), True) for text in answer.thoughts),
        ((part, _CODE_COST, False) for run in answer.code for part in frames.code_parts(run)),
        ((frames.text_part(text), count_tokens(text), False) for text in answer.text),
        ((frames.media_part(each), _MEDIA_COST, False) for each in answer.media),
        ((frames.call_part(call.name, call.args), _call_cost(call), False) for call in calls),
    ):
        thoughts += cost if is_thought else 0
        said += 0 if is_thought else cost
        yield frames.content_frame(part, Usage(prompt=prompt_tokens, answer=said, thoughts=thoughts), response_id)
    total = Usage(prompt=prompt_tokens, answer=said, thoughts=thoughts)
    if answer.sources:
        yield frames.sources_frame(answer.sources, "".join(answer.text), total, response_id)
    if ends:
        yield frames.finish_frame(answer.finish, total, response_id)
        yield frames.event_frame()


def _call_cost(call: Call) -> int:
    values: list[Json] = list(call.args.values())
    return count_tokens(call.name) + sum(count_tokens(str(value)) for value in values) + len(values)


def _listed(encoded: list[bytes]) -> list[bytes]:
    return [(b"[[" if index == 0 else b",") + frame for index, frame in enumerate(encoded)]


def _paced(scenario: Scenario, messages: list[bytes], tail: bytes) -> Script:
    ending = Ending.WHOLE
    for after, early in ((scenario.cut_after_frames, Ending.CUT), (scenario.hang_after_frames, Ending.HANG)):
        if after is not None and after <= len(messages):
            messages, tail, ending = messages[:after], b"", early
    return Script(
        frames=messages,
        tail=tail,
        http_status=scenario.http_status,
        delay_s=scenario.chunk_delay_ms / 1000,
        write_bytes=scenario.write_bytes,
        ending=ending,
    )
