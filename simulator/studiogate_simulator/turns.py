"""The log of submitted turns: what the server received, and when it answered."""

import time
from typing import Final

import cattrs
from attrs import Factory, define

from studiogate_simulator.files import ReceivedFile
from studiogate_simulator.jspb import Json
from studiogate_simulator.submission import Submission

_converter: Final = cattrs.Converter()


@define(kw_only=True)
class TurnRecord:
    """One submitted turn; times are unix seconds, None where it did not happen."""

    model: str
    """Model id without `models/`."""
    prompt: str
    """All text of the last user content."""
    system: str | None
    """System instruction."""
    generation: str | None
    """Generation of the page that it came from; None for requests that no page made."""
    config: dict[str, Json]
    """Generation config by name; only what was set."""
    tools: list[Json]
    """Tools by name."""
    files: list[ReceivedFile]
    """Files of the last user content, in order."""
    responses: list[Json]
    """Function responses of the last user content."""
    previous_response_id: str | None
    """The response id that the page sent back from the turn before."""
    received_at: float
    """When the whole request was there."""
    first_byte_at: float | None = None
    """When the first byte of the body was written."""
    finished_at: float | None = None
    """When the last byte was written; None for a cut or hanging answer."""
    aborted_at: float | None = None
    """When the client went away before the end."""
    frame_times: list[float] = Factory(list[float])
    """When each frame was written."""
    status: int | None = None
    """HTTP status of the answer."""


@define
class TurnLog:
    """The records in the order of arrival."""

    _records: list[TurnRecord] = Factory(list[TurnRecord])

    def add(self, submission: Submission, received_at: float, *, generation: str | None = None) -> TurnRecord:
        """Open the record of a turn."""
        record = TurnRecord(
            model=submission.model,
            prompt=submission.prompt,
            system=submission.system,
            generation=generation,
            config=submission.config,
            tools=submission.tools,
            files=submission.files,
            responses=submission.responses,
            previous_response_id=submission.previous_response_id,
            received_at=received_at,
        )
        self._records.append(record)
        return record

    def clear(self) -> None:
        """Forget all records."""
        self._records.clear()

    def rows(self) -> list[Json]:
        """Give the records as JSON."""
        rows: list[Json] = _converter.unstructure(self._records)
        return rows


def now() -> float:
    """Give the time as the log writes it."""
    return time.time()
