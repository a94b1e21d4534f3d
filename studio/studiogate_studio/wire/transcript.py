"""The answer's text so far, and where a passage of it lies.

Upstream counts UTF-8 bytes over the model's own words; a citation counts characters over all the text that was handed
on, which also holds the fences that the gateway draws around code. The transcript knows both.
"""

import attrs


@attrs.define(kw_only=True)
class Transcript:
    """Collect the text of one answer."""

    _own: list[str] = attrs.field(factory=list[str], init=False)
    _own_chars: int = attrs.field(default=0, init=False)
    _added: list[tuple[int, int]] = attrs.field(factory=list[tuple[int, int]], init=False)
    """Text that isn't the model's: how many of its characters came before, and how many were put in."""

    def add(self, text: str) -> None:
        """Append a piece of the model's own words."""
        self._own.append(text)
        self._own_chars += len(text)

    def add_foreign(self, text: str) -> None:
        """Append a piece that upstream doesn't count."""
        self._added.append((self._own_chars, len(text)))

    def passage(self, start: int | None, end: int | None, words: str | None = None) -> tuple[int, int] | None:
        """Return where a passage starts and ends, in characters of all the text; None where it can't be told.

        `start` (0 when unset) and `end` are upstream's, `words` the passage itself where upstream sent it. The words
        decide: if the offsets, taken as bytes, enclose others, they are tried as characters, then the words are
        searched.
        """
        own = "".join(self._own)
        found: tuple[int, int] | None = None
        if end is not None:
            found = _chars_of_bytes(own, start or 0, end)
            if words and (found is None or own[found[0] : found[1]] != words):
                found = (start or 0, end) if own[start or 0 : end] == words else None
        if found is None and words and (where := own.find(words)) >= 0:
            found = where, where + len(words)
        return found and (self._shifted(found[0]), self._shifted(found[1] - 1) + 1)

    def _shifted(self, char: int) -> int:
        return char + sum(length for before, length in self._added if before <= char)


def _chars_of_bytes(text: str, start: int, end: int) -> tuple[int, int] | None:
    raw = text.encode()
    if not 0 <= start < end <= len(raw):
        return None
    return len(raw[:start].decode(errors="ignore")), len(raw[:end].decode(errors="ignore"))
