"""`studiogate chain`: the backends in the order they are asked, and how each fares. Sends no request upstream.

What the configuration says is known by loading it; how a backend fares only a gateway that runs can tell, so its
`/health` is asked for, at the address that the configuration names.
"""

# rich-click passes on click's decorators, whose generic parameter types it leaves open.
# pyright: reportUnknownMemberType=false

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import rich_click as click

from studiogate.config_option import config_option, read_config
from studiogate.running import address, ask_health


@click.command()
@config_option
@click.option("--port", type=int, default=None, help="Port of the running gateway.  [default: that of the file]")
def chain(config_path: Path | None, port: int | None) -> None:
    """Show which backends are asked, in which order, what each needs and whether it is ready."""
    from studiogate.plugins import PluginHost  # noqa: PLC0415 - imports every plugin, needed here only

    config = read_config(config_path, {"gateway": {"port": port}})
    host = PluginHost(config)
    backends = [hook.plugin for hook in host.implementations("fetch_response")]
    health = ask_health(config.gateway)
    for number, name in enumerate(backends, start=1):
        needs = [each for each in host.needs(name) if each != name]
        click.echo(f"{number}. {name}{f' (needs {", ".join(needs)})' if needs else ''}")
        for line in _fares(host.needs(name), name, health) if health else ():
            click.echo(f"   {line}")
    for name, source in host.off.items():
        click.echo(f"-  {name}: switched off ({source})")
    for name, why in host.left_out.items():
        click.echo(f"-  {name}: left out (it {why})")
    if not backends:
        click.echo("No backend is enabled: list one under plugins.")
    if health is None:
        click.echo(f"No gateway answers at {address(config.gateway)}, so nothing is known of how they fare.", err=True)


def _fares(needed: tuple[str, ...], name: str, health: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a running gateway says of a backend: its troubles and those of what it needs, else that it is ready.

    :param needed: the backend and all it needs.
    """
    if name not in health["backends"]:
        yield "not loaded in the gateway that runs: restart it"
        return
    told = {each: health["plugins"][each] for each in needed if each in health["plugins"]}
    troubles = {each: said for each, said in told.items() if not said["ready"]}
    for each, said in troubles.items():
        yield f"not ready: {each}: {said['status']}{f'. {said["advice"]}' if said['advice'] else ''}"
    if not troubles:
        yield "ready"
    breaker = health["breakers"][name]
    if breaker["state"] != "closed":
        again = f", tried again in {breaker['again_in_s']:g} s" if breaker["again_in_s"] else ""
        yield f"breaker {breaker['state']} after {breaker['failures']} failures in a row: asked last{again}"
