"""The JSON that is posted to the control channel."""

from litestar import Request
from litestar.datastructures import State

from studiogate_simulator.jspb import Json, decode
from studiogate_simulator.scenarios import BadScenario


async def read_json(request: Request[None, None, State]) -> Json:
    """Read a request's body; raises BadScenario when it is malformed."""
    try:
        return decode(await request.body())
    except ValueError as error:
        raise BadScenario(f"not JSON: {error}") from None
