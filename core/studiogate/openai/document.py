"""From the bytes of a request's body to a JSON object that is safe to walk."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import msgspec

from studiogate.errors import InvalidRequest
from studiogate.openai.content import is_source
from studiogate.openai.long_data import LongData, cut_out
from studiogate.strict import shown_name

MAX_DEPTH = 100
"""How deep objects and lists may be nested. Whatever reads the document later may recurse: schemas, templates, wire
formats; none of them may run out of stack."""


class _NoNumber(str):
    """Stands where the body has `NaN`, `Infinity` or `-Infinity`: Python writes them, JSON has none."""

    __slots__ = ()


def json_object(body: bytes | bytearray) -> dict[str, Any]:
    """Decode a body. Long data is left in it, as `LongData`, where it is the source of an attachment.

    :raises InvalidRequest: it is no JSON, no object, or nested too deep.
    """
    body, cut = cut_out(body)
    try:
        document: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _no_number(body) or InvalidRequest(f"The body is not JSON: {error}.") from None
    if not isinstance(document, dict):
        raise InvalidRequest("The body must be a JSON object with `messages`.")
    fields = cast("dict[str, Any]", document)
    if _is_too_deep(fields):
        raise InvalidRequest(f"The body is nested too deep: at most {MAX_DEPTH} levels of objects and lists are read.")
    if cut:
        _put_back(fields, cut)
    return fields


def _put_back(document: dict[str, Any], cut: Mapping[str, LongData]) -> None:
    """Put what was cut out where its marks are: as it is where a source may stand, else as text."""
    left: list[tuple[tuple[str | int, ...], Any]] = [((), document)]
    while left:
        path, container = left.pop()
        for step, value in _items(container):
            place = (*path, step)
            if isinstance(value, (dict, list)):
                left.append((place, cast("object", value)))
            elif isinstance(value, str) and value in cut:
                container[step] = cut[value] if is_source(place) else _text(cut[value])


def _items(container: object) -> list[tuple[str | int, object]]:
    if isinstance(container, dict):
        return list(cast("dict[str | int, object]", container).items())
    return list(enumerate(cast("list[object]", container)))


def _text(data: LongData) -> str:
    try:
        return data.text()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The body is not JSON: {error.reason}.") from None


def _is_too_deep(document: object) -> bool:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [child for value in level for child in _children(value) if isinstance(child, (dict, list))]
        if not level:
            return False
    return True


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()


def _no_number(body: bytes | bytearray) -> InvalidRequest | None:
    """Return what to say where a `NaN` or an `Infinity` is all that keeps a body from being JSON."""
    try:
        document: object = json.loads(body, parse_constant=_NoNumber)
    except (ValueError, RecursionError):
        return None
    left = [("", document)]
    while left:
        path, value = left.pop()
        if path and isinstance(value, _NoNumber):
            place = shown_name(path)
            return InvalidRequest(f"{place}: must be a number; {value} is none in JSON.", param=place)
        left.extend(_steps(path, value))
    return None


def _steps(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, child in cast("dict[str, object]", value).items():
            yield (f"{path}.{key}" if path else key), child
    elif isinstance(value, list):
        for index, child in enumerate(cast("list[object]", value)):
            yield f"{path}[{index}]", child
