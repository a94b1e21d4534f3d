"""What is served in place of the page when something is wrong with it, and what a page is told of its load."""

from typing import Final

from attrs import frozen

from studiogate_simulator.fault_board import FaultBoard
from studiogate_simulator.faults import LOAD, PAGE
from studiogate_simulator.jspb import Json

_REGION: Final = """<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Available regions for Google AI Studio and Gemini API</title></head>
  <body><h1>Available regions</h1><p>Google AI Studio is not available in your country or territory yet.</p></body>
</html>
"""
_FORBIDDEN: Final = """<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Error 403 (Forbidden)!!1</title></head>
  <body><p><b>403.</b> That's an error.</p><p>Your client does not have permission to get this page.</p></body>
</html>
"""
_ERROR: Final = """<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Error {status} (Server Error)!!1</title></head>
  <body><p><b>{status}.</b> That's an error.</p><p>Please try again in 30 seconds.</p></body>
</html>
"""


@frozen
class FaultyPage:
    """A document in place of the page."""

    status: int
    body: bytes


def faulty_page(board: FaultBoard) -> FaultyPage | None:
    """Give what is served in place of the page, if something is to be."""
    if board.take_one("region_page"):
        return FaultyPage(200, _REGION.encode())
    if board.take_one("forbidden_page"):
        return FaultyPage(403, _FORBIDDEN.encode())
    if error := board.take_one("load_error"):
        status = int(error.number("http_status"))
        return FaultyPage(status, _ERROR.format(status=status).encode())
    return None


def load_options(board: FaultBoard, hydration_ms: int) -> dict[str, Json]:
    """Tell a page, in its options, what is to happen as it is loaded, and since when it will listen."""
    slow = board.take_one("slow_hydration")
    faults: list[Json] = [planned.row() for planned in board.take(PAGE, LOAD)]
    return {
        "hydrationMs": hydration_ms if slow is None else slow.number("for_ms"),
        "faults": faults,
        "faultsArmed": board.armed,
        "faultsAfter": board.last,
    }
