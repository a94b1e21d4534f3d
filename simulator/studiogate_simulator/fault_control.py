"""The control channel's part for faults, and where the page asks what is to happen in it."""

import asyncio

from attrs import field, frozen, validators
from litestar import Request, delete, get, post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.types import Receive

from studiogate_simulator.faults import FAULTS, PAGE, SUBMITTED, TYPED, PlannedFault
from studiogate_simulator.jspb import Json
from studiogate_simulator.posting import read_json
from studiogate_simulator.scenarios import read_posted
from studiogate_simulator.simulation import Simulation


@frozen(kw_only=True)
class _Typed:
    """A page asks what is to happen to the prompt that was typed in it."""

    page: str
    """Its visit id."""
    text: str
    """The prompt."""


@frozen(kw_only=True)
class _Listening:
    """A page asks what is to happen now; it is answered when there is something."""

    page: str
    """Its visit id."""
    after: int = field(validator=validators.ge(0))
    """The number of the last fault that it has heard of."""
    armed: bool
    """Whether it knows that there are faults."""


def fault_handlers(simulation: Simulation) -> list[HTTPRouteHandler]:
    """Make the handlers of `/__sim/faults`."""
    return [*_posted(simulation), *_asked(simulation)]


def _posted(simulation: Simulation) -> list[HTTPRouteHandler]:
    board = simulation.faults

    @get("/__sim/faults")
    async def show() -> list[dict[str, Json]]:
        """List all faults that there are."""
        return [fault.row() for fault in FAULTS.values()]

    @post("/__sim/faults", status_code=201)
    async def add(request: Request[None, None, State]) -> dict[str, Json]:
        """Have one happen."""
        return (await board.post(await read_json(request))).row()

    @delete("/__sim/faults")
    async def clear() -> None:
        """Forget those that wait, and those that have happened."""
        board.clear()

    @get("/__sim/faults/waiting")
    async def waiting() -> list[Json]:
        """List those that wait."""
        return board.rows()

    @get("/__sim/faults/shown")
    async def shown() -> list[Json]:
        """List those that have happened."""
        return board.shown

    return [show, add, clear, waiting, shown]


def _asked(simulation: Simulation) -> list[HTTPRouteHandler]:
    board = simulation.faults

    @post("/__sim/faults/turn", status_code=200)
    async def turn(request: Request[None, None, State]) -> list[dict[str, Json]]:
        """Tell a page what is to happen to its prompt."""
        asked = read_posted(await read_json(request), _Typed, "question")
        scenario = simulation.scenarios.set_aside(asked.text, asked.page)
        planned: list[PlannedFault] = []
        if scenario and scenario.page and scenario.page.fault.where == PAGE:
            planned.append(scenario.page)
            board.happened(scenario.page, asked.text)
        for at in (TYPED, SUBMITTED):
            planned += board.take(PAGE, at, asked.text)
        return [each.row() for each in planned]

    @post("/__sim/faults/now", status_code=200)
    async def now(request: Request[None, None, State]) -> dict[str, Json]:
        """Tell a page, as soon as there is something, what is to happen in it now."""
        asked = read_posted(await read_json(request), _Listening, "question")
        news = asyncio.create_task(board.news(asked.page, asked.after, armed=asked.armed))
        gone = asyncio.create_task(_gone(request.receive))
        try:
            await asyncio.wait((news, gone), return_when=asyncio.FIRST_COMPLETED)
            faults = news.result() if news.done() else []
        finally:
            news.cancel()
            gone.cancel()
        return {"after": board.last, "armed": board.armed, "faults": [each.row() for each in faults]}

    return [turn, now]


async def _gone(receive: Receive) -> None:
    """Wait until who asked has gone: a page that is closed is to be told nothing any more."""
    while (await receive())["type"] != "http.disconnect":
        pass
