"""From what an OpenAI-compatible service says to events: whole completions, and chunks of a stream.

Services differ in what they add to OpenAI's shape: reasoning is `reasoning_content`, `reasoning` or a part of the
content, images come in `images`, usage comes with the last chunk or one after it, a finish reason may be missing
altogether. All is read by name, and what isn't there or makes no sense is no reason to lose the rest.
"""

import base64
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import attrs
import msgspec

from studiogate.events import Citation, Event, Finish, FinishReason, Media, TextDelta, ThoughtDelta, ToolCall, Usage

DONE = b"[DONE]"
"""The data of the event that ends a stream."""

_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}


class Garbage(Exception):  # noqa: N818 - says what came
    """What the service sent is no JSON object. The message doesn't quote it: it may hold an answer."""


class ServiceFailed(Exception):  # noqa: N818
    """The service reported an error instead of an answer, or in the middle of one."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        super().__init__()
        self.document = document
        """What it sent, with an `error`."""


@attrs.define
class _OpenCall:
    id: str = ""
    name: str = ""
    arguments: str = ""


@attrs.define
class AnswerReader:
    """Read one answer; feed it the JSON objects in the order they came, then close it."""

    finished: bool = attrs.field(default=False, init=False)
    """Whether a finish reason was read: the answer is whole."""
    begun: bool = attrs.field(default=False, init=False)
    """Whether anything of an answer was read, be it that nothing was said."""
    _calls: list[_OpenCall] = attrs.field(factory=list[_OpenCall], init=False)
    """In order; a stream sends each in pieces."""
    _latest: dict[int, _OpenCall] = attrs.field(factory=dict[int, _OpenCall], init=False)
    """The last call of each index. There should be one, but some services number every call 0."""
    _reason: str | None = attrs.field(default=None, init=False)
    _usage: Usage | None = attrs.field(default=None, init=False)

    def feed(self, data: bytes) -> Iterator[Event]:
        """Yield what a chunk or a whole completion says; the finish is held back until the end.

        :raises Garbage: it is no JSON object.
        :raises ServiceFailed: it is an error.
        """
        document = read_object(data)
        if document.get("error") is not None:
            raise ServiceFailed(document)
        for choice in _objects(document.get("choices"))[:1]:
            self.begun = True
            yield from self._said(_object(choice.get("delta")) or _object(choice.get("message")))
            if reason := _text(choice.get("finish_reason")):
                self.finished = True
                self._reason = reason
        self._usage = read_usage(_object(document.get("usage"))) or self._usage

    def close(self) -> Iterator[Event]:
        """Yield what belongs at the end: calls, the finish, usage. An answer whose service gave no reason stopped.

        :raises Garbage: a call names no function.
        """
        for call in self._calls:
            if not call.name:
                raise Garbage("a call of no function")
            identity = call.id or f"call_{secrets.token_hex(12)}"
            yield ToolCall(id=identity, name=call.name, arguments=call.arguments or "{}")
        reason = _REASONS.get(self._reason or "stop", FinishReason.STOP)
        if self._calls and reason is FinishReason.STOP:
            reason = FinishReason.TOOL_CALLS
        yield Finish(reason=reason, message=None if self._reason in {None, *_REASONS} else self._reason)
        if self._usage is not None:
            yield self._usage

    def _said(self, said: Mapping[str, Any]) -> Iterator[Event]:
        for name in ("reasoning_content", "reasoning"):
            if text := _text(said.get(name)):
                yield ThoughtDelta(text=text)
                break
        images = [_text(_object(image.get("image_url")).get("url")) for image in _objects(said.get("images"))]
        yield from _content(said.get("content"), images)
        if text := _text(said.get("refusal")):
            yield TextDelta(text=text)
        for url in images:
            if media := _media(url):
                yield media
        for annotation in _objects(said.get("annotations")):
            yield from _citation(_object(annotation.get("url_citation")))
        for position, piece in enumerate(_objects(said.get("tool_calls"))):
            self._add_to_call(piece, position)
        if legacy := _object(said.get("function_call")):
            self._add_to_call({"function": legacy}, 0)

    def _add_to_call(self, piece: Mapping[str, Any], position: int) -> None:
        index = piece.get("index")
        index = index if isinstance(index, int) else position
        identity, call = _text(piece.get("id")), self._latest.get(index)
        if call is None or (identity and call.id and identity != call.id):
            call = self._latest[index] = _OpenCall()
            self._calls.append(call)
        function = _object(piece.get("function"))
        call.id = call.id or identity
        call.name = call.name or _text(function.get("name"))
        arguments = function.get("arguments")
        call.arguments += msgspec.json.encode(arguments).decode() if isinstance(arguments, dict) else _text(arguments)


def read_object(data: bytes) -> Mapping[str, Any]:
    """Decode a JSON object.

    :raises Garbage: it is none.
    """
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Garbage(f"{len(data)} bytes that are no JSON") from None
    if not isinstance(document, dict):
        raise Garbage("JSON that is no object")
    return cast("dict[str, Any]", document)


def read_usage(usage: Mapping[str, Any]) -> Usage | None:
    """Read token counts; None where there are none."""
    if not usage:
        return None
    return Usage(
        prompt=_count(usage.get("prompt_tokens")),
        completion=_count(usage.get("completion_tokens")),
        reasoning=_count(_object(usage.get("completion_tokens_details")).get("reasoning_tokens")),
        cached=_count(_object(usage.get("prompt_tokens_details")).get("cached_tokens")),
    )


def _content(content: object, images: Sequence[str]) -> Iterator[Event]:
    """Read content: a text, or a list of parts, among which some services put what the model thought.

    :param images: addresses that come apart as well; as Markdown in the text, as this gateway writes them, they would
        come twice.
    """
    text = _text(content)
    for url in images:
        text = text.replace(f"![image]({url})", "")
    if text:
        yield TextDelta(text=text)
    for part in _objects(content):
        for thought in _objects(part.get("thinking")):
            if text := _text(thought.get("text")):
                yield ThoughtDelta(text=text)
        if text := _text(part.get("text")):
            yield TextDelta(text=text)


def _media(url: str) -> Media | None:
    """Read a data URL; other addresses aren't fetched, as nobody has allowed it."""
    head, _, encoded = url.partition(",")
    if not head.startswith("data:") or not head.endswith(";base64"):
        return None
    try:
        data = base64.b64decode(encoded)
    except ValueError:
        return None
    return Media(mime=head.removeprefix("data:").partition(";")[0], data=data)


def _citation(citation: Mapping[str, Any]) -> Iterator[Citation]:
    if url := _text(citation.get("url")):
        start, end = citation.get("start_index"), citation.get("end_index")
        placed = isinstance(start, int) and isinstance(end, int) and 0 <= start < end
        yield Citation(
            url=url,
            title=_text(citation.get("title")) or url,
            start=cast("int", start) if placed else None,
            end=cast("int", end) if placed else None,
        )


def _object(value: object) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [_object(each) for each in cast("list[object]", value)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0
