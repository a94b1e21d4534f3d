"""Read and patch the GenerateContent request that the page sends.

The page proves itself by a token in the request that is bound to the contents and to nothing else. So a patch sets the
slots it names and leaves every other byte of the body as the page wrote it: the array is cut into the sources of its
elements, some are replaced, and the pieces are joined again. Contents, proof and slots nobody knows are never decoded
and written anew, so no number or escape in them can change. Files inside the request are set aside meanwhile (`bulk`).
"""

from collections.abc import Mapping
from enum import Enum

import attrs

from studiogate_studio.wire.brackets import elements
from studiogate_studio.wire.bulk import take_bulk
from studiogate_studio.wire.errors import WireError
from studiogate_studio.wire.indices import Config, Content, Part, Request, ThinkingConfig, Tool, ToolConfig
from studiogate_studio.wire.jspb import Json, at, decode, encode, list_at, text_at
from studiogate_studio.wire.schema import encode_schema

THINKING_LEVELS = {"low": 1, "medium": 2, "high": 3, "minimal": 4}
"""The numbers of the page's thinking levels, in requests and in the list of models."""

JSON_MIME = "application/json"
"""The type of answers that are to be JSON."""

MEDIA_RESOLUTIONS = {"low": 1, "medium": 2, "high": 3}
"""The numbers of how closely images and video are looked at; rising."""

_NULL = b"null"
_FILES = (Part.INLINE, Part.DRIVE_FILE, Part.EXTERNAL)


class Unset(Enum):
    """Stands for a value that is to be cleared, where no value of the slot's own type can."""

    UNSET = "unset"


@attrs.frozen(kw_only=True)
class GenerateRequest:
    """What a request asks, as far as the gateway cares."""

    model: str
    """Without the `models/` prefix."""
    prompt: str
    """What the user said since the model last spoke: the text parts joined as they are, newlines normalised."""
    files: int
    """How many files go with it: inline, in Drive or elsewhere."""
    proof: str | None
    """The page's token; None where the page sent none."""


@attrs.frozen(kw_only=True)
class RequestPatch:
    """Name the slots of a request to set. None leaves a slot as the page sent it; the empty value clears it."""

    model: str | None = None
    """With or without the `models/` prefix."""
    system: str | None = None
    """The system instruction. Pass an empty string for a client that gave none: the page may hold a saved one."""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] | None = None
    """Stop sequences; empty clears the page's."""
    seed: int | Unset | None = None
    """Makes sampling repeatable, 32 bits; `Unset.UNSET` clears the page's."""
    response_mime: str | None = None
    """The MIME type of the answer: `JSON_MIME`, or empty for text, which clears the page's JSON mode."""
    response_schema: Mapping[str, Json] | None = None
    """The JSON Schema of an answer in JSON; simplified where it has to be. Empty clears the page's."""
    thinks: bool | None = None
    """Whether the model thinks. Replaces the page's thinking config, which is made for the model chosen there and would
    be refused for one of another kind: by the model's own defaults with thoughts included, or by none."""
    thinking_budget: int | None = None
    """Tokens to think with; 0 turns thinking off, -1 leaves it to the model. For budget models only."""
    thinking_level: str | None = None
    """A key of `THINKING_LEVELS`. For level models only."""
    media_resolution: str | None = None
    """A key of `MEDIA_RESOLUTIONS`; an empty string leaves it to the model."""
    tools: tuple[Json, ...] | None = None
    """Entries as `tools` makes them. Empty clears the page's, and the tool config with them: a request without tools
    must not search. Where functions are among others, the tool config says so."""


def read_request(body: bytes) -> GenerateRequest:
    """Read a request body; raise `WireError` where it is no GenerateContent request."""
    return _read(take_bulk(body).rest)


def normalise_newlines(text: str) -> str:
    r"""Return text as a text area gives it back: `\r\n` and a lone `\r` become `\n`; nothing else changes."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def patch_request(body: bytes, patch: RequestPatch) -> bytes:
    """Return the body with the patch's slots set and every other byte as it was.

    Raises `WireError` where the body is no GenerateContent request, or the patch names a thinking level or a media
    resolution that there isn't, or has a schema that can't be simplified.
    """
    bulk = take_bulk(body)
    _read(bulk.rest)
    page = elements(bulk.rest)
    slots = _slots(patch)
    if config := _config(patch, _element(page, Request.CONFIG)):
        slots[Request.CONFIG] = config
    if patch.tools is not None:
        slots[Request.TOOL_CONFIG] = _tool_config(patch.tools, _element(page, Request.TOOL_CONFIG))
    return bulk.restore(_set(bulk.rest, slots)) if slots else body


def _read(body: bytes) -> GenerateRequest:
    root = decode(body)
    model, turns = text_at(root, Request.MODEL), at(root, Request.CONTENTS)
    if model is None or not isinstance(turns, list):
        raise WireError("Expected a GenerateContent request: an array with a model's name and contents.")
    parts = _asked(turns)
    return GenerateRequest(
        model=model.removeprefix("models/"),
        prompt=normalise_newlines("".join(text_at(part, Part.TEXT) or "" for part in parts)),
        files=sum(any(at(part, index) is not None for index in _FILES) for part in parts),
        proof=text_at(root, Request.PROOF),
    )


def _asked(turns: list[Json]) -> list[Json]:
    """Return the parts of the user's last turn; a page may write it as several contents in a row."""
    parts: list[Json] = []
    for turn in reversed(turns):
        if text_at(turn, Content.ROLE) != "user":
            if parts:
                break
            continue
        parts = list_at(turn, Content.PARTS) + parts
    return parts


def _slots(patch: RequestPatch) -> dict[int, bytes]:
    slots: dict[int, bytes] = {}
    if patch.model is not None:
        slots[Request.MODEL] = encode(f"models/{patch.model.removeprefix('models/')}")
    if patch.system is not None:
        slots[Request.SYSTEM] = encode([[[None, patch.system]], "user"] if patch.system else None)
    if patch.tools is not None:
        slots[Request.TOOLS] = encode(list(patch.tools) or None)
    return slots


def _tool_config(tools: tuple[Json, ...], page: bytes) -> bytes:
    """Return the tool config: the page's where there is a search, which it is about, and that functions are mixed."""
    searches = any(at(tool, Tool.GOOGLE_SEARCH) is not None for tool in tools)
    functions = [tool for tool in tools if at(tool, Tool.FUNCTIONS) is not None]
    config = page if searches else _NULL
    if functions and len(functions) < len(tools):
        return _set(config, {ToolConfig.SERVER_SIDE_CALLS: encode(1)})
    return config if config.strip() else _NULL


def _config(patch: RequestPatch, config: bytes) -> bytes | None:
    values: dict[int, Json] = {
        Config.TEMPERATURE: patch.temperature,
        Config.TOP_P: patch.top_p,
        Config.TOP_K: patch.top_k,
        Config.MAX_TOKENS: patch.max_tokens,
    }
    slots = {index: encode(value) for index, value in values.items() if value is not None}
    if patch.media_resolution is not None:
        slots[Config.MEDIA_RESOLUTION] = encode(_resolution(patch.media_resolution))
    if patch.stop is not None:
        slots[Config.STOP] = encode(list(patch.stop) or None)
    if patch.seed is not None:
        slots[Config.SEED] = encode(None if isinstance(patch.seed, Unset) else patch.seed)
    if patch.response_mime is not None:
        slots[Config.RESPONSE_MIME] = encode(patch.response_mime or None)
    if patch.response_schema is not None:
        slots[Config.RESPONSE_SCHEMA] = encode(encode_schema(patch.response_schema) if patch.response_schema else None)
    page = _element(_split(config), Config.THINKING) if patch.thinks is None else _NULL
    if thinking := _thinking(patch):
        slots[Config.THINKING] = _set(page, thinking)
    elif patch.thinks is not None:
        slots[Config.THINKING] = _NULL
    return _set(config, slots) if slots else None


def _thinking(patch: RequestPatch) -> dict[int, bytes]:
    slots: dict[int, bytes] = {ThinkingConfig.INCLUDE: encode(1)} if patch.thinks else {}
    if patch.thinking_budget is not None:
        slots[ThinkingConfig.INCLUDE] = encode(1 if patch.thinking_budget else None)
        slots[ThinkingConfig.BUDGET] = encode(patch.thinking_budget)
    if patch.thinking_level is not None:
        if patch.thinking_level not in THINKING_LEVELS:
            raise WireError(f"Unknown thinking level {patch.thinking_level!r}; known are {', '.join(THINKING_LEVELS)}.")
        slots[ThinkingConfig.INCLUDE] = encode(1)
        slots[ThinkingConfig.LEVEL] = encode(THINKING_LEVELS[patch.thinking_level])
    return slots


def _resolution(name: str) -> int | None:
    if name and name not in MEDIA_RESOLUTIONS:
        raise WireError(f"Unknown media resolution {name!r}; known are {', '.join(MEDIA_RESOLUTIONS)}.")
    return MEDIA_RESOLUTIONS.get(name)


def _set(array: bytes, slots: Mapping[int, bytes]) -> bytes:
    """Return an array's source with some elements replaced; an unset array counts as an empty one."""
    pieces = _split(array)
    for index, source in slots.items():
        # Clearing what isn't set changes nothing, down to the byte.
        if source != _NULL or _element(pieces, index).strip() not in {b"", _NULL}:
            pieces += [_NULL] * (index + 1 - len(pieces))
            pieces[index] = source
    return b"[" + b",".join(pieces) + b"]"


def _split(array: bytes) -> list[bytes]:
    return [] if array.strip() in {b"", _NULL} else elements(array)


def _element(pieces: list[bytes], index: int) -> bytes:
    return pieces[index] if index < len(pieces) else b""
