"""The hooks that the studio plugin adds to the gateway's. Order and rules are those of `studiogate.hookspecs`."""

import pluggy

from studiogate.hookspecs import PROJECT
from studiogate_studio.launch import BrowserLaunch
from studiogate_studio.proxies import ForeignInterceptor

hookspec = pluggy.HookspecMarker(PROJECT)


@hookspec
async def configure_browser(launch: BrowserLaunch) -> None:
    """Change how the browser is launched: its proxy, the certificates it trusts, its arguments.

    Called in the order of plugins.toml before every launch, also before each relaunch after a crash, so answer with
    what holds now (a proxy's present port). The gateway's lifespans are all entered by then. Results are ignored; what
    raises here keeps the browser from starting and is logged, and the launch is tried again later.

    :param launch: change it in place; what earlier plugins wrote is in it already.
    """


@hookspec
def foreign_interceptor() -> ForeignInterceptor | None:
    """Name a proxy of somebody else's that the traffic between the page and AI Studio has to pass.

    Called while the plugins start and before each launch, in any plugin's order: whoever reads that traffic itself
    (stream_intercept) passes it on there; else it becomes the browser's proxy. Return the same each time. None stands
    for no such proxy; two plugins that name one stop the start.
    """
