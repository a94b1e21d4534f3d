"""`studiogate check`: whether a gateway could start and answer, without starting one."""

# rich-click passes on click's decorators, whose generic parameter types it leaves open.
# pyright: reportUnknownMemberType=false

import sys
from pathlib import Path

import rich_click as click

from studiogate.checks import Check, checks
from studiogate.config_option import config_option, read_config
from studiogate.errors import ConfigurationError


@click.command()
@config_option
@click.option("--host", default=None, help="As for serve.")
@click.option("--port", type=int, default=None, help="As for serve.")
def check(config_path: Path | None, host: str | None, port: int | None) -> None:
    """Look at file, plugins, keys, ports, profile and browser without starting anything.

    Exit code 0: all is right; 1: something isn't.
    """
    try:
        config = read_config(config_path, {"gateway": {"host": host, "port": port}})
    except ConfigurationError as error:
        click.echo(_line(Check(what="file", ok=False, said=str(error))))
        sys.exit(1)
    fine = True
    click.echo(_line(Check(what="file", ok=True, said=f"{config.path.name} can be read.")))
    for each in checks(config):
        click.echo(_line(each))
        fine = fine and each.ok
    sys.exit(0 if fine else 1)


def _line(found: Check) -> str:
    """Return one line; a message of several lines becomes one."""
    said = " ".join(found.said.split())
    return f"{'ok    ' if found.ok else 'failed'}  {found.what}: {said}{f' {found.advice}' if found.advice else ''}"
