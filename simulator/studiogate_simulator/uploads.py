"""Upload scenarios: what a test wants to become of the next files that the page is given.

The page asks for each file as it takes it (`POST /__sim/uploads/next`), since much of what may happen to an upload
happens in the page. Posted like the scenarios of answers, and as strict.
"""

from typing import Final

from attrs import field, frozen, validators

from studiogate_simulator.scenarios import Matcher

FAILURES: Final = ("chip", "toast", "silent", "hang")
"""How an upload fails: its chip stays and says why, a toast says why and the chip goes, the chip just goes, or it never
ends."""


def _check_failure(_: object, __: object, value: str | None) -> None:
    if value is not None and value not in FAILURES:
        raise ValueError(f"fail must be one of {', '.join(FAILURES)}, not {value!r}")


@frozen(kw_only=True)
class UploadScenario(Matcher):
    """What becomes of the files whose names it matches."""

    upload_ms: float = field(default=20, validator=validators.ge(0))
    """How long an upload takes on top of its own time, in milliseconds."""
    count_ms: float = field(default=10, validator=validators.ge(0))
    """How long its tokens are then counted on top of that."""
    fail: str | None = field(default=None, validator=_check_failure)
    """How it fails once `upload_ms` are over, one of `FAILURES`; None for not at all."""
    message: str = "Failed to upload file."
    """What the page says of a failure."""
