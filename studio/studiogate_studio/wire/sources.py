"""The sources of an answer: grounding and citation metadata of a candidate.

Grounding metadata lists chunks (sources) and supports: which passage rests on which chunks. It comes late, perhaps in
several frames, and is about the whole text, so a decoder collects it and asks for the citations once, at the end.
"""

from collections.abc import Iterator

from studiogate.events import Citation
from studiogate_studio.wire.indices import Candidate, Grounding, Segment, Source, Support, WebChunk
from studiogate_studio.wire.jspb import Json, at, int_at, list_at, text_at
from studiogate_studio.wire.transcript import Transcript


def has_sources(candidate: Json) -> bool:
    """Tell whether a candidate carries metadata that `citations` can read."""
    return bool(list_at(candidate, Candidate.GROUNDING) or list_at(candidate, Candidate.CITATIONS))


def citations(candidates: list[Json], transcript: Transcript) -> list[Citation]:
    """Return the sources that the candidates of one answer name, each passage once.

    A source without a passage is named only where it has none at all.
    """
    found: dict[Citation, None] = {}
    for candidate in candidates:
        found |= dict.fromkeys(_grounded(at(candidate, Candidate.GROUNDING), transcript))
        found |= dict.fromkeys(_cited(at(candidate, Candidate.CITATIONS), transcript))
    placed = {citation.url for citation in found if citation.start is not None}
    return [citation for citation in found if citation.start is not None or citation.url not in placed]


def _grounded(grounding: Json, transcript: Transcript) -> Iterator[Citation]:
    chunks = [_web(chunk) for chunk in list_at(grounding, Grounding.CHUNKS)]
    for support in list_at(grounding, Grounding.SUPPORTS):
        segment = at(support, Support.SEGMENT)
        start, end = int_at(segment, Segment.START), int_at(segment, Segment.END)
        passage = transcript.passage(start, end, text_at(segment, Segment.TEXT))
        for chosen in list_at(support, Support.CHUNKS):
            index = int_at(chosen)
            if index is not None and 0 <= index < len(chunks):
                yield from _citation(*chunks[index], passage)
    for url, title in chunks:
        yield from _citation(url, title, None)


def _web(chunk: Json) -> tuple[str | None, str | None]:
    """Return a chunk's address and title; which kind of chunk it is, is which index is set."""
    source = next((kind for kind in list_at(chunk) if isinstance(kind, list)), None)
    return text_at(source, WebChunk.URI), text_at(source, WebChunk.TITLE)


def _cited(metadata: Json, transcript: Transcript) -> Iterator[Citation]:
    for source in list_at(metadata, 0):
        passage = transcript.passage(int_at(source, Source.START), int_at(source, Source.END))
        yield from _citation(text_at(source, Source.URI), text_at(source, Source.TITLE), passage)


def _citation(url: str | None, title: str | None, passage: tuple[int, int] | None) -> Iterator[Citation]:
    if url:
        start, end = passage or (None, None)
        yield Citation(url=url, title=title or url, start=start, end=end)
