"""How the service treats answers, and what can go wrong with it."""

from enum import Enum


class Kept(Enum):
    """What the service does with answers that were not fetched while they ran."""

    QUEUE = "queue"
    """It gives the oldest first, each once; who asks when there is none waits for the next."""
    NEWEST = "newest"
    """It gives the newest from its start, however late, once it was fetched the next."""
    NONE = "none"
    """Who asks waits for the next answer to begin; nothing is kept."""
    AT_ONCE = "at once"
    """As `QUEUE`, but who asks when there is none gets an empty stream at once."""


class Fault(Enum):
    """What goes wrong with the service's own answers; the page's traffic passes all the same."""

    REFUSE = "refuse"
    """Every request gets `fault_status`."""
    STALL = "stall"
    """Comments to keep alive, after `fault_after` chunks, and never anything else."""
    SILENT = "silent"
    """Not even headers."""
    GARBAGE = "garbage"
    """Something that is no JSON after `fault_after` chunks."""
    HALF = "half"
    """Half of a chunk after `fault_after` whole ones, and the connection closed."""
    EARLY = "early"
    """A polite end of the stream after `fault_after` chunks."""
    RESET = "reset"
    """The connection dropped after `fault_after` chunks."""
