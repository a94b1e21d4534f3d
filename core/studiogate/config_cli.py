"""`studiogate config`: what holds, and where it comes from; or what may be written, for editors."""

# rich-click passes on click's decorators, whose generic parameter types it leaves open.
# pyright: reportUnknownMemberType=false

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rich_click as click

from studiogate.config import DEFAULTS_TABLE, GATEWAY_TABLE, MODELS_TABLES, Config
from studiogate.config_option import config_option, read_config
from studiogate.errors import ConfigurationError
from studiogate.setting_values import SECRET, UNSET, shown_settings


@click.command("config")
@config_option
@click.option("--host", default=None, help="As for serve.")
@click.option("--port", type=int, default=None, help="As for serve.")
@click.option("--insecure", is_flag=True, default=None, help="As for serve.")
@click.option("--schema", is_flag=True, help="Print a JSON Schema of plugins.toml instead, for editors.")
def show_config(
    config_path: Path | None,
    host: str | None,
    port: int | None,
    insecure: bool | None,  # noqa: FBT001 - as click passes it
    schema: bool,  # noqa: FBT001
) -> None:
    """Print the configuration that holds, as TOML, with where each value comes from; secrets are not shown.

    That is: the command line, an environment variable, the file, or the default.
    """
    if schema:
        click.echo(json.dumps(_schema(config_path), indent=2, ensure_ascii=False))
        return
    config = read_config(config_path, {GATEWAY_TABLE: {"host": host, "port": port, "insecure": insecure}})
    for line in effective(config):
        click.echo(line)


def effective(config: Config) -> Iterator[str]:
    """Yield the lines of a configuration and of every plugin that it loads.

    :raises ConfigurationError: it can't be used.
    """
    from studiogate.plugins import PluginHost  # noqa: PLC0415 - imports every plugin, needed here only

    host = PluginHost(config)
    yield f"plugins = {json.dumps([*config.plugins])}  # {config.path.name}"
    yield from _table(config, GATEWAY_TABLE, config.gateway)
    yield from _table(config, DEFAULTS_TABLE, config.defaults)
    for name, standing in host.standing.items():
        if standing.settings is not None:
            yield from _table(config, name, standing.settings)
    for name, source in host.off.items():
        yield from ("", f"# {name} is switched off ({source})")
    for name, why in host.left_out.items():
        yield from ("", f"# {name} is left out: {why}")
    for model in config.injected_models:
        yield from ("", f"[[{MODELS_TABLES}]]")
        yield from (_line(key, value, config.path.name) for key, value in shown_settings(model).items())


def _table(config: Config, name: str, settings: object) -> Iterator[str]:
    kind = type(settings)
    yield from ("", f"[{name}]")
    for key, value in shown_settings(settings).items():
        yield _line(key, value, config.origin(name, kind, key) or "default")


def _line(key: str, value: str, source: str) -> str:
    """Return a line of TOML; what is not set or not shown is a comment."""
    if value == UNSET:
        return f"# {key}: not set"
    return f"# {key}: {value}  # {source}" if value == SECRET else f"{key} = {value}  # {source}"


def _schema(path: Path | None) -> dict[str, Any]:
    from studiogate.config_schema import config_schema  # noqa: PLC0415 - imports every plugin, needed here only
    from studiogate.plugins import available_plugins, installed_plugins  # noqa: PLC0415

    try:
        installed = available_plugins(read_config(path))
    except ConfigurationError:
        # Whoever asks for it may be about to write the file, or to correct it.
        installed = installed_plugins()
    return config_schema(installed)
