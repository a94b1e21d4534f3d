"""Faults on the wire, as changes to the scenario that would have been played."""

from collections.abc import Callable
from typing import Final

from attrs import evolve

from studiogate_simulator.faults import PlannedFault
from studiogate_simulator.jspb import Json
from studiogate_simulator.scenarios import Scenario
from studiogate_simulator.status import Status

type _Change = Callable[[Scenario, PlannedFault], Scenario]

_HTML: Final = "<!doctype html><title>Error 502 (Server Error)!!1</title><p>That's all we know."
_ERROR_INFO: Final = "type.googleapis.com/google.rpc.ErrorInfo"
_RETRY_INFO: Final = "type.googleapis.com/google.rpc.RetryInfo"


def afflict(scenario: Scenario | None, planned: PlannedFault) -> Scenario:
    """Change a scenario (or the default answer) so that a wire fault happens in it."""
    return _CHANGES[planned.fault.name](scenario or Scenario(), planned)


def _refused(http_status: int, code: int, message: str) -> _Change:
    status = Status(code=code, message=message)
    return lambda scenario, _: evolve(scenario, http_status=http_status, status=status)


def _quota(scenario: Scenario, planned: PlannedFault) -> Scenario:
    details: list[Json] = [[_ERROR_INFO, ["RATE_LIMIT_EXCEEDED", "googleapis.com", [["quota_limit", "PerDay"]]]]]
    if planned.parameters["retry_s"] is not None:
        details.append([_RETRY_INFO, [[planned.parameters["retry_s"]]]])
    status = Status(code=8, message="You exceeded your current quota.", details=details)
    return evolve(scenario, http_status=status.http, status=status)


def _error_at_the_end(scenario: Scenario, planned: PlannedFault) -> Scenario:
    status = Status(code=int(planned.number("code")), message="Internal error encountered.")
    said = scenario if _says_something(scenario) else evolve(scenario, text=["So ", "far "])
    return evolve(said, status=status)


def _says_something(scenario: Scenario) -> bool:
    said = (scenario.thoughts, scenario.text, scenario.code, scenario.calls, scenario.media)
    return any(each is not None for each in said)


def _nothing(scenario: Scenario, _: PlannedFault) -> Scenario:
    return evolve(scenario, thoughts=None, text=[], code=None, calls=None, media=None, sources=None)


_CHANGES: Final[dict[str, _Change]] = {
    "rpc_429": _quota,
    "rpc_403": _refused(403, 7, "The caller does not have permission"),
    "rpc_500": _refused(500, 13, "Internal error encountered."),
    "rpc_503": _refused(503, 14, "The model is overloaded. Please try again later."),
    "stream_cut_early": lambda scenario, _: evolve(scenario, cut_after_frames=0),
    "stream_cut": lambda scenario, planned: evolve(scenario, cut_after_frames=int(planned.number("frames"))),
    "stream_hang_early": lambda scenario, _: evolve(scenario, hang_after_frames=0),
    "stream_hang": lambda scenario, planned: evolve(scenario, hang_after_frames=int(planned.number("frames"))),
    "stream_garbage": lambda scenario, _: evolve(scenario, raw=_HTML),
    "stream_error": _error_at_the_end,
    "empty_answer": _nothing,
    "blocked_prompt": lambda scenario, planned: evolve(scenario, blocked=int(planned.number("reason"))),
    "blocked_answer": lambda scenario, planned: evolve(scenario, finish=int(planned.number("finish"))),
}
