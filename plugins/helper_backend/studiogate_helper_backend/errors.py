"""What can go wrong with the service that answers.

    studiogate.errors.Unavailable     the next backend tries
    └── ServiceError                  the service can't be reached, refuses, breaks off, or says what makes no sense

Messages hold no key and, as far as can be told, nothing of the request: a service's own words are looked through first
(`words.py`).
"""

from studiogate.errors import Unavailable


class ServiceError(Unavailable):
    """The service did not answer as it should."""

    def __init__(self, meaning: str, *, said: str = "", status: int = 502, retry_after_s: float | None = None) -> None:
        """Say what went wrong.

        :param meaning: in our own words, fit for everybody's eyes.
        :param said: the service's own words; they are for whoever asked.
        """
        super().__init__(f"{meaning}: {said}" if said else meaning, status=status, retry_after_s=retry_after_s)
        self.meaning = meaning
