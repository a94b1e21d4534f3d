"""Which servers a request may use: those that it names, if the operator knows them, and those offered to everybody."""

from collections.abc import Iterator, Sequence
from typing import cast

import attrs

from studiogate.chat import ChatRequest
from studiogate.errors import InvalidRequest
from studiogate.strict import shown_name
from studiogate.tools import ToolSpec
from studiogate_mcp.settings import McpSettings, endpoint

MCP_TYPE = "mcp"
"""The type of tools that name a server, as OpenAI's Responses API has them."""
FIELD = "mcp_endpoint"
"""The request's field that names one."""


@attrs.frozen(kw_only=True)
class Asked:
    """Name a server that a request may use."""

    server: str
    """Its label, or its address in the one form (`settings.endpoint`)."""
    param: str | None = None
    """The field that asks for it; None where the operator offers it to every request."""
    only: frozenset[str] | None = None
    """The tools that are wanted of it; None for all."""


def asked_of(tools: Sequence[ToolSpec], request: ChatRequest, settings: McpSettings) -> tuple[Asked, ...]:
    """Return the servers that a request may use, each once: what it says of one itself counts.

    :param tools: those of type `MCP_TYPE`.
    :raises InvalidRequest: it names a server that there isn't, or an address that isn't allowed, or is written wrongly.
    """
    found: dict[str, Asked] = {}
    for each in (*(_by_spec(tool, settings) for tool in tools), *_by_field(request, settings), *_always(settings)):
        found.setdefault(each.server, each)
    return tuple(found.values())


def _by_spec(tool: ToolSpec, settings: McpSettings) -> Asked:
    place = f"tools[{tool.index}]"
    label, url = tool.spec.get("server_label"), tool.spec.get("server_url")
    for name, value in (("server_label", label), ("server_url", url)):
        if value is not None and not isinstance(value, str):
            raise InvalidRequest(f"{place}.{name}: must be a string.", param=f"{place}.{name}")
    only = _names(tool.spec.get("allowed_tools"), f"{place}.allowed_tools")
    if url:
        return Asked(server=_allowed(url, f"{place}.server_url", settings), param=place, only=only)
    if not label:
        raise InvalidRequest(f"{place}: server_label or server_url must say which server.", param=place)
    if label not in settings.servers:
        known = f" There are: {', '.join(sorted(settings.servers))}." if settings.servers else ""
        where = f"{place}.server_label"
        raise InvalidRequest(f"{where}: no MCP server is called '{shown_name(label)}'.{known}", param=where)
    return Asked(server=label, param=place, only=only)


def _by_field(request: ChatRequest, settings: McpSettings) -> Iterator[Asked]:
    if named := request.extra.get(FIELD):
        yield Asked(server=_allowed(str(named), FIELD, settings), param=FIELD)
    elif settings.endpoint:
        yield Asked(server=endpoint(settings.endpoint))


def _always(settings: McpSettings) -> Iterator[Asked]:
    yield from (Asked(server=label) for label, server in settings.servers.items() if server.always)


def _allowed(url: str, param: str, settings: McpSettings) -> str:
    try:
        address = endpoint(url)
    except ValueError:
        address = ""
    if address not in settings.addresses:
        raise InvalidRequest(
            f"{param}: this address is not allowed. The operator can list it in [mcp] allowed_endpoints.", param=param
        )
    return address


def _names(allowed: object, place: str) -> frozenset[str] | None:
    if isinstance(allowed, dict):
        allowed = cast("dict[str, object]", allowed).get("tool_names")
    if allowed is None:
        return None
    names = cast("list[object]", allowed) if isinstance(allowed, list) else [allowed]
    if not isinstance(allowed, list) or not all(isinstance(name, str) for name in names):
        raise InvalidRequest(f"{place}: must be a list of names.", param=place)
    return frozenset(str(name) for name in names)
