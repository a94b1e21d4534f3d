"""Loaded pages: each has a visit id, which its requests carry, so that the log can tell what kind of page asked."""

import base64
import binascii
import uuid
from typing import Final

from attrs import Factory, define

VISIT_HEADER: Final = "x-aistudio-visit-id"
_PREFIX: Final = "v1_"
_MOST: Final = 1000
"""How many pages are remembered; the oldest is forgotten first."""


@define
class Visits:
    """The generations of the pages that were loaded, by their visit ids."""

    _generations: dict[str, str] = Factory(dict[str, str])

    def open(self, generation: str) -> str:
        """Make the visit id of a page."""
        visit_id = str(uuid.uuid4())
        self._generations[visit_id] = generation
        if len(self._generations) > _MOST:
            del self._generations[next(iter(self._generations))]
        return visit_id

    def generation(self, header: str) -> str | None:
        """Tell the generation of the page that a request's header names; None for an unknown one."""
        try:
            visit_id = base64.b64decode(header.removeprefix(_PREFIX), validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return self._generations.get(visit_id)
