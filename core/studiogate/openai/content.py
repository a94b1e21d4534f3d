"""What a message says: its text, and references to what goes with it.

Content comes in three forms: a string, a list of items (strings, texts, references), or an object with `text` and lists
of references. A reference is a string (URL, path, base64) or an object that has one under any of several names, as in
`{"url": "…"}`, `{"image_url": {"url": "…"}}` or `{"file": {"file_data": "…", "filename": "…"}}`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, cast

import attrs

from studiogate.attachments import AttachmentRef
from studiogate.openai.long_data import LongData
from studiogate.openai.shape import CONVERTER, Shape, ref
from studiogate.strict import WrongValue, shown

TEXT_TYPES = ("text", "input_text", "output_text")
REFERENCE_TYPES = (
    "image_url",
    "input_image",
    "file_url",
    "media_url",
    "input_audio",
    "input_video",
    "file",
    "input_file",
)
"""Types of content items that are references; each is also a name that a reference may have its source under."""

_SOURCE_KEYS = ("url", "path", "data", "file_data")
"""Names that an object has a string for its source under."""
_OUTER_KEYS = (*_SOURCE_KEYS, *REFERENCE_TYPES)
"""Names that an object has its source under, a string or an object with one."""
REFERENCE_LISTS = ("attachments", "images", "files", "media")
"""Fields that hold lists of references."""

_WORDS = ("mime_type", "filename", "detail")
_KINDS = ("format", "type")
"""Where else clients say what a file is: OpenAI's `format` (`mp3`), the guide's `type` (`image`)."""


@attrs.frozen
class Reference:
    """Point at something, from a place that only the message knows."""

    source: str | LongData
    key: str = ""
    """Where the source stands in its object, such as `.image_url`; empty for a string."""
    mime: str | None = None
    filename: str | None = None
    detail: str | None = None

    def at(self, place: str) -> AttachmentRef:
        """Return the reference as plugins get it, with its place in the request."""
        long = self.source if isinstance(self.source, LongData) else None
        return AttachmentRef(
            source=long.head if long else str(self.source),
            data=long.whole if long else None,
            param=place,
            mime=self.mime,
            filename=self.filename,
            detail=self.detail,
        )


@attrs.frozen
class Content:
    """Hold what a message says."""

    text: str = ""
    """All texts, joined by newlines."""
    references: tuple[tuple[str, Reference], ...] = ()
    """Each with its place in the content, such as `[1].image_url`; in order."""


def is_source(place: Sequence[str | int]) -> bool:
    """Tell whether the source of a reference may stand in a place of a request, as keys and indices from its top."""
    match place:
        case ["attachments", int(), *keys]:
            pass
        case ["messages", int(), str() as field, int(), *keys] if field in REFERENCE_LISTS:
            pass
        case ["messages", int(), "content", str() as field, int(), *keys] if field in REFERENCE_LISTS:
            pass
        case ["messages", int(), "content", int(), key, *more]:
            keys = [key, *more]
        case _:
            return False
    return all(key in _OUTER_KEYS for key in keys)


def _read_reference(value: object) -> Reference:
    if isinstance(value, LongData):
        return Reference(value)
    if isinstance(value, str):
        if not value:
            raise ValueError("must not be empty")
        return Reference(value)
    return _from_object(value)


def _from_object(value: object, keys: Sequence[str] = _OUTER_KEYS) -> Reference:
    if not isinstance(value, dict):
        raise TypeError(f"must be a string or an object, not {shown(value)}")
    fields = cast("dict[str, object]", value)
    sources = [(key, _source(fields[key], key, keys)) for key in keys if fields.get(key) is not None]
    if not sources:
        raise ValueError(f"must name its source under one of {', '.join(_SOURCE_KEYS)}")
    key, source = sources[0]
    mime, filename, detail = (_word(fields, name) for name in _WORDS)
    return Reference(
        source=source.source,
        key=f".{key}",
        mime=mime or _kind(fields) or source.mime,
        filename=filename or source.filename,
        detail=detail or source.detail,
    )


def _source(value: object, key: str, keys: Sequence[str]) -> Reference:
    if isinstance(value, LongData) or (isinstance(value, str) and value):
        return Reference(value)
    if keys is _SOURCE_KEYS:
        # No object inside an object inside an object, so that no stack runs over.
        raise WrongValue(key, "must be a string that isn't empty")
    if not isinstance(value, dict):
        raise WrongValue(key, "must be a string that isn't empty, or an object with one")
    try:
        return _from_object(cast("object", value), _SOURCE_KEYS)
    except WrongValue as error:
        raise WrongValue(f"{key}.{error.field}", error.message) from None
    except ValueError as error:
        raise WrongValue(key, str(error)) from None


def _word(fields: dict[str, object], key: str) -> str | None:
    value = fields.get(key)
    if value is None or isinstance(value, str):
        return value
    raise WrongValue(key, f"must be a string, not {shown(value)}")


def _kind(fields: dict[str, object]) -> str | None:
    """Return what else an object says of its kind; the type of an item is none."""
    words = (fields.get(key) for key in _KINDS)
    return next((word for word in words if isinstance(word, str) and word and word not in REFERENCE_TYPES), None)


def _read_item(value: object) -> str | Reference:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise TypeError(f"must be a string or an object, not {shown(value)}")
    fields = cast("dict[str, object]", value)
    kind = fields.get("type")
    if kind in TEXT_TYPES:
        return _text_of(fields, "text")
    if kind == "refusal":
        return _text_of(fields, "refusal")
    if kind in REFERENCE_TYPES:
        return _from_object(fields)
    raise WrongValue("type", f"must be one of {', '.join((*TEXT_TYPES, 'refusal', *REFERENCE_TYPES))}")


def _text_of(fields: dict[str, object], key: str) -> str:
    value = fields.get(key)
    if isinstance(value, str):
        return value
    raise WrongValue(key, f"must be a string, not {shown(value)}" if key in fields else "is required")


def _read_content(value: object) -> Content:
    if isinstance(value, str):
        return Content(value)
    if isinstance(value, list):
        return _from_items(CONVERTER.structure(value, list[Item]))
    if isinstance(value, dict):
        parts = CONVERTER.structure(value, ContentObject)
        return Content(text=parts.text or "", references=tuple(parts.listed()))
    raise TypeError(f"must be a string, a list of items or null, not {shown(value)}")


def _from_items(items: "list[str | Reference]") -> Content:
    return Content(
        text="\n".join(item for item in items if isinstance(item, str)),
        references=tuple(
            (f"[{index}]{item.key}", item) for index, item in enumerate(items) if isinstance(item, Reference)
        ),
    )


_SOURCE: dict[str, Any] = {"type": "string", "minLength": 1}


def _reference_schema(source: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            **{key: {"anyOf": [source, {"type": "null"}]} for key in keys},
            **{key: {"type": ["string", "null"]} for key in _WORDS},
        },
        "anyOf": [{"required": [key], "properties": {key: {"not": {"type": "null"}}}} for key in keys],
    }


def _item_schema(types: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    kinds = {"type": "string", "enum": list(types)}
    return {"type": "object", "properties": {"type": kinds, **properties}, "required": ["type", *properties]}


SCHEMAS: dict[str, dict[str, Any]] = {
    "AttachmentSource": _reference_schema(_SOURCE, _SOURCE_KEYS),
    "Attachment": _reference_schema({"anyOf": [_SOURCE, ref("AttachmentSource")]}, _OUTER_KEYS),
    "ContentItem": {
        "anyOf": [
            {"type": "string"},
            _item_schema(TEXT_TYPES, text={"type": "string"}),
            _item_schema(("refusal",), refusal={"type": "string"}),
            {"allOf": [_item_schema(REFERENCE_TYPES), ref("Attachment")]},
        ]
    },
}
"""What `/openapi.json` calls the parts that are read here."""

Item = Annotated[str | Reference, Shape(_read_item, ref("ContentItem"))]
"""One item of a list of content."""
Attachment = Annotated[Reference, Shape(_read_reference, {"anyOf": [_SOURCE, ref("Attachment")]})]
"""One entry of a list of references."""


@attrs.frozen
class Attachments:
    """Hold the lists of references of a message, or of content in the form of an object."""

    attachments: list[Attachment] | None = None
    images: list[Attachment] | None = None
    files: list[Attachment] | None = None
    media: list[Attachment] | None = None

    def listed(self) -> Iterator[tuple[str, Reference]]:
        """Yield each reference with its place in here, such as `.images[0]`."""
        for field in REFERENCE_LISTS:
            references: list[Reference] | None = getattr(self, field)
            for index, reference in enumerate(references or ()):
                yield f".{field}[{index}]", reference


@attrs.frozen
class ContentObject(Attachments):
    """Hold content in the form of an object."""

    text: str | None = None


MessageContent = Annotated[
    Content,
    Shape(
        _read_content,
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": ref("ContentItem")},
                ref("ContentObject"),
            ]
        },
    ),
]
"""A message's content, in any of the three forms."""

_BLANK = r"\s\x1c-\x1f\x85\ufeff"
"""White space, for a class of characters: what any of Python, ECMAScript and Unicode takes for it."""
TEXT = re.compile(f"[^{_BLANK}]")
"""Matches where a text is more than white space."""

_TEXT: dict[str, Any] = {"type": "string", "pattern": TEXT.pattern}
NOT_EMPTY: list[dict[str, Any]] = [
    {"required": [field.name], "properties": {field.name: {"type": "array", "minItems": 1}}}
    for field in attrs.fields(Attachments)
]
"""Schemas of what has attachments, in one list or another."""
SAYS_SOMETHING: dict[str, Any] = {
    "anyOf": [
        _TEXT,
        {
            "type": "array",
            "contains": {
                "anyOf": [
                    _TEXT,
                    _item_schema(TEXT_TYPES, text=_TEXT),
                    _item_schema(("refusal",), refusal=_TEXT),
                    _item_schema(REFERENCE_TYPES),
                ]
            },
        },
        {
            "type": "object",
            "anyOf": [{"required": ["text"], "properties": {"text": _TEXT}}, *NOT_EMPTY],
        },
    ]
}
"""The schema of content that has text or attachments."""
