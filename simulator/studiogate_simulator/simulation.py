"""What the simulator remembers while it runs, shared by its hosts."""

import asyncio

from attrs import Factory, define

from studiogate_simulator.proof import ProofLedger
from studiogate_simulator.scenarios import Scenarios
from studiogate_simulator.turns import TurnLog


@define(kw_only=True)
class Simulation:
    """One simulated service; made inside the event loop that serves it."""

    hydration_ms: int = 50
    """How long the page stays empty after its scripts run, in milliseconds."""
    scenarios: Scenarios = Factory(Scenarios)
    """What to answer."""
    turns: TurnLog = Factory(TurnLog)
    """What was asked."""
    proofs: ProofLedger = Factory(ProofLedger)
    """Which proofs are used up."""
    closing: asyncio.Event = Factory(asyncio.Event)
    """Set when the process ends: open streams stop."""
