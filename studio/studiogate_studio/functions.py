"""A turn's functions on AI Studio: declared where the model can call them, as text where it can't.

For every backend that answers from the page: the declarations go into the request or into the page's dialog, the
instruction behind the system instruction, and the answer's events through `read`.

AI Studio declares functions and says nothing of how they are to be called; that is made by `studiogate.functions`.
Functions are declared where three things hold, and described as text elsewhere:

- the model can call functions, by the list of models;
- the upstream runs no tools of its own in the same turn: the page has no place for both, and models before Gemini 3,
  which are those without levels of thinking, refuse both together;
- the parameters can be described.

Who can't have both can't be held to JSON either while functions are declared, so JSON is asked for in words then.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

import attrs
import msgspec

from studiogate.errors import Declined, UpstreamFailed
from studiogate.events import Event, Finish, Media, TextDelta, ToolCall
from studiogate.exchange import Exchange
from studiogate.functions import IN_WORDS, CallMode, FunctionPlan, json_in_words, plan_functions
from studiogate.models import Model
from studiogate.params import Params, ResponseFormat
from studiogate.tools import FunctionDeclaration
from studiogate_studio.wire import Declaration, Json, WireError, declare, functions

_REPORTED = 3
"""Functions whose simplifications are told by name."""

_GARBLED = ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS")
"""What AI Studio calls the end of an answer whose calls it can't pass on."""


@attrs.frozen(kw_only=True)
class PageFunctions(FunctionPlan):
    """Say what a turn is given for the exchange's functions."""

    params: Params = attrs.field(factory=Params)
    """The exchange's, with notes on what the functions cost; these replace them."""
    declarations: Mapping[str, Declaration] = attrs.field(factory=dict[str, Declaration])
    """The functions as they can be declared, by the client's names: what their calls' arguments are put right by. All
    that are `declared` are among them."""

    @property
    def tool(self) -> Json:
        """Return the entry of a request's tools that declares the functions; None where none is declared."""
        return functions(list(self.declarations.values())) if self.declared else None

    async def read(self, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
        """Yield a turn's events with calls as the client has declared them; closes `events`.

        :raises UpstreamFailed: the model got its call wrong and said nothing else.
        """
        said = False
        names = {declaration.name: name for name, declaration in self.declarations.items()}
        async with aclosing(super().read(events)) as read:
            async for event in read:
                if isinstance(event, Finish) and not said:
                    _refuse_garbled(event)
                said = said or isinstance(event, (TextDelta, ToolCall, Media))
                yield self._restored(event, names) if isinstance(event, ToolCall) else event

    def _restored(self, call: ToolCall, names: Mapping[str, str]) -> ToolCall:
        name = names.get(call.name, call.name) if self.declared else call.name
        if name not in self.declarations:
            return call
        arguments = _restored_arguments(call.arguments, self.declarations[name])
        return attrs.evolve(call, name=name, arguments=arguments)


def fit_functions(exchange: Exchange, model: Model | None, *, mixing: bool, as_text: bool = False) -> PageFunctions:
    """Return what to do about an exchange's functions.

    :param model: the requested model as AI Studio lists it; None if it doesn't, which counts as one that can.
    :param mixing: whether functions can be declared beside AI Studio's own tools and a form of the answer.
    :param as_text: whether they are to be described as text whatever the model can; the operator's mode may say so too.
    :raises Declined: the operator wants functions to be declared, and these can't be.
    """
    plan = plan_functions(exchange.request, exchange.plan)
    if not plan.offered:
        return PageFunctions(params=exchange.params)
    declared: Mapping[str, Declaration] = {}
    if exchange.call_mode is not CallMode.EMULATED and not as_text:
        try:
            declared = _declarations(plan, exchange, model, mixing=mixing)
        except Declined:
            if exchange.call_mode is CallMode.NATIVE:
                raise
    if not declared:
        plan = plan_functions(exchange.request, exchange.plan, emulate=True)
    params, instruction = _reported(exchange.params, declared), plan.instruction
    if params.response_format is not None and not (declared and mixing):
        params = params.drop("response_format", IN_WORDS)
        form = exchange.request.params.response_format or ResponseFormat()
        instruction = f"{instruction}\n\n{json_in_words(form)}".lstrip()
    return PageFunctions(
        declared=plan.declared,
        described=plan.described,
        instruction=instruction,
        one_call=plan.one_call,
        params=params,
        declarations=declared or _declarable(plan.described),
    )


def mixes(model: Model | None) -> bool:
    """Tell whether a request may declare functions beside the upstream's own tools and a form of the answer."""
    return model is not None and model.thinking is not None and bool(model.thinking.levels)


def _declarations(
    plan: FunctionPlan, exchange: Exchange, model: Model | None, *, mixing: bool
) -> Mapping[str, Declaration]:
    """Return the declarations; raise `Declined` where there can be none."""
    if model is not None and model.functions is False:
        raise Declined(f"{model.id} can't call functions")
    if exchange.plan.switches and not mixing:
        raise Declined(f"functions can't be declared together with {', '.join(exchange.plan.switches)}")
    declarations: dict[str, Declaration] = {}
    for function in plan.declared:
        try:
            declarations[function.name] = declare(function)
        except WireError as error:
            reason = str(error).rstrip(".")
            raise Declined(f"the function {function.name} can't be declared: {reason}") from error
    return declarations


def _declarable(described: Sequence[FunctionDeclaration]) -> Mapping[str, Declaration]:
    """Return the declarations of those functions that have one."""
    declarations: dict[str, Declaration] = {}
    for function in described:
        with suppress(WireError):
            declarations[function.name] = declare(function)
    return declarations


def _reported(params: Params, declarations: Mapping[str, Declaration]) -> Params:
    """Return parameters with a note on what the declarations leave out."""
    lossy = {name: declaration.left_out for name, declaration in declarations.items() if declaration.left_out}
    if not lossy:
        return params
    told = [f"{name} goes without {', '.join(what)}" for name, what in list(lossy.items())[:_REPORTED]]
    more = [f"{len(lossy) - _REPORTED} more functions are simplified"] if len(lossy) > _REPORTED else []
    return params.note("tools", "; ".join([*told, *more]))


def _refuse_garbled(end: Finish) -> None:
    """Refuse an answer that would have been a call: an empty one would be taken for the model's last word."""
    name = (end.message or "").partition(":")[0]
    if name in _GARBLED:
        raise UpstreamFailed(f"The model made a function call that AI Studio could not read ({name}). Ask again.")


def _restored_arguments(arguments: str, declaration: Declaration) -> str:
    try:
        value: dict[str, Json] = msgspec.json.decode(arguments, type=dict[str, Any])
    except msgspec.DecodeError:
        # A helper's words, which may be anything.
        return arguments
    restored = declaration.restore(value)
    encoded = msgspec.json.encode(restored)
    # What needs no change stays to the letter.
    return arguments if encoded == msgspec.json.encode(value) else encoded.decode()
