"""`studiogate version`: the versions of the gateway, its plugins and what they are built on."""

# rich-click passes on click's decorators, whose generic parameter types it leaves open.
# pyright: reportUnknownMemberType=false

from pathlib import Path

import attrs
import rich_click as click

from studiogate.config import Config
from studiogate.config_option import config_option, read_config
from studiogate.errors import ConfigurationError


@click.command()
@config_option
def version(config_path: Path | None) -> None:
    """Show the versions of the gateway, its plugins, the browser and the libraries; `--version` is the first of them.

    Works with a broken plugins.toml, too.
    """
    from studiogate.versions import installed_versions  # noqa: PLC0415 - needed here only

    groups: list[dict[str, str]] = list(attrs.asdict(installed_versions(_config(config_path))).values())
    width = max(len(name) for group in groups for name in group)
    lines = ("\n".join(f"{name:<{width}}  {said}" for name, said in group.items()) for group in groups if group)
    click.echo("\n\n".join(lines))


def _config(path: Path | None) -> Config | None:
    try:
        return read_config(path)
    except ConfigurationError:
        return None
