"""`studiogate reload`: have the gateway that runs read plugins.toml and the environment file again."""

# rich-click passes on click's decorators, whose generic parameter types it leaves open.
# pyright: reportUnknownMemberType=false

import sys
from pathlib import Path

import rich_click as click

from studiogate.config_option import config_option, read_config
from studiogate.control import RELOAD, ask, socket_path

REFUSED_EXIT = 1


@click.command("reload")
@config_option
@click.option("--port", type=int, default=None, help="Port the gateway was started with.  [default: that of the file]")
def reload_gateway(config_path: Path | None, port: int | None) -> None:
    """Have the running gateway read plugins.toml and .env again, without losing a request.

    Exit code 0: it has; 1: it refuses and nothing has changed; 2: the file can't be read, or no gateway runs.
    """
    settings = read_config(config_path, {"gateway": {"port": port}}).gateway
    outcome = ask(socket_path(settings), RELOAD)
    for line in outcome.lines:
        click.echo(line, err=not outcome.ok)
    if not outcome.ok:
        sys.exit(REFUSED_EXIT)
