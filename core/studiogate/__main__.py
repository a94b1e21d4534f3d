"""Run the command line with `python -m studiogate`."""

from studiogate.cli import main

main()
