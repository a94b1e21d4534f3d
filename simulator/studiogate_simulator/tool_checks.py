"""What upstream refuses of a request's tools: functions that are declared wrongly, or where there can be none.

The sentences are those that users of Google's public API report.
"""

import re
from collections.abc import Iterator
from typing import Final

from studiogate_simulator.jspb import Json, items
from studiogate_simulator.limits import JSON_MIME, wrong_schema
from studiogate_simulator.models import FUNCTIONS, Model
from studiogate_simulator.status import INVALID_ARGUMENT, RpcFailure
from studiogate_simulator.submission import Submission

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")


def check_tools(submission: Submission, model: Model) -> None:
    """Refuse tools that upstream refuses; raises RpcFailure (invalid argument)."""
    tools = [tool for tool in submission.tools if isinstance(tool, dict)]
    declared = [declaration for tool in tools for declaration in items(tool.get("function_declarations"))]
    if any("unknown" in tool for tool in tools):
        raise _refused("Request contains an invalid argument: tools.")
    if not any("function_declarations" in tool for tool in tools):
        return
    if FUNCTIONS not in model.capabilities:
        raise _refused(f"Function calling is not enabled for models/{model.id}")
    _check_company(submission, model, {name for tool in tools for name in tool} - {"function_declarations"})
    names = [declaration.get("name") for declaration in declared if isinstance(declaration, dict)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _refused(f"Duplicate function declaration found: {twice}")
    if wrong := [line for index, each in enumerate(declared) for line in _wrong(each, index)]:
        raise _refused("\n".join(f"* {line}" for line in wrong))


def _check_company(submission: Submission, model: Model, others: set[str]) -> None:
    """Refuse functions beside tools that run upstream, or beside JSON, where a model can't have both."""
    if others and not model.levels:
        raise _refused("Tool use with function calling is unsupported")
    if others and not submission.server_side_calls:
        raise _refused(
            "Please enable tool_config.include_server_side_tool_invocations "
            "to use Built-in tools with Function calling."
        )
    if submission.config.get("response_mime_type") == JSON_MIME and not model.levels:
        raise _refused(f"Function calling with a response mime type: '{JSON_MIME}' is unsupported")


def _wrong(declaration: Json, index: int) -> Iterator[str]:
    path = f"GenerateContentRequest.tools[0].function_declarations[{index}]"
    if not isinstance(declaration, dict):
        return
    name, parameters = declaration.get("name"), declaration.get("parameters")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield (
            f"{path}.name: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric "
            "(a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64."
        )
    if isinstance(parameters, dict):
        if parameters.get("type") != "object":
            yield f"{path}.parameters: schema should be of type OBJECT"
        yield from wrong_schema(parameters, f"{path}.parameters")


def _refused(message: str) -> RpcFailure:
    return RpcFailure(INVALID_ARGUMENT, message)
