"""Entries of a request's tools, one function per kind."""

from collections.abc import Callable, Mapping, Sequence

from studiogate.tools import FunctionDeclaration
from studiogate_studio.wire.indices import Tool
from studiogate_studio.wire.jspb import Json
from studiogate_studio.wire.schema import encode_schema


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


def functions(declarations: Sequence[FunctionDeclaration]) -> list[Json]:
    """Declare functions; all of a request go into one entry."""
    return _entry(Tool.FUNCTIONS, [_declaration(declaration) for declaration in declarations])


def _declaration(declaration: FunctionDeclaration) -> list[Json]:
    head: list[Json] = [declaration.name, declaration.description]
    # A schema of an object without properties is refused upstream, so it is left out.
    if declaration.parameters and declaration.parameters.get("properties"):
        head.append(encode_schema(declaration.parameters))
    return head


def _entry(kind: Tool, options: list[Json]) -> list[Json]:
    return [*[None] * kind, options]
