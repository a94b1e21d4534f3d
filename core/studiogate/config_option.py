"""The `--config` option of commands, and the configuration it names."""

# rich-click passes on click's decorators, whose generic parameter types it leaves open.
# pyright: reportUnknownMemberType=false

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rich_click as click

from studiogate.config import Config, Table, load_config

CONFIG_VARIABLE = "STUDIOGATE_CONFIG"
DEFAULT_CONFIG = Path("plugins.toml")


def config_option(function: Any) -> Any:
    """Add the `--config` option that every command with a configuration takes."""
    return click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path, dir_okay=False),
        default=None,
        help="plugins.toml to use.  [default: $STUDIOGATE_CONFIG, else ./plugins.toml]",
    )(function)


def read_config(path: Path | None, flags: Mapping[str, Table] | None = None) -> Config:
    """Load the configuration a command was given; flags that are None were not given.

    :raises ConfigurationError: see `load_config`.
    """
    given = {
        table: {key: value for key, value in values.items() if value is not None}
        for table, values in (flags or {}).items()
    }
    return load_config(path or _config_path(), given)


def _config_path() -> Path:
    return Path(os.environ.get(CONFIG_VARIABLE) or DEFAULT_CONFIG)
