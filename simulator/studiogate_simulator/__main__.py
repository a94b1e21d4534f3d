"""Run the simulator with `python -m studiogate_simulator`."""

from studiogate_simulator.cli import main

if __name__ == "__main__":
    main()
