"""`studiogate health`: whether the gateway that runs can answer, for those who look after it, people and programs."""

# rich-click passes on click's decorators, whose generic parameter types it leaves open.
# pyright: reportUnknownMemberType=false

import sys
from pathlib import Path

import rich_click as click

from studiogate.config_option import config_option, read_config
from studiogate.running import address, ask_health


@click.command()
@config_option
@click.option("--port", type=int, default=None, help="Port of the running gateway.  [default: that of the file]")
def health(config_path: Path | None, port: int | None) -> None:
    """Say whether the running gateway can answer: exit code 0 if so, else 1 and why not."""
    settings = read_config(config_path, {"gateway": {"port": port}}).gateway
    said = ask_health(settings)
    if said is None:
        click.echo(f"No gateway answers at {address(settings)}.")
    else:
        click.echo(said["message"] or said["status"])
    if said is None or said["status"] != "ok":
        sys.exit(1)
