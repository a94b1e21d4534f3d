"""AI Studio's answers as such a service reads and retells them: frames of the RPC to OpenAI's chunks.

Written in the simplest way and without studio's decoder, so that one misreading can't hide on both sides.
"""

import codecs
import json
import time
from collections.abc import Iterator
from typing import Any, cast

type Chunk = dict[str, Any]

_FINISH = {1: "stop", 2: "length"}


class Decoder:
    """Read the RPC's answer: every array that closes at depth 3 is a frame."""

    def __init__(self) -> None:
        self._text = codecs.getincrementaldecoder("utf-8")()
        self._frame: list[str] = []
        self._depth = 0
        self._quoted = self._escaped = False
        self._calls = 0
        self._born = int(time.time())

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the chunks that these bytes complete."""
        for char in self._text.decode(data):
            if self._depth >= 3:
                self._frame.append(char)
            if self._quoted:
                self._quoted = self._escaped or char != '"'
                self._escaped = char == "\\" and not self._escaped
            elif char == '"':
                self._quoted = True
            elif char == "[":
                self._depth += 1
                if self._depth == 3:
                    self._frame = ["["]
            elif char == "]":
                self._depth -= 1
                if self._depth == 2:
                    yield from self._read(json.loads("".join(self._frame)))

    def _read(self, frame: list[Any]) -> Iterator[Chunk]:
        feedback = _at(frame, 1)
        if isinstance(feedback, list) and _at(feedback, 0):
            yield self._made({}, "content_filter")
        candidate = _at(frame, 0, 0)
        for part in _items(_at(candidate, 0, 0)):
            if (call := _at(part, 10)) is not None:
                function = {"name": call[0], "arguments": json.dumps(_struct(_at(call, 1)))}
                piece = {"index": self._calls, "id": _at(call, 2), "type": "function", "function": function}
                self._calls += 1
                yield self._made({"tool_calls": [piece]})
            elif (media := _at(part, 2)) is not None:
                yield self._made({"images": [{"image_url": {"url": f"data:{media[0]};base64,{media[1]}"}}]})
            elif text := _at(part, 1):
                yield self._made({"reasoning_content" if _at(part, 12) else "content": text})
        if (finish := _at(candidate, 1)) is not None:
            reason = "tool_calls" if self._calls and finish == 1 else _FINISH.get(finish, "content_filter")
            yield self._made({}, reason, usage=_usage(_at(frame, 2)))

    def _made(self, delta: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
        return make_chunk(delta, reason, created=self._born, **more)


def make_chunk(delta: dict[str, Any], reason: str | None = None, *, created: int = 0, **more: Any) -> dict[str, Any]:
    """Return a chunk as OpenAI writes it."""
    choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": reason}
    head = {"id": "chatcmpl-helper", "object": "chat.completion.chunk", "created": created, "model": "helper"}
    return {**head, "choices": [choice], **{name: value for name, value in more.items() if value is not None}}


def _at(value: Any, *path: int) -> Any:
    for index in path:
        listed = _items(value)
        value = listed[index] if index < len(listed) else None
    return value


def _items(value: object) -> list[Any]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _usage(counts: Any) -> Chunk | None:
    if not counts:
        return None
    prompt, said, thought = (_at(counts, index) or 0 for index in (0, 1, 9))
    details = {"reasoning_tokens": thought}
    return {"prompt_tokens": prompt, "completion_tokens": said + thought, "completion_tokens_details": details}


def _struct(struct: Any) -> dict[str, Any]:
    return {key: _value(value) for key, value in _items(_at(struct, 0))}


def _value(value: list[Any]) -> Any:
    """Read a protobuf Value: one slot is set, and which one says the kind."""
    slot = next((index for index in range(1, len(value)) if value[index] is not None), 0)
    match slot:
        case 0:
            return None
        case 3:
            return bool(value[3])
        case 4:
            return _struct(value[4])
        case 5:
            return [_value(each) for each in _items(_at(value[5], 0))]
        case _:
            return value[slot]
