"""The two dialogs in which JSON is edited: function declarations, and the schema of structured output.

    switch on -> edit button -> code editor -> the JSON -> Save -> the dialog closes

A dialog that stays open says what is wrong with the JSON; it is closed then without saving. The switches exclude each
other and the upstream's own tools, so those are off before.
"""

import json
from collections.abc import Mapping

import attrs

from studiogate.errors import Declined
from studiogate.params import ResponseFormat
from studiogate.tools import FunctionDeclaration
from studiogate_studio.controls.dialog_schema import dialog_schema, first_choices
from studiogate_studio.controls.steps import PART, Step, apply, refusals
from studiogate_studio.errors import PageBroken
from studiogate_studio.probe import Probe
from studiogate_studio.run_settings import RunSettings
from studiogate_studio.wire import Json, WireError, declare

_OPEN_S = 2.0
_SAVE_S = 0.5
"""How long Save may stay disabled for a text that the editor doesn't hold already."""
_CLOSE_S = 3.0

_FUNCTIONS = Step(kind="switch", element="function_calling", value=True, param="tools")
_SCHEMA = Step(kind="switch", element="structured_output", value=True, param="response_format")


@attrs.frozen
class _Saved:
    ok: bool
    complaint: str
    """What the page says is wrong; at most a line or two."""


def forms_off(run: RunSettings) -> tuple[Step, ...]:
    """Return what switches off which of the two isn't wanted."""
    off = [] if run.functions else [_FUNCTIONS]
    if run.functions or run.response_format is None:
        off.append(_SCHEMA)
    return tuple(attrs.evolve(step, value=False, asked=False) for step in off)


async def declare_functions(probe: Probe, functions: tuple[FunctionDeclaration, ...]) -> Mapping[str, str]:
    """Declare functions to the model; returns what the declarations had to leave out, as a refusal of `tools`.

    :raises Declined: the page has no functions for this model, or refuses these.
    :raises PageBroken: the page doesn't do what it should.
    """
    declarations: list[Json] = []
    lost: list[str] = []
    for function in functions:
        try:
            declaration, left_out = _declaration(function)
        except WireError as error:
            raise Declined(f"the function {function.name} can't be declared: {str(error).rstrip('.')}") from error
        declarations.append(declaration)
        if left_out:
            lost.append(f"{function.name} goes without {', '.join(left_out)}")
    [switch] = await apply(probe, [_FUNCTIONS])
    if not switch.same:
        why = "can't be switched on now" if switch.found else "are not offered for this model"
        raise Declined(f"functions {why} in AI Studio's page")
    saved = await _edit(probe, "function", declarations)
    if not saved.ok:
        raise Declined(f"AI Studio's page refuses the functions: {saved.complaint}")
    return {"tools": "; ".join(lost)} if lost else {}


async def hold_to_json(probe: Probe, form: ResponseFormat) -> Mapping[str, str]:
    """Have answers be JSON, by a schema if there is one; returns what couldn't be honoured of `response_format`.

    :raises PageBroken: the page doesn't do what it should.
    """
    refused = refusals([_SCHEMA], await apply(probe, [_SCHEMA]))
    if refused or form.schema is None:
        return refused
    try:
        fitted = dialog_schema(form.schema)
    except WireError as error:
        return {"response_format": f"{str(error).rstrip('.')}; JSON without a schema is asked for"}
    saved = await _edit(probe, "schema", fitted.schema)
    if not saved.ok:
        return {"response_format": f"the page refuses the schema: {saved.complaint}"}
    if fitted.left_out:
        return {"response_format": f"the schema goes without {', '.join(fitted.left_out)}"}
    return {}


def _declaration(function: FunctionDeclaration) -> tuple[dict[str, Json], tuple[str, ...]]:
    declaration = declare(function)
    head: dict[str, Json] = {"name": declaration.name, "description": declaration.description}
    if declaration.parameters is None:
        return head, declaration.left_out
    fitted = first_choices(declaration.parameters, declaration.left_out)
    return {**head, "parameters": fitted.schema}, fitted.left_out


async def _edit(probe: Probe, what: str, value: Json) -> _Saved:
    """Save a value in one of the editors: `function` or `schema`."""
    if not await probe.ask(bool, "press", part=PART, wait_s=_OPEN_S, element=f"{what}_edit"):
        raise PageBroken("The page does not let its JSON be edited.")
    await probe.ask(bool, "press", part=PART, wait_s=_OPEN_S, element="editor_tab", words="Code Editor")
    try:
        text = json.dumps(value, ensure_ascii=False, indent=2)
        fields = {f"{what}_text": text}
        if not await probe.ask(bool, "shown", wait_s=_OPEN_S, element=f"{what}_text") or not await probe.ask(
            bool, "fill", part=PART, slack_s=_OPEN_S, fields=fields
        ):
            raise PageBroken("The page's editor does not take JSON.")
        # Save stays disabled where the editor holds the same already.
        if not await probe.ask(bool, "press", part=PART, wait_s=_SAVE_S, element=f"{what}_save"):
            return _Saved(ok=True, complaint="")
        return await probe.ask(
            _Saved, "closes", part=PART, wait_s=_CLOSE_S, dialog=f"{what}_text", error=f"{what}_error"
        )
    finally:
        await _close(probe, what)


async def _close(probe: Probe, what: str) -> None:
    await probe.ask(bool, "press", part=PART, element=f"{what}_close")
    if not await probe.ask(bool, "hidden", wait_s=_CLOSE_S, element=f"{what}_text"):
        raise PageBroken("The page's editor does not close.")
