"""`studiogate doctor`: which of the page's elements are found, for the operator and for machines."""

# rich-click passes on click's decorators, whose generic parameter types it leaves open.
# pyright: reportUnknownMemberType=false

import json
import sys
from pathlib import Path

import attrs
import rich_click as click

from studiogate import logs
from studiogate.config_option import config_option, read_config
from studiogate_studio.selectors import load_selectors
from studiogate_studio.settings import StudioSettings

MISSING_EXIT = 1
NOT_OPENED_EXIT = 2
TABLE = "studio"


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--send", is_flag=True, help="Also send a prompt with a small file, to see the elements of an answer.")
@click.option("--headed", is_flag=True, help="Show the browser's window.")
def doctor(config_path: Path | None, as_json: bool, send: bool, headed: bool) -> None:  # noqa: FBT001
    """Open AI Studio's page and report which of its elements are found.

    Exit code 0 if all that is needed is there, 1 if something is missing, 2 if the page can't be opened. Nothing is
    sent without --send, which uses the account. A gateway may run meanwhile.
    """
    from studiogate_studio.doctor import (  # noqa: PLC0415 - brings Playwright, which takes its time
        NotOpened,
        look_at_page,
    )

    config = read_config(config_path)
    settings = config.settings(TABLE, StudioSettings)
    settings = attrs.evolve(settings, headless=settings.headless and not headed)
    try:
        work = look_at_page(settings, load_selectors(settings.selectors), send=send)
        report = logs.run(work, level=config.gateway.log_level)
    except NotOpened as why:
        if as_json:
            click.echo(json.dumps({"ok": False, "not_opened": str(why)}, ensure_ascii=False))
        else:
            click.echo(f"studiogate: the page could not be opened. {why}", err=True)
        sys.exit(NOT_OPENED_EXIT)
    click.echo(report.as_json() if as_json else report.as_text())
    sys.exit(0 if report.ok else MISSING_EXIT)
