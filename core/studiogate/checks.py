"""What `studiogate check` finds out: whether a gateway could start and answer, without starting it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import attrs

from studiogate.errors import ConfigurationError

if TYPE_CHECKING:
    from studiogate.config import Config
    from studiogate.plugins import InstalledPlugins, PluginHost


@attrs.frozen(kw_only=True)
class Check:
    """Say what came of looking at one thing."""

    what: str
    """Such as `profile`."""
    ok: bool
    said: str
    """What was found or is wrong, in a sentence. No secrets."""
    advice: str | None = None
    """What would be right, where it isn't."""


def checks(config: "Config", installed: "InstalledPlugins | None" = None) -> Iterator[Check]:
    """Look at everything in turn; what builds on something broken is left out.

    :param installed: as `PluginHost` takes it.
    """
    from studiogate.catalogue import Catalogue  # noqa: PLC0415 - what follows is what commands import late
    from studiogate.chain import Chain  # noqa: PLC0415
    from studiogate.plugins import PluginHost  # noqa: PLC0415

    hosts: list[PluginHost] = []

    def settings() -> str:
        host = PluginHost(config, installed)
        Catalogue(config, host)
        Chain(host, config.gateway, config.defaults)
        hosts.append(host)
        return f"{', '.join(host.names) or 'none'} can be loaded, and their settings are right."

    yield from _tried("plugins and settings", settings)
    if not hosts:
        return
    for name, why in hosts[0].left_out.items():
        yield Check(
            what=name, ok=False, said=f"It {why}, and is left out.", advice="studiogate plugins list says more."
        )
    yield from _tried("keys", lambda: _keys(config))
    yield from _tried("port", lambda: _port(config))
    yield from _of_plugins(hosts[0])


def _tried(what: str, look: Callable[[], str]) -> Iterator[Check]:
    try:
        yield Check(what=what, ok=True, said=look())
    except ConfigurationError as error:
        yield Check(what=what, ok=False, said=str(error))


def _keys(config: "Config") -> str:
    from studiogate.keys import ApiKeys  # noqa: PLC0415
    from studiogate.web.server import refuse_open_doors  # noqa: PLC0415

    keys = ApiKeys(config.gateway)
    refuse_open_doors(config.gateway, keys)
    return "Chats need one." if keys.required else "There are none: nobody is asked for one."


def _port(config: "Config") -> str:
    from studiogate.running import ask_health  # noqa: PLC0415
    from studiogate.web.server import free_address  # noqa: PLC0415

    settings = config.gateway
    if settings.port and ask_health(settings) is not None:
        return f"A gateway answers on port {settings.port} already: studiogate reload, or stop it first."
    free_address(settings.host, settings.port)
    return f"{settings.port or 'any'} on {settings.host} is free."


def _of_plugins(host: "PluginHost") -> Iterator[Check]:
    for hook in host.implementations("check"):
        try:
            found: list[Check] = list(hook() or ())
        except Exception as error:  # noqa: BLE001 - the plugin boundary: whatever it is, it is this plugin's fault
            found = [Check(what="check", ok=False, said=f"It failed unexpectedly with {type(error).__name__}.")]
        yield from (attrs.evolve(each, what=f"{hook.plugin}: {each.what}") for each in found)
