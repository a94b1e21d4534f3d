"""Entries of a request's tools, one function per kind."""

from collections.abc import Callable, Mapping, Sequence

from studiogate_studio.wire.declarations import Declaration
from studiogate_studio.wire.indices import Tool
from studiogate_studio.wire.jspb import Json
from studiogate_studio.wire.schema import encode_simple


def google_search() -> list[Json]:
    """Let the model search the web."""
    return _entry(Tool.GOOGLE_SEARCH, [None, [[]]])


def code_execution() -> list[Json]:
    """Let the model run Python upstream."""
    return _entry(Tool.CODE_EXECUTION, [])


def url_context() -> list[Json]:
    """Let the model read the addresses in the prompt."""
    return _entry(Tool.URL_CONTEXT, [])


def google_maps() -> list[Json]:
    """Let the model look places up."""
    return _entry(Tool.GOOGLE_MAPS, [])


SWITCHES: Mapping[str, Callable[[], list[Json]]] = {
    "google_search": google_search,
    "url_context": url_context,
    "code_execution": code_execution,
}
"""The tools that run upstream, by the name under which a tool plan switches them on."""


def functions(declarations: Sequence[Declaration]) -> list[Json]:
    """Declare functions; all of a request go into one entry."""
    return _entry(Tool.FUNCTIONS, [_declaration(declaration) for declaration in declarations])


def _declaration(declaration: Declaration) -> list[Json]:
    head: list[Json] = [declaration.name, declaration.description]
    return head if declaration.parameters is None else [*head, encode_simple(declaration.parameters)]


def _entry(kind: Tool, options: list[Json]) -> list[Json]:
    return [*[None] * kind, options]
