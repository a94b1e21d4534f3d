"""The `studiogate` command line. Plugins add commands with the `register_cli` hook."""

# rich-click passes on click's decorators, whose generic parameter types it leaves open.
# pyright: reportUnknownMemberType=false

import sys
from collections.abc import Mapping
from pathlib import Path

import rich_click as click

from studiogate import logs
from studiogate.chain_cli import chain
from studiogate.check_cli import check
from studiogate.config import GATEWAY_TABLE
from studiogate.config_cli import show_config
from studiogate.config_option import config_option, read_config
from studiogate.crash import log_fault
from studiogate.errors import ConfigurationError
from studiogate.health_cli import health
from studiogate.keys_cli import keys
from studiogate.plugins_cli import plugins
from studiogate.reload_cli import reload_gateway
from studiogate.version_cli import version

USAGE_EXIT = 2


class PluginGroup(click.RichGroup):
    """Show the gateway's commands and those of the plugins that plugins.toml lists.

    Plugins are imported only when a command isn't the gateway's own, or when help lists them all.
    """

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name; a plugin's is looked for in the `--config` that follows it."""
        ctx.obj = _config_among(args)
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by name, from the gateway or else a plugin."""
        own = super().get_command(ctx, cmd_name)
        return own or self._of_plugins(ctx).get(cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every command's name; help works with a broken plugins.toml too, and says so."""
        own = super().list_commands(ctx)
        try:
            return [*own, *sorted(self._of_plugins(ctx))]
        except ConfigurationError as error:
            self.epilog = f"The commands of plugins are missing here: {error}"
            return own

    def _of_plugins(self, ctx: click.Context) -> Mapping[str, click.Command]:
        known: Mapping[str, click.Command] | None = ctx.meta.get(__name__)
        if known is None:
            known = ctx.meta[__name__] = self._asked_plugins(ctx.obj)
        return known

    def _asked_plugins(self, path: Path | None) -> Mapping[str, click.Command]:
        from studiogate.plugins import PluginHost  # noqa: PLC0415 - `serve --help` needs no plugin

        group = click.RichGroup()
        for hook in PluginHost(read_config(path)).implementations("register_cli"):
            try:
                hook(group=group)
            except ConfigurationError:
                raise
            except Exception as error:  # noqa: BLE001 - the plugin boundary: the other plugins' commands are there
                log_fault(f"plugin {hook.plugin}: register_cli", error)
        taken = sorted(group.commands.keys() & self.commands.keys())
        if taken:
            raise ConfigurationError(f"a plugin registers the command '{taken[0]}', which is the gateway's own.")
        return group.commands


def _config_among(args: list[str]) -> Path | None:
    for index, argument in enumerate(args):
        if argument.startswith("--config="):
            return Path(argument.removeprefix("--config="))
        if argument == "--config" and index + 1 < len(args):
            return Path(args[index + 1])
    return None


@click.group(cls=PluginGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="studiogate")
def studiogate() -> None:
    """Serve an OpenAI-compatible API from pluggable backends."""


studiogate.add_command(chain)
studiogate.add_command(check)
studiogate.add_command(show_config)
studiogate.add_command(health)
studiogate.add_command(keys)
studiogate.add_command(plugins)
studiogate.add_command(reload_gateway)
studiogate.add_command(version)


@studiogate.command()
@config_option
@click.option("--host", default=None, help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", "--server-port", type=int, default=None, help="Port to listen on; 0: any free.  [default: 2048]"
)
@click.option("--insecure", is_flag=True, default=None, help="Listen beyond loopback although there are no keys.")
def serve(config_path: Path | None, host: str | None, port: int | None, insecure: bool | None) -> None:  # noqa: FBT001
    """Serve until Ctrl-C."""
    from studiogate.web.server import serve as serve_gateway  # noqa: PLC0415 - slow to import, needed here only

    flags = {GATEWAY_TABLE: {"host": host, "port": port, "insecure": insecure}}
    config = read_config(config_path, flags)
    level = config.gateway.log_level
    logs.run(serve_gateway(config), level=level)


def main() -> None:
    """Run the command line: exit code 0 for success, 2 for a wrong configuration or call, 1 for a crash."""
    logs.configure()
    try:
        studiogate()
    except ConfigurationError as error:
        click.echo(f"studiogate: {error}", err=True)
        sys.exit(USAGE_EXIT)
