"""How the value of a setting is shown to the operator: as TOML, without secrets.

A field of a settings class is a secret where it is left out of the class's `repr` (`attrs.field(repr=False)`), so one
that is never logged is never shown either.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import attrs

SECRET = "(set, not shown)"  # noqa: S105 - what stands in place of one
UNSET = "(not set)"

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def shown_settings(settings: object) -> dict[str, str]:
    """Return what may be shown of each field of a settings object, in the class's order.

    :param settings: an instance of an attrs class.
    """
    fields = attrs.fields(cast("Any", type(settings)))
    return {field.name: _shown_field(field, getattr(settings, field.name)) for field in fields}


def _shown_field(field: "attrs.Attribute[Any]", value: object) -> str:
    if value is None:
        return UNSET
    return SECRET if field.repr is False else _shown(value)


def _shown(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str() | Path():
            return json.dumps(str(value), ensure_ascii=False)
        case tuple() | list() | set() | frozenset():
            return f"[{', '.join(_shown(each) for each in cast('tuple[object, ...]', value))}]"
        case Mapping():
            pairs = cast("Mapping[object, object]", value).items()
            return _table({str(key): _shown(each) for key, each in pairs})
        case _ if attrs.has(type(value)):
            return _table({name: text for name, text in shown_settings(value).items() if text != UNSET})
        case _:
            return str(value)


def _table(values: Mapping[str, str]) -> str:
    if not values:
        return "{}"
    return f"{{ {', '.join(f'{_key(name)} = {text}' for name, text in values.items())} }}"


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else json.dumps(name, ensure_ascii=False)
