"""`studiogate login`: a window in which a person signs in, for the profile that the gateway's browser is given."""

# rich-click passes on click's decorators, whose generic parameter types it leaves open.
# pyright: reportUnknownMemberType=false

import sys
from pathlib import Path
from typing import NoReturn

import rich_click as click

from studiogate import logs
from studiogate.config_option import config_option, read_config
from studiogate_studio.selectors import load_selectors
from studiogate_studio.settings import StudioSettings

NOT_SIGNED_IN_EXIT = 1
TABLE = "studio"


@click.command()
@config_option
@click.option(
    "--profile",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="File to save the profile to.  [default: [studio] profile]",
)
@click.option("--new", "anew", is_flag=True, help="Start with nothing remembered, such as for another account.")
def login(config_path: Path | None, profile: Path | None, anew: bool) -> None:  # noqa: FBT001
    """Open a browser window in which you sign in to AI Studio, and save that as the profile."""
    from studiogate_studio.login import (  # noqa: PLC0415 - brings Playwright, which takes its time
        UNTOUCHED,
        NotSignedIn,
        log_in,
    )

    config = read_config(config_path)
    settings = config.settings(TABLE, StudioSettings)
    path = profile or settings.profile
    work = log_in(settings, load_selectors(settings.selectors), path, anew=anew, say=_say)
    try:
        logs.run(work, level=config.gateway.log_level)
    except NotSignedIn as why:
        _fail(str(why))
    except KeyboardInterrupt:
        _fail(f"stopped before anybody was signed in; {UNTOUCHED}.")
    _say(f"Signed in. The profile is {path}. Keep it to yourself: it is as good as your password.")


def _fail(why: str) -> NoReturn:
    _say(f"studiogate: {why}")
    sys.exit(NOT_SIGNED_IN_EXIT)


def _say(line: str) -> None:
    click.echo(line, err=True)
