"""Scenarios: what a test wants the next answers to be, and the list that they, and those of uploads, wait in.

They are posted as JSON. A wrong one is refused with a sentence that names the key, because a misspelt scenario would
otherwise let its test pass on the default answer.
"""

from typing import Any, cast, get_args, get_origin

import attrs
import cattrs
from attrs import Factory, define, field, frozen, validators
from cattrs.gen import make_dict_structure_fn
from cattrs.v import format_exception

from studiogate_simulator.faults import LOAD, NOW, PlannedFault, read_planned
from studiogate_simulator.frames import CodeRun, Media, Source
from studiogate_simulator.jspb import Json
from studiogate_simulator.status import Status

_LEAST_ERROR = 400
_MOST_ERROR = 599


class BadScenario(Exception):  # noqa: N818 - says what the posted JSON is
    """A posted scenario that cannot be played; the message says why."""


@frozen(kw_only=True)
class Call:
    """A function call that the model makes."""

    name: str
    """Function name."""
    args: dict[str, Json] = Factory(dict[str, Json])
    """Arguments, as a JSON object."""


def _check_http_status(_: object, __: object, value: int) -> None:
    if value not in range(_LEAST_ERROR, _MOST_ERROR + 1) and value != 200:  # noqa: PLR2004 - HTTP's OK
        raise ValueError(f"http_status must be 200 or {_LEAST_ERROR} to {_MOST_ERROR}, not {value}")


def _check_moment(_: object, __: object, value: PlannedFault) -> None:
    if value.at in {LOAD, NOW}:
        raise ValueError(f"a scenario's fault happens in its turn, not at {value.at!r}; POST /__sim/faults has those")


_COUNT = validators.optional(validators.ge(0))


@frozen(kw_only=True)
class Matcher:
    """What a scenario is for, and how often."""

    when: str | None = None
    """Text that the prompt, or a file's name, must contain; None matches all."""
    times: int | None = field(default=None, validator=validators.optional(validators.ge(1)))
    """How many of them it is for before it is used up; None for ever."""


@frozen(kw_only=True)
class Scenario(Matcher):
    """How to answer the turns that it matches."""

    thoughts: list[str] | None = None
    """Thought deltas, one frame each."""
    text: list[str] | None = None
    """Answer deltas, one frame each. Without thoughts, text, code, calls and media the default answer is
    given."""
    code: list[CodeRun] | None = None
    """Code that is run before the text, two frames each."""
    calls: list[Call] | None = None
    """Function calls, one frame each, after the text."""
    media: list[Media] | None = None
    """Generated images or pieces of audio, one frame each, after the text."""
    sources: list[Source] | None = None
    """Web pages that the answer rests on, in one frame before the finish reason."""
    blocked: int | None = field(default=None, validator=validators.optional(validators.ge(1)))
    """The prompt is refused for this block reason, without an answer."""
    chunk_delay_ms: float = field(default=10, validator=validators.ge(0))
    """Pause between frames, in milliseconds."""
    finish: int = field(default=1, validator=validators.ge(0))
    """Finish reason."""
    http_status: int = field(default=200, validator=_check_http_status)
    """HTTP status; from 400 on the answer is an error body."""
    status: Status | None = None
    """An error, posted as `[code, message, details?]`: the body of an error, or the end of a stream that fails."""
    raw: str | None = None
    """A whole response body, sent as it is."""
    write_bytes: int | None = field(default=None, validator=validators.optional(validators.ge(1)))
    """Size of every network write of the encoded body, in bytes."""
    cut_after_frames: int | None = field(default=None, validator=_COUNT)
    """After that many frames the stream is reset."""
    hang_after_frames: int | None = field(default=None, validator=_COUNT)
    """After that many frames nothing more comes until the client goes."""
    page: PlannedFault | None = field(default=None, validator=validators.optional(_check_moment))
    """A fault that happens in the turn, in the page or elsewhere."""


@define
class _Entry[T: Matcher]:
    """A scenario that waits; its `times` is what is left."""

    scenario: T
    pages: set[str] = Factory(set[str])
    """The pages whose next turns it was set aside for."""

    def matches(self, text: str) -> bool:
        """Tell whether it is for a text."""
        return self.scenario.when is None or self.scenario.when in text

    def has_room_for(self, page: str) -> bool:
        """Tell whether a page can have it without taking it away from another."""
        return page in self.pages or self.scenario.times is None or len(self.pages) < self.scenario.times


@define
class Playlist[T: Matcher]:
    """Scenarios in the order they were posted, with what is left of each.

    A page that was told what is to happen in its next turn has a scenario set aside, so that with several pages at once
    each gets the answer that goes with its fault. It is no promise: a page may be gone before it submits, so who finds
    nothing else takes what was set aside for another.
    """

    _kind: type[T]
    _entries: list[_Entry[T]] = Factory(list[_Entry[T]])

    def add(self, posted: Json) -> T:
        """Add a scenario from JSON after those that wait; raises BadScenario."""
        scenario = read_posted(posted, self._kind)
        self._entries.append(_Entry(scenario))
        return scenario

    def clear(self) -> None:
        """Forget all of them."""
        self._entries.clear()

    def waiting(self) -> list[T]:
        """List those that are left."""
        return [entry.scenario for entry in self._entries]

    def set_aside(self, text: str, page: str) -> T | None:
        """Give the scenario that a page's next turn will take; None also if it was given to that page before."""
        found = next((entry for entry in self._entries if entry.matches(text) and entry.has_room_for(page)), None)
        if found is None or page in found.pages:
            return None
        self._release(page)
        found.pages.add(page)
        return found.scenario

    def take(self, text: str, page: str = "") -> T | None:
        """Give the first scenario that matches a text, and use it once."""
        matching = [entry for entry in self._entries if entry.matches(text)]
        found = next((entry for entry in matching if entry.has_room_for(page)), matching[0] if matching else None)
        if found is None:
            return None
        self._release(page)
        scenario = found.scenario
        if scenario.times == 1:
            self._entries.remove(found)
        elif scenario.times is not None:
            found.scenario = attrs.evolve(scenario, times=scenario.times - 1)
        return scenario

    def _release(self, page: str) -> None:
        for entry in self._entries:
            entry.pages.discard(page)


def read_scenario(posted: Json) -> Scenario:
    """Build a scenario from JSON; raises BadScenario with a sentence per mistake."""
    return read_posted(posted, Scenario)


def read_posted[T](posted: Json, kind: type[T], name: str = "scenario") -> T:
    """Build what was posted from JSON; raises BadScenario with a sentence per mistake."""
    if not isinstance(posted, dict):
        raise BadScenario(f"a {name} is a JSON object")
    try:
        return _converter.structure(posted, kind)
    except cattrs.BaseValidationError as error:
        raise BadScenario("; ".join(cattrs.transform_error(error, path=name, format_exception=_explain))) from error


def write_posted(value: object) -> dict[str, Json]:
    """Build the JSON of what was posted, only what differs from the defaults."""
    written: dict[str, Json] = _converter.unstructure(value)
    return written


def _explain(error: BaseException, kind: type | None) -> str:
    # cattrs says "invalid value" for these; the validators above say which, and what would be right.
    return str(error.args[0]) if isinstance(error, ValueError) and error.args else format_exception(error, kind)


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is list


def _structure_list(value: object, kind: type[list[object]]) -> list[object]:
    # Any iterable would do for cattrs, so that a text becomes the list of its letters.
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    [entry] = get_args(kind)
    return [_converter.structure(item, entry) for item in cast("list[object]", value)]


def _structure_exactly[T](value: object, kind: type[T]) -> T:
    # bool is an int to Python, but not to someone who reads a scenario.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _structure_number(value: object, _: type[float]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return value


def _structure_status(value: object, _: type[Status]) -> Status:
    match cast("Json", value):
        case [int(code), str(message)]:
            return Status(code=code, message=message)
        case [int(code), str(message), [*details]]:
            return Status(code=code, message=message, details=details)
        case _:
            raise ValueError("status must be [code, message] or [code, message, details]")


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, omit_if_default=True)
    converter.register_structure_hook_func(_is_list, _structure_list)
    converter.register_structure_hook(str, _structure_exactly)
    converter.register_structure_hook(int, _structure_exactly)
    converter.register_structure_hook(bool, _structure_exactly)
    converter.register_structure_hook(float, _structure_number)
    converter.register_structure_hook(Status, _structure_status)
    converter.register_structure_hook(PlannedFault, lambda value, _: read_planned(value))
    converter.register_structure_hook_func(lambda kind: kind is Json, lambda value, _: value)
    converter.register_unstructure_hook(Status, Status.fields)
    converter.register_unstructure_hook(PlannedFault, PlannedFault.row)
    for kind in (Call, CodeRun, Media, Source):
        converter.register_structure_hook(kind, make_dict_structure_fn(kind, converter))
    return converter


_converter = _make_converter()
