"""The frames of a GenerateContent answer, as bytes.

An answer is a StreamBody: `[[frame,frame,...]]`, or with a Status after the list when it failed on the way. A frame
holds one candidate with part deltas, the running usage, and the response id; the last content frame has the finish
reason, and one frame with nothing but an event id follows it.
"""

import base64
import secrets
import time
from collections.abc import Mapping, Sequence

from attrs import frozen

from studiogate_simulator.jspb import Json, encode, encode_struct, message

_HARM_CATEGORIES = (7, 8, 9, 10)
_TEXT_MODALITY = 1
_PYTHON = 1
_SUCCEEDED, _FAILED = 1, 2


@frozen(kw_only=True)
class Usage:
    """Running token totals of one answer."""

    prompt: int
    """Tokens of the request."""
    answer: int = 0
    """Answer tokens so far, without thoughts."""
    thoughts: int = 0
    """Thought tokens so far."""

    def encode(self) -> list[Json]:
        """Build the usage message; counts of nothing are unset, as upstream leaves them."""
        return message(
            {
                0: self.prompt,
                1: self.answer or None,
                2: self.prompt + self.answer + self.thoughts,
                4: [[_TEXT_MODALITY, self.prompt]],
                9: self.thoughts or None,
            }
        )


@frozen(kw_only=True)
class Media:
    """A file that the model makes."""

    mime: str
    """For example `image/png`."""
    data: str
    """Its bytes in standard base64."""


@frozen(kw_only=True)
class CodeRun:
    """Code that the model has run on the way to its answer."""

    code: str
    """Python source."""
    output: str = ""
    """What it printed, or what went wrong."""
    succeeded: bool = True
    """Whether it ran to its end."""


@frozen(kw_only=True)
class Source:
    """A web page that an answer rests on."""

    url: str
    """Its address; upstream gives a redirect of its own."""
    title: str
    """Its title."""
    passage: str | None = None
    """The words of the answer that rest on it; None for the answer as a whole."""


def count_tokens(text: str) -> int:
    """Count tokens the simulator's way: a word is one."""
    return len(text.split())


def text_part(text: str, *, signature: str | None = None) -> list[Json]:
    """Build an answer text delta."""
    return message({1: text, 14: signature})


def thought_part(text: str) -> list[Json]:
    """Build a thought text delta."""
    return message({1: text, 12: 1})


def call_part(name: str, args: Mapping[str, Json]) -> list[Json]:
    """Build a whole function call, with a new call id and a signature."""
    return message({10: [name, encode_struct(args), secrets.token_hex(4)], 14: new_signature()})


def media_part(media: Media) -> list[Json]:
    """Build a generated file, whole, with a signature."""
    return message({2: [media.mime, media.data], 14: new_signature()})


def code_parts(run: CodeRun) -> tuple[list[Json], list[Json]]:
    """Build code and what came of it."""
    outcome = _SUCCEEDED if run.succeeded else _FAILED
    return message({7: [_PYTHON, run.code]}), message({8: [outcome, run.output]})


def content_frame(part: list[Json], usage: Usage, response_id: str) -> bytes:
    """Encode a frame that carries one part."""
    return _frame([[[part], "model"]], usage, response_id)


def finish_frame(reason: int, usage: Usage, response_id: str) -> bytes:
    """Encode the frame with the finish reason: an empty signed text, and the safety ratings."""
    ratings: list[Json] = [[None, None, category, 1] for category in _HARM_CATEGORIES]
    content: Json = [[text_part("", signature=new_signature())], "model"]
    return _frame([content, reason, None, None, ratings], usage, response_id)


def blocked_frame(reason: int, text: str, usage: Usage, response_id: str) -> bytes:
    """Encode the only frame of a prompt that is refused for what it says: feedback, and no candidate."""
    return encode(message({1: [reason, None, text], 2: usage.encode(), 7: response_id}))


def sources_frame(sources: Sequence[Source], text: str, usage: Usage, response_id: str) -> bytes:
    """Encode the frame that says what an answer rests on: grounding metadata and no part.

    A source with a passage supports the first place where the answer has it; offsets are UTF-8 bytes.
    """
    chunks: list[Json] = [[[source.url, source.title, source.title]] for source in sources]
    supports: list[Json] = []
    for index, source in enumerate(sources):
        start = text.find(source.passage) if source.passage else -1
        if source.passage and start >= 0:
            first = len(text[:start].encode())
            segment: list[Json] = [None, first or None, first + len(source.passage.encode()), source.passage]
            supports.append([segment, [index]])
    grounding: Json = [["<div></div>"], chunks, supports or None, None, ["what was asked"]]
    return _frame([[None, "model"], None, None, None, None, None, None, grounding], usage, response_id)


def event_frame() -> bytes:
    """Encode the frame that closes a good stream: an event id from the time in microseconds."""
    return encode(message({3: [str(time.time_ns() // 1000), secrets.randbelow(1 << 30), secrets.randbelow(1 << 30)]}))


def new_response_id() -> str:
    """Make a response id."""
    return "v1_" + base64.urlsafe_b64encode(secrets.token_bytes(42)).decode()


def new_signature() -> str:
    """Make a thought signature: opaque bytes in standard base64."""
    return base64.b64encode(secrets.token_bytes(96)).decode()


def _frame(candidate: list[Json], usage: Usage, response_id: str) -> bytes:
    return encode(message({0: [candidate], 2: usage.encode(), 7: response_id}))
