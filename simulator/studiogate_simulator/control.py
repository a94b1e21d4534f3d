"""The control channel, `/__sim/*`: scripts answers and shows what was received. Only for this machine."""

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Final

import attrs
from litestar import Litestar, Request, Response, delete, get, post, put
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from studiogate_simulator.fault_control import fault_handlers
from studiogate_simulator.jspb import Json
from studiogate_simulator.page_options import PageOptions, settled
from studiogate_simulator.posting import read_json
from studiogate_simulator.scenarios import BadScenario, Matcher, Playlist, Scenario, read_posted, write_posted
from studiogate_simulator.simulation import Simulation
from studiogate_simulator.uploads import UploadScenario

CONTROL_PATH: Final = "/__sim/"
"""Path prefix of the control channel, on every host."""


def build_control(simulation: Simulation) -> Litestar:
    """Make the control application."""
    return Litestar(
        [
            *_playlist("/__sim/scenarios", simulation.scenarios, _telling(simulation)),
            *_playlist("/__sim/uploads", simulation.uploads),
            _next_upload(simulation),
            *_page(simulation),
            *fault_handlers(simulation),
            *_log(simulation),
        ],
        guards=[_local_only],
        exception_handlers={HTTPException: _explain, BadScenario: _refuse},
        openapi_config=None,
        logging_config=None,
    )


def _telling(simulation: Simulation) -> Callable[[Scenario], Awaitable[None]]:
    async def tell(scenario: Scenario) -> None:
        if scenario.page:
            await simulation.faults.tell_pages()

    return tell


async def _tell_nobody(_: Matcher) -> None:
    pass


def _playlist[T: Matcher](
    path: str, playlist: Playlist[T], added: Callable[[T], Awaitable[None]] = _tell_nobody
) -> list[HTTPRouteHandler]:
    @post(path, status_code=201)
    async def add(request: Request[None, None, State]) -> dict[str, Json]:
        """Add a scenario after those that wait."""
        scenario = playlist.add(await read_json(request))
        await added(scenario)
        return write_posted(scenario)

    @get(path)
    async def show() -> list[dict[str, Json]]:
        """List the scenarios that wait, in order."""
        return [write_posted(scenario) for scenario in playlist.waiting()]

    @delete(path)
    async def clear() -> None:
        """Forget the scenarios."""
        playlist.clear()

    return [add, show, clear]


def _next_upload(simulation: Simulation) -> HTTPRouteHandler:
    @post("/__sim/uploads/next", status_code=200)
    async def take(request: Request[None, None, State]) -> dict[str, Json]:
        """Tell the page what is to become of a file; it asks with `{"name": …}`."""
        asked = await read_json(request)
        name = asked.get("name") if isinstance(asked, dict) else None
        return attrs.asdict(simulation.uploads.take(str(name)) or UploadScenario())

    return take


def _page(simulation: Simulation) -> list[HTTPRouteHandler]:
    @get("/__sim/page")
    async def show() -> dict[str, Json]:
        """Tell the options of the next page."""
        return attrs.asdict(settled(simulation.page, simulation.generation))

    @put("/__sim/page")
    async def replace(request: Request[None, None, State]) -> dict[str, Json]:
        """Set the options of the next page; those left out are the defaults."""
        simulation.page = read_posted(await read_json(request), PageOptions, "page")
        return attrs.asdict(settled(simulation.page, simulation.generation))

    @delete("/__sim/page")
    async def reset() -> None:
        """Give the next page its default options."""
        simulation.page = PageOptions()

    return [show, replace, reset]


def _log(simulation: Simulation) -> list[HTTPRouteHandler]:
    @get("/__sim/log")
    async def show() -> list[Json]:
        """List the submitted turns, in order of arrival."""
        return simulation.turns.rows()

    @delete("/__sim/log")
    async def clear() -> None:
        """Forget the submitted turns."""
        simulation.turns.clear()

    return [show, clear]


def _local_only(connection: ASGIConnection[BaseRouteHandler, None, None, State], _: BaseRouteHandler) -> None:
    client = connection.client
    if client is None or not _is_loopback(client.host):
        raise PermissionDeniedException("the control channel answers to this machine only")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse(_: Request[None, None, State], error: BadScenario) -> Response[dict[str, str]]:
    return Response({"error": str(error)}, status_code=400)


def _explain(_: Request[None, None, State], error: HTTPException) -> Response[dict[str, str]]:
    return Response({"error": error.detail}, status_code=error.status_code)
