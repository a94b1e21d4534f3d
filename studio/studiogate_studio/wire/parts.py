"""What one part of a turn says.

The kind of a part is which index is set; one part may be text and thought and signed at once, and any kind may be
signed, which makes it fifteen long. Nothing is read from the length.
"""

import base64

import attrs

from studiogate_studio.wire.errors import WireError
from studiogate_studio.wire.indices import Call, Code, Inline, Part
from studiogate_studio.wire.jspb import Json, at, flag_at, int_at, list_at, text_at
from studiogate_studio.wire.structs import decode_struct

_PYTHON = 1
_OUTCOMES = {2: "failed", 3: "deadline exceeded"}


@attrs.frozen(kw_only=True)
class Words:
    """A piece of text."""

    text: str
    """Never empty."""
    thought: bool
    own: bool = True
    """False where the gateway wrote it, to show code or its result as Markdown."""


@attrs.frozen(kw_only=True)
class FunctionCall:
    """A call of a declared function."""

    name: str
    arguments: dict[str, Json]
    id: str | None
    """Upstream's, where it gave one."""


@attrs.frozen(kw_only=True)
class Blob:
    """An inline file."""

    mime: str
    data: bytes


def read_part(part: Json) -> Words | FunctionCall | Blob | None:
    """Return what a part says; None for nothing, a signature alone or a draft image for example.

    Raises `WireError` for a file that is no base64, or arguments nested too deep.
    """
    thought = flag_at(part, Part.THOUGHT)
    if (name := text_at(part, Part.CALL, Call.NAME)) is not None:
        call = list_at(part, Part.CALL)
        arguments = decode_struct(at(call, Call.ARGUMENTS))
        return FunctionCall(name=name, arguments=arguments, id=text_at(call, Call.ID) or None)
    if (encoded := text_at(part, Part.INLINE, Inline.BASE64)) is not None:
        mime = text_at(part, Part.INLINE, Inline.MIME) or "application/octet-stream"
        return None if thought or not encoded else Blob(mime=mime, data=_unbase64(encoded))
    if markdown := _code(part):
        return Words(text=markdown, thought=thought, own=False)
    text = text_at(part, Part.TEXT)
    return Words(text=text, thought=thought) if text else None


def _code(part: Json) -> str | None:
    code, result = text_at(part, Part.CODE, Code.TEXT), at(part, Part.CODE_RESULT)
    if code is not None:
        language = "python" if int_at(part, Part.CODE, Code.KIND) == _PYTHON else ""
        return _fence(language, code)
    if not isinstance(result, list):
        return None
    outcome = _OUTCOMES.get(int_at(result, Code.KIND) or 0)
    output = text_at(result, Code.TEXT) or ""
    return _fence("", f"[{outcome}]\n{output}" if outcome else output)


def _fence(language: str, body: str) -> str:
    """Fence a block; the fence is longer than any run of backticks inside, as CommonMark asks."""
    fence = "```"
    while fence in body:
        fence += "`"
    end = "" if body.endswith("\n") or not body else "\n"
    return f"\n{fence}{language}\n{body}{end}{fence}\n"


def _unbase64(encoded: str) -> bytes:
    standard = encoded.translate(str.maketrans("-_", "+/")) if "-" in encoded or "_" in encoded else encoded
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4))
    except ValueError as error:
        raise WireError(f"An inline file of {len(encoded)} characters is no base64.") from error
