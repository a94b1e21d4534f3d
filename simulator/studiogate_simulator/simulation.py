"""What the simulator remembers while it runs, shared by its hosts."""

import asyncio

from attrs import Factory, define

from studiogate_simulator.drive import Drive
from studiogate_simulator.fault_board import FaultBoard
from studiogate_simulator.page_options import PageOptions
from studiogate_simulator.proof import ProofLedger
from studiogate_simulator.scenarios import Playlist, Scenario
from studiogate_simulator.turns import TurnLog
from studiogate_simulator.uploads import UploadScenario
from studiogate_simulator.visits import Visits


@define(kw_only=True)
class Simulation:
    """One simulated service; made inside the event loop that serves it."""

    generation: str = "g3"
    """Which period's page is played where the page's options name none, one of `GENERATIONS`."""
    hydration_ms: int = 50
    """How long the page stays empty after its scripts run, in milliseconds."""
    visits: Visits = Factory(Visits)
    """Which pages were loaded."""
    scenarios: Playlist[Scenario] = Factory(lambda: Playlist(Scenario))
    """What to answer."""
    uploads: Playlist[UploadScenario] = Factory(lambda: Playlist(UploadScenario))
    """What is to become of files."""
    page: PageOptions = Factory(PageOptions)
    """How the next page that is loaded looks."""
    drive: Drive = Factory(Drive)
    """What was uploaded."""
    turns: TurnLog = Factory(TurnLog)
    """What was asked."""
    proofs: ProofLedger = Factory(ProofLedger)
    """Which proofs are used up."""
    closing: asyncio.Event = Factory(asyncio.Event)
    """Set when the process ends: open streams stop."""
    faults: FaultBoard = Factory(lambda self: FaultBoard(closing=self.closing), takes_self=True)
    """What goes wrong besides scenarios."""
