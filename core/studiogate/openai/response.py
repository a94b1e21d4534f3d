"""From events to what an OpenAI client reads: one JSON object, or a stream of chunks.

Nowhere else is this shape made. Beyond OpenAI's fields there are `reasoning_content` and `images`, under the names that
clients of reasoning and image models read. Who asked with OpenAI's older `functions` gets its older `function_call`,
which holds one call.
"""

import base64
import hashlib
from importlib.metadata import version
from typing import Any

import attrs
import msgspec

from studiogate.errors import ClientError, error_response
from studiogate.events import (
    Citation,
    Event,
    Finish,
    FinishReason,
    Media,
    Progress,
    TextDelta,
    ThoughtDelta,
    ToolCall,
    Usage,
)
from studiogate.exchange import Exchange
from studiogate.openai.ids import completion_id
from studiogate.tokens import UsageEstimate

KEEP_ALIVE = b": keep-alive\n\n"
"""A comment that clients skip, for streams that fall silent."""
ESTIMATED = b": usage is estimated\n\n"
"""The comment before a chunk of usage that nobody counted; a whole completion says so in a header."""
DONE = b"data: [DONE]\n\n"

_VERSION = version("studiogate")

_encode = msgspec.json.Encoder().encode


@attrs.define
class Completion:
    """Collect an answer's events into the body of a non-streamed completion."""

    exchange: Exchange
    _text: list[str] = attrs.field(factory=list[str], init=False)
    _thoughts: list[str] = attrs.field(factory=list[str], init=False)
    _calls: list[dict[str, Any]] = attrs.field(factory=list[dict[str, Any]], init=False)
    _annotations: list[dict[str, Any]] = attrs.field(factory=list[dict[str, Any]], init=False)
    _images: list[dict[str, Any]] = attrs.field(factory=list[dict[str, Any]], init=False)
    _usage: Usage | None = attrs.field(default=None, init=False)
    _estimate: UsageEstimate = attrs.field(factory=UsageEstimate, init=False)
    _reason: FinishReason = attrs.field(default=FinishReason.STOP, init=False)

    @property
    def usage_is_estimated(self) -> bool:
        """Return whether the backend counted no tokens, so that `body` guesses."""
        return self._usage is None

    def add(self, event: Event) -> None:
        """Take the answer's next event."""
        self._estimate.add(event)
        match event:
            case TextDelta():
                self._text.append(event.text)
            case ThoughtDelta():
                self._thoughts.append(event.text)
            case ToolCall():
                self._calls.append(_call(event))
            case Media():
                self._text.append(_markdown(event))
                self._images.append(_image(event))
            case Citation():
                self._annotations.append(_annotation(event))
            case Usage():
                self._usage = event
            case Finish():
                self._reason = event.reason
            case Progress():
                pass

    def body(self) -> bytes:
        """Return the `chat.completion` object as JSON."""
        text = "".join(self._text)
        legacy = self.exchange.request.legacy_functions
        message: dict[str, Any] = {
            "role": "assistant",
            # OpenAI says null where the model only called tools.
            "content": None if self._calls and not text else text,
            "refusal": None,
            "annotations": self._annotations,
        }
        if self._thoughts:
            message["reasoning_content"] = "".join(self._thoughts)
        if self._calls and legacy:
            message["function_call"] = self._calls[0]["function"]
        elif self._calls:
            message["tool_calls"] = self._calls
        if self._images:
            message["images"] = self._images
        reason = _reason(self._reason, legacy=legacy)
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": reason,
        }
        head = _head(self.exchange, "chat.completion")
        usage = self._usage or self._estimate.usage(self.exchange.prompt)
        return _encode({**head, "choices": [choice], "usage": _usage(usage)})


@attrs.define
class ChunkStream:
    """Write an answer's events as server-sent events, one chunk each."""

    exchange: Exchange
    _head: dict[str, Any] = attrs.field(init=False)
    _usage: Usage | None = attrs.field(default=None, init=False)
    _estimate: UsageEstimate = attrs.field(factory=UsageEstimate, init=False)
    _calls: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._head = _head(self.exchange, "chat.completion.chunk")
        if self.exchange.request.include_usage:
            self._head["usage"] = None

    def start(self) -> bytes:
        """Return the first chunk: the role, no text."""
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def add(self, event: Event) -> bytes:
        """Return what an event puts on the stream; empty for one that shows only at the end."""
        if self.exchange.request.include_usage:
            self._estimate.add(event)
        match event:
            case TextDelta():
                return self._chunk({"content": event.text})
            case ThoughtDelta():
                return self._chunk({"reasoning_content": event.text})
            case ToolCall():
                return self._call(event)
            case Media():
                return self._chunk({"content": _markdown(event), "images": [_image(event)]})
            case Citation():
                return self._chunk({"annotations": [_annotation(event)]})
            case Finish():
                return self._chunk({}, _reason(event.reason, legacy=self.exchange.request.legacy_functions))
            case Usage():
                self._usage = event
                return b""
            case Progress():
                return f": {' '.join(event.text.split())}\n\n".encode()

    def end(self) -> bytes:
        """Return the end of a whole answer: usage where it was asked for, then `[DONE]`."""
        if not self.exchange.request.include_usage:
            return DONE
        usage = self._usage or self._estimate.usage(self.exchange.prompt)
        counted = _sse({**self._head, "choices": [], "usage": _usage(usage)})
        return (b"" if self._usage else ESTIMATED) + counted + DONE

    def fail(self, error: ClientError) -> bytes:
        """Return the end of a broken answer: the error, and no `[DONE]`."""
        return _sse(error_response(error).body)

    def _call(self, call: ToolCall) -> bytes:
        """Write a call as OpenAI streams it: first who is called, then with what."""
        index = self._calls
        self._calls += 1
        if self.exchange.request.legacy_functions:
            return b"" if index else self._legacy_call(call)
        opening = {**_call(call), "index": index}
        opening["function"] = {"name": call.name, "arguments": ""}
        return self._chunk({"tool_calls": [opening]}) + self._chunk(
            {"tool_calls": [{"index": index, "function": {"arguments": call.arguments}}]}
        )

    def _legacy_call(self, call: ToolCall) -> bytes:
        named, given = {"name": call.name, "arguments": ""}, {"arguments": call.arguments}
        return self._chunk({"function_call": named}) + self._chunk({"function_call": given})

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return _sse({**self._head, "choices": [choice]})


def _sse(value: dict[str, Any]) -> bytes:
    return b"data: " + _encode(value) + b"\n\n"


def _fingerprint(model: str) -> str:
    """Name what made an answer: the same for the same model and version of the gateway, as OpenAI's."""
    return f"fp_{hashlib.sha256(f'{_VERSION} {model}'.encode()).hexdigest()[:10]}"


def _head(exchange: Exchange, kind: str) -> dict[str, Any]:
    return {
        "id": completion_id(exchange.id),
        "object": kind,
        "created": int(exchange.created),
        "model": exchange.model_name,
        "system_fingerprint": _fingerprint(exchange.model.id if exchange.model else ""),
    }


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _reason(reason: FinishReason, *, legacy: bool) -> str:
    return "function_call" if legacy and reason is FinishReason.TOOL_CALLS else str(reason)


def _data_url(media: Media) -> str:
    return f"data:{media.mime};base64,{base64.b64encode(media.data).decode()}"


def _markdown(media: Media) -> str:
    mark = "!" if media.mime.startswith("image/") else ""
    return f"{mark}[{media.mime.partition('/')[0]}]({_data_url(media)})"


def _image(media: Media) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": _data_url(media)}}


def _annotation(citation: Citation) -> dict[str, Any]:
    return {
        "type": "url_citation",
        "url_citation": {
            "url": citation.url,
            "title": citation.title,
            "start_index": citation.start or 0,
            "end_index": citation.end or 0,
        },
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
