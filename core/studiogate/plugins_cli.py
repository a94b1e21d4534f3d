"""`studiogate plugins`: what is installed, what of it runs, in which order and how it is set; and to make new ones."""

# rich-click passes on click's decorators, whose generic parameter types it leaves open.
# pyright: reportUnknownMemberType=false

from pathlib import Path

import rich_click as click

from studiogate.config_option import config_option, read_config


@click.group(cls=click.RichGroup)
def plugins() -> None:
    """Show the plugins that there are, and make new ones."""


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


@plugins.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["backend", "tools", "attachments", "params"]),
    required=True,
    help="What it does: answer, plan tools, make files of references, or fit parameters.",
)
def new(name: str, kind: str) -> None:
    """Make the package of a plugin NAME in a folder of its own, here: it works as it is, and its tests pass."""
    from studiogate.plugin_template import new_plugin  # noqa: PLC0415 - needed here only

    folder = new_plugin(name, kind, Path.cwd())
    click.echo(f"Made {folder.name}. In that folder, `pip install -e . pytest` and `pytest` try it.")
    click.echo(f'To run it, list "{name}" under plugins in plugins.toml.')


@plugins.command()
@click.argument("path")
@click.pass_context
def check(ctx: click.Context, path: str) -> None:
    """Try the rules of the contract on a plugin: a plain file, a package's folder, or the name of an installed one.

    Contract classes in its tests (test_*.py) say how its upstream is played; rules that can't be tried without are said
    so. The exit code is 1 if a rule is broken.
    """
    from studiogate.testing.checking import report  # noqa: PLC0415 - brings the server, needed here only

    if not report(path, click.echo):
        ctx.exit(1)
