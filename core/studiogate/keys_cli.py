"""`studiogate keys`: the keys that the gateway asks for."""

# rich-click passes on click's decorators, whose generic parameter types it leaves open.
# pyright: reportUnknownMemberType=false

import secrets
import sys
from pathlib import Path

import rich_click as click

from studiogate.config_option import config_option, read_config
from studiogate.keys import masked, read_keys
from studiogate.keys_file import add_key, remove_key

STANDARD_INPUT = "-"
_RANDOM_BYTES = 32

NO_KEYS = (
    "There are no keys: a gateway that starts now asks nobody for one, and listens to this machine only unless "
    "--insecure is said."
)


@click.group(cls=click.RichGroup)
def keys() -> None:
    """Manage the API keys that the gateway asks for; one that runs follows at once."""


@keys.command()
@config_option
@click.argument("key", required=False)
def add(config_path: Path | None, key: str | None) -> None:
    """Add KEY, or one that is made for you and shown this once.

    What stands on a command line can be seen by others on this machine and stays in the shell's history. With - in its
    place KEY is read from standard input.
    """
    path = _path(config_path)
    if key is None:
        made = f"sk-{secrets.token_urlsafe(_RANDOM_BYTES)}"
        add_key(path, made)
        click.echo(made)
        click.echo(f"Added to {path}. Keep the key: it is shown this once.", err=True)
        return
    given = sys.stdin.readline().strip() if key == STANDARD_INPUT else key
    add_key(path, given)
    click.echo(f"Added {masked(given)} to {path}.")


@keys.command("list")
@config_option
def list_keys(config_path: Path | None) -> None:
    """Show the keys, masked, each with the number of its line."""
    lines = read_keys(_path(config_path))
    for line in lines:
        click.echo(f"{line.number:>4}  {masked(line.text)}")
    if not lines:
        click.echo(NO_KEYS, err=True)


@keys.command()
@config_option
@click.argument("which", metavar="KEY|MASKED|NUMBER")
def remove(config_path: Path | None, which: str) -> None:
    """Remove a key, named by itself or as list shows it: masked, or by the number of its line."""
    path = _path(config_path)
    click.echo(f"Removed {remove_key(path, which)} from {path}.")
    if not read_keys(path):
        click.echo(NO_KEYS, err=True)


def _path(config_path: Path | None) -> Path:
    return read_config(config_path).gateway.keys_file
