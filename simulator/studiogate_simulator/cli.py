"""The command line: start the simulator, say where it listens, stay until told to go."""

# pyright: reportUnknownMemberType=false
# click leaves a type parameter of its parameter types open.

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path

import rich_click as click

from studiogate_simulator.page_options import GENERATIONS
from studiogate_simulator.serving import Options, PortTaken, serve


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the certificate authority and the browser state. Default: a temporary one, removed at exit.",
)
@click.option("--hydration-ms", default=50, show_default=True, type=click.IntRange(0), help="Page's start-up delay.")
@click.option(
    "--generation",
    default="g3",
    show_default=True,
    type=click.Choice(GENERATIONS),
    help="Period of the page: g1 2025, g2 up to spring 2026, g3 from mid 2026.",
)
@click.option("--exit-on-stdin-eof", is_flag=True, help="End when standard input closes, so as to die with a parent.")
def main(  # noqa: PLR0913 - an argument per option
    *, host: str, port: int, state_dir: Path | None, hydration_ms: int, generation: str, exit_on_stdin_eof: bool
) -> None:
    """Play Google AI Studio, page and RPC, on a local HTTPS port.

    Once ready it prints one line of JSON: url, port, ca (the certificate to trust) and storage_state (a signed-in
    browser state for Playwright).
    """
    with ExitStack() as stack:
        if state_dir is None:
            state_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="studiogate-simulator-")))
        options = Options(
            host=host,
            port=port,
            state_dir=state_dir,
            hydration_ms=hydration_ms,
            generation=generation,
            exit_on_stdin_eof=exit_on_stdin_eof,
        )
        try:
            asyncio.run(serve(options))
        except PortTaken as error:
            raise click.ClickException(str(error)) from None
