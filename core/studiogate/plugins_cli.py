"""`studiogate plugins`: what is installed, what of it runs, in which order and how it is set."""

# rich-click passes on click's decorators, whose generic parameter types it leaves open.
# pyright: reportUnknownMemberType=false

from pathlib import Path

import rich_click as click

from studiogate.config_option import config_option, read_config


@click.group(cls=click.RichGroup)
def plugins() -> None:
    """Show the plugins that there are."""


@plugins.command("list")
@config_option
def list_plugins(config_path: Path | None) -> None:
    """Show every plugin: those that run in their order, then what else is installed.

    Each with its distribution, its hooks, and its settings with their values and where these come from; secrets are
    not shown.
    """
    from studiogate.plugin_listing import listing  # noqa: PLC0415 - imports every plugin, needed here only

    told = listing(read_config(config_path))
    for line in told.lines:
        click.echo(line)
    if told.refusal is not None:
        raise told.refusal
