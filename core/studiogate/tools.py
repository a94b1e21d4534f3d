"""Tools: what a request offers the model, and the plan that plugins make of it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import attrs


@attrs.frozen(kw_only=True)
class FunctionDeclaration:
    """Declare one function the model may call."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """A JSON Schema of type object; empty for a function without parameters."""
    strict: bool = False
    """Whether calls that reach the client must follow the schema to the letter (`strict_calls.py`)."""


@attrs.frozen(kw_only=True)
class ToolSpec:
    """Hold one entry of the request's `tools`, as the client sent it."""

    index: int
    """Its place in `tools`; `ToolPlan.taken` names it by this."""
    spec: Mapping[str, Any]
    """For example `{"type": "function", "function": {...}}` or `{"google_search": {}}`. Read only."""

    @property
    def type(self) -> str:
        """Return what kind of tool this is: its `type`, else its only key, else `unknown`."""
        kind = self.spec.get("type")
        if isinstance(kind, str):
            return kind
        return next(iter(self.spec)) if len(self.spec) == 1 else "unknown"

    @property
    def function(self) -> str | None:
        """Return the name of the function that this tool declares; None for a tool of another type."""
        return None if (declared := self.declaration) is None else declared.name

    @property
    def declaration(self) -> FunctionDeclaration | None:
        """Return the function that this tool declares; None for a tool of another type."""
        function = self.spec.get("function") if self.type == "function" else None
        if not isinstance(function, dict):
            return None
        fields = cast("dict[str, Any]", function)
        if not isinstance(name := fields.get("name"), str):
            return None
        return FunctionDeclaration(
            name=name,
            description=fields.get("description") or "",
            parameters=fields.get("parameters") or {},
            strict=fields.get("strict") is True,
        )


class ToolError(Exception):
    """Raised by an executor: the tool failed, and the message says why, in words for the model."""


type Executor = Callable[[str], Awaitable[str]]
"""Runs one tool call inside the gateway: takes the arguments (a JSON object as text), returns the result as text.

Raises `ToolError` where the tool itself says that it failed. Calls of one turn run side by side; each is cancelled with
its exchange, or when it takes longer than `[gateway] tool_call_s`.
"""


@attrs.frozen(kw_only=True)
class ToolPlan:
    """Say what tools an exchange has; each `map_tools` hook returns its part, the host merges them in order."""

    taken: frozenset[int] = frozenset()
    """Indices of the request's tools that this part answers for."""
    upstream: frozenset[int] = frozenset()
    """Those of them that ask for a tool built into the upstream: a backend whose upstream takes tools as clients write
    them passes these on."""
    switches: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """Tools built into the upstream, by name (`google_search`), with their options."""
    functions: tuple[FunctionDeclaration, ...] = ()
    """Declared to the model; the calls go back to the client unless an executor is named. In the merged plan these are
    the client's that no plugin took, in its order, and then what plugins add."""
    executors: Mapping[str, Executor] = attrs.field(factory=dict[str, Executor])
    """Functions that the gateway runs itself, by declared name."""
    list_sources: bool = False
    """Whether the answer's text is to end with a list of its sources."""

    def merged(self, other: "ToolPlan") -> "ToolPlan":
        """Return both parts as one; of equal names the earlier part's stands."""
        names = {function.name for function in self.functions}
        return ToolPlan(
            taken=self.taken | other.taken,
            upstream=self.upstream | other.upstream,
            switches={**other.switches, **self.switches},
            functions=(*self.functions, *(f for f in other.functions if f.name not in names)),
            executors={**other.executors, **self.executors},
            list_sources=self.list_sources or other.list_sources,
        )

    def without_executors(self) -> "ToolPlan":
        """Return the plan without the tools that the gateway runs: neither offered nor run."""
        functions = tuple(function for function in self.functions if function.name not in self.executors)
        return attrs.evolve(self, functions=functions, executors={})
