"""A JSON Schema of plugins.toml, for editors: made from the settings classes, the gateway's and every plugin's.

It says of a file what types, limits and names can say. What depends on several settings, on the environment or on the
machine is found by the gateway only. No key is required here, as the environment may have it.
"""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin

import attrs

from studiogate.config import DEFAULTS_TABLE, GATEWAY_TABLE, MODELS_TABLES
from studiogate.defaults import Defaults
from studiogate.errors import ConfigurationError
from studiogate.models import InjectedModel
from studiogate.plugins import InstalledPlugins, loaded_class
from studiogate.settings import GatewaySettings
from studiogate.strict import schema_of

type Schema = dict[str, Any]

_SIMPLE: Mapping[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    Path: {"type": "string", "minLength": 1},
}


def config_schema(installed: InstalledPlugins) -> Schema:
    """Return the schema, in draft 7, which editors know best.

    :param installed: loaders of the plugins that the file may list, by name. The table of one that can't be imported
        may hold anything.
    """
    models = table_schema(InjectedModel) | {"required": ["id"]}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "studiogate's plugins.toml",
        "type": "object",
        "required": ["plugins"],
        "additionalProperties": False,
        "properties": {
            "plugins": {
                "description": "Plugins in this order; of the backends, the first that can answer does. A name, or a "
                "file such as ./my_backend.py.",
                "type": "array",
                "uniqueItems": True,
                "items": {"anyOf": [{"enum": list(installed)}, {"type": "string", "pattern": r"\.py$"}]},
            },
            GATEWAY_TABLE: table_schema(GatewaySettings),
            DEFAULTS_TABLE: table_schema(Defaults),
            MODELS_TABLES: {"type": "array", "items": models},
            **{name: _plugin_schema(name, installed) for name in installed},
        },
    }


def table_schema(kind: type[Any]) -> Schema:
    """Return the schema of a table that a settings class reads."""
    words = _docstrings(kind)
    properties = {field.name: _field(field, words) for field in attrs.fields(attrs.resolve_types(kind))}
    described: Schema = {"description": inspect.cleandoc(kind.__doc__)} if kind.__doc__ else {}
    return described | {"type": "object", "additionalProperties": False, "properties": properties}


def _plugin_schema(name: str, installed: InstalledPlugins) -> Schema:
    try:
        kind = loaded_class(name, installed[name])
    except ConfigurationError:
        return {"type": "object"}
    settings: type | None = getattr(kind, "settings", None)
    # A plugin without settings has no table, though an empty one does no harm.
    return {"type": "object", "maxProperties": 0} if settings is None else table_schema(settings)


def _field(field: "attrs.Attribute[Any]", words: Mapping[str, str]) -> Schema:
    made = _of_type(field.type) | schema_of(field.validator)
    if field.name in words:
        made["description"] = words[field.name]
    if isinstance(field.default, bool | int | float | str | Path):
        made["default"] = str(field.default) if isinstance(field.default, str | Path) else field.default
    return made


def _of_type(kind: Any) -> Schema:
    """Return what TOML values a type takes; it has no null, so a setting that may be None is one to leave out."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        members = [_of_type(each) for each in arguments if each is not NoneType]
        return members[0] if len(members) == 1 else {"anyOf": members}
    if origin in (tuple, list):
        return {"type": "array", "items": _of_type(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of_type(arguments[1])}
    if attrs.has(kind):
        return table_schema(cast("type[Any]", kind))
    return dict(_SIMPLE.get(kind, {}))


def _docstrings(kind: type) -> dict[str, str]:
    """Return the docstrings under a class's fields, inherited ones too; none where there is no source to read."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        try:
            (body,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        except (OSError, TypeError, SyntaxError, ValueError):
            continue
        if isinstance(body, ast.ClassDef):
            for field, words in zip(body.body, body.body[1:], strict=False):
                match field, words:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                        found[name] = " ".join(text.split())
                    case _:
                        pass
    return found
