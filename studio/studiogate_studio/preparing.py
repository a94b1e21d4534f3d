"""Set a tab for an exchange's prompt, for backends that set the page instead of patching its request."""

import attrs

from studiogate.errors import Declined
from studiogate.exchange import Exchange
from studiogate.functions import CallMode
from studiogate.models import Model
from studiogate_studio.functions import PageFunctions, fit_functions
from studiogate_studio.run_settings import note_refused, run_settings_of
from studiogate_studio.tab import Tab


async def set_controls(exchange: Exchange, tab: Tab, model: Model | None) -> PageFunctions:
    """Set every control of the page; returns what was done about functions, through which the events go.

    Where functions can't be declared in the page, they are described as text. What was not honoured is noted in the
    exchange's parameters.

    :param model: the requested model as AI Studio lists it; None if it doesn't.
    :raises Declined: the page doesn't offer what the answer would be wrong without.
    :raises Unavailable: the page failed; nothing was sent.
    """
    asked = exchange.params
    functions = fit_functions(exchange, model, mixing=False)
    try:
        await _set(exchange, tab, model, functions)
    except Declined:
        if not functions.declared or exchange.call_mode is CallMode.NATIVE:
            raise
        exchange.params = asked
        functions = fit_functions(exchange, model, mixing=False, as_text=True)
        await _set(exchange, tab, model, functions)
    return functions


async def _set(exchange: Exchange, tab: Tab, model: Model | None, functions: PageFunctions) -> None:
    exchange.params = functions.params
    run = run_settings_of(exchange, model)
    system = functions.instruct(exchange.prompt.system) or ""
    run = attrs.evolve(run, functions=functions.declared, system_instruction=system)
    note_refused(exchange, await tab.set_run_settings(run))
