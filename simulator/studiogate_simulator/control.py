"""The control channel, `/__sim/*`: scripts answers and shows what was received. Only for this machine."""

import ipaddress
from typing import Final

from litestar import Litestar, Request, Response, delete, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from studiogate_simulator.jspb import Json, decode
from studiogate_simulator.scenarios import BadScenario, write_scenario
from studiogate_simulator.simulation import Simulation

CONTROL_PATH: Final = "/__sim/"
"""Path prefix of the control channel, on every host."""


def build_control(simulation: Simulation) -> Litestar:
    """Make the control application."""

    @post("/__sim/scenarios", status_code=201)
    async def add_scenario(request: Request[None, None, State]) -> dict[str, Json]:
        """Add a scenario after those that wait."""
        try:
            posted = decode(await request.body())
        except ValueError as error:
            raise HTTPException(detail=f"not JSON: {error}", status_code=400) from None
        try:
            return write_scenario(simulation.scenarios.add(posted))
        except BadScenario as error:
            raise HTTPException(detail=str(error), status_code=400) from None

    @get("/__sim/scenarios")
    async def list_scenarios() -> list[dict[str, Json]]:
        """List the scenarios that wait, in order."""
        return [write_scenario(scenario) for scenario in simulation.scenarios.waiting()]

    @delete("/__sim/scenarios")
    async def clear_scenarios() -> None:
        """Forget the scenarios."""
        simulation.scenarios.clear()

    @get("/__sim/log")
    async def show_log() -> list[Json]:
        """List the submitted turns, in order of arrival."""
        return simulation.turns.rows()

    @delete("/__sim/log")
    async def clear_log() -> None:
        """Forget the submitted turns."""
        simulation.turns.clear()

    return Litestar(
        [add_scenario, list_scenarios, clear_scenarios, show_log, clear_log],
        guards=[_local_only],
        exception_handlers={HTTPException: _explain},
        openapi_config=None,
        logging_config=None,
    )


def _local_only(connection: ASGIConnection[BaseRouteHandler, None, None, State], _: BaseRouteHandler) -> None:
    client = connection.client
    if client is None or not _is_loopback(client.host):
        raise PermissionDeniedException("the control channel answers to this machine only")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _explain(_: Request[None, None, State], error: HTTPException) -> Response[dict[str, str]]:
    return Response({"error": error.detail}, status_code=error.status_code)
