"""A text handed on while it grows, of which nothing is ever taken back.

Theory of operation. The page shows a rendered text, which is turned back into markdown at every look; the source
itself is to be had only when the answer is complete. Of the rendered text only that part is handed on which what
follows can't change any more (`markdown.js` says which). Where it changes all the same, and at the end, when the source
replaces it, the two are brought into line: what was handed on stays, and the rest is what comes after it in the new
text. Both say the same words, so the place is found by their letters and digits; between them, marks are taken for each
other.

So a whole text is the source to the letter if nothing was handed on before, and else differs from it at most in marks
that mean the same (`*` and `-` before an item of a list, blank lines) within what was handed on.
"""

import zlib
from collections.abc import Mapping

import attrs

from studiogate_dom_scrape.page_state import Piece

_MARKS = frozenset("*_~` \t\n")
_ANCHORS = (40, 20, 10)
"""How many letters are looked for where two texts have come apart, one number after the other."""
_START: Mapping[str, int] = {"units": 0, "sum": 0}


@attrs.define
class LiveText:
    """Hand a text on as it grows."""

    held: bool
    """Whether it is wanted to the letter, and so handed on only at its end."""
    given: str = attrs.field(default="", init=False)
    """What was handed on."""
    rest: str = attrs.field(default="", init=False)
    """What the page shows beyond what is certain."""
    _sure: str = attrs.field(default="", init=False)
    _at: int = attrs.field(default=0, init=False)
    """Where in the rendered text that begins which wasn't handed on."""
    _cursor: Mapping[str, int] = attrs.field(default=_START, init=False)

    @property
    def cursor(self) -> Mapping[str, int]:
        """Return what the page needs to tell what is new: the certain text's length in UTF-16 units, and its CRC-32."""
        return self._cursor

    @property
    def rendered(self) -> str:
        """Return all that the page shows, as it was last taken."""
        return self._sure + self.rest

    def take(self, piece: Piece) -> None:
        """Take what the page shows by now; a page that has put a part of it out of sight says nothing new."""
        if self._hidden(piece):
            return
        self.rest = piece.rest
        self._sure = self._sure + piece.sure if piece.same else piece.sure
        if not piece.same or self._at > len(self._sure):
            # What was handed on may lie beyond what is certain by now; nothing more is, until certainty has caught up.
            self._at = resume(self.given, self.rendered)
        self._cursor = _moved(self._cursor if piece.same else _START, piece.sure)

    def news(self, piece: Piece) -> bool:
        """Tell whether a piece says anything that wasn't taken."""
        return not self._hidden(piece) and not (piece.same and not piece.sure and piece.rest == self.rest)

    def _hidden(self, piece: Piece) -> bool:
        return not piece.same and len(piece.sure) + len(piece.rest) < len(self._sure)

    def grown(self) -> str:
        """Return what is to be handed on now; empty for nothing."""
        return "" if self.held else self._give(self._sure[self._at :])

    def beat(self) -> str:
        """Return the next character of a held text, for those who take silence for the end; empty if there is none."""
        following = self._sure[self._at : self._at + 1]
        return self._give(following) if following.isalnum() else ""

    def end(self, source: str | None) -> str:
        """Return what is left to be handed on of the whole text.

        :param source: the text itself; None where only what is rendered can be had.
        """
        if source is None:
            return self._give(self.rendered[self._at :])
        return self._give(source[resume(self.given, source) :])

    def _give(self, text: str) -> str:
        self.given += text
        self._at += len(text)
        return text


def _moved(cursor: Mapping[str, int], text: str) -> Mapping[str, int]:
    data = text.encode("utf-16-le", "surrogatepass")
    return {"units": cursor["units"] + len(data) // 2, "sum": zlib.crc32(data, cursor["sum"])}


def resume(given: str, whole: str) -> int:
    """Return where in `whole` that begins which comes after what was given; its length if nothing does."""
    if whole.startswith(given):
        return len(given)
    told, letters = _letters(given), _letters(whole)
    count = _matching(told, letters)
    if count == 0:
        return 0
    at = _after_letter(whole, count)
    tail = given[_after_letter(given, len(told)) :]
    return at + _covered(tail, whole[at:])


def alike(one: str, other: str) -> bool:
    """Tell whether two texts say about the same, whatever their marks."""
    first, second = _letters(one), _letters(other)
    short, long = sorted((len(first), len(second)))
    beginning = min(short, max(_ANCHORS))
    return first[:beginning] == second[:beginning] and short * 4 >= long * 3


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _matching(told: str, letters: str) -> int:
    """Return how many letters of the whole are told: all told ones, unless the texts came apart in between."""
    if letters.startswith(told):
        return len(told)
    for size in _ANCHORS:
        anchor = told[-size:]
        if ends := [start + len(anchor) for start in _places(letters, anchor)]:
            return min(ends, key=lambda end: abs(end - len(told)))
    return min(len(told), len(letters))


def _places(text: str, piece: str) -> list[int]:
    found: list[int] = []
    at = text.find(piece)
    while at >= 0:
        found.append(at)
        at = text.find(piece, at + 1)
    return found


def _after_letter(text: str, count: int) -> int:
    """Return the place right after the `count`th letter or digit."""
    if count == 0:
        return 0
    for at, character in enumerate(text):
        count -= character.isalnum()
        if count == 0:
            return at + 1
    return len(text)


def _covered(tail: str, following: str) -> int:
    """Return how much of what follows the last letter is said by what was given after it."""
    at = 0
    for character in tail:
        run = _run(following, at)
        if character in _MARKS:
            at += bool(run) and run[0] in _MARKS
        elif (found := run.find(character)) >= 0:
            at += found + 1
    return at


def _run(text: str, start: int) -> str:
    end = start
    while end < len(text) and not text[end].isalnum():
        end += 1
    return text[start:end]
