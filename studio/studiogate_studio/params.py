"""What clients ask of the sampling, fitted to a model of AI Studio: for every backend that answers from the page.

Pure, so a backend's `apply_params` is this and nothing else. Whatever comes out other than asked is noted with a reason
that tells what is used instead. Parameters that nobody here knows are left for the gateway to report.
"""

import attrs

from studiogate.functions import PARALLEL
from studiogate.models import Model
from studiogate.params import INT32, Params
from studiogate.thinking import ThinkingChoice, fit_effort
from studiogate_studio.wire import WireError, simplify_schema


def fit(params: Params, model: Model | None) -> Params:
    """Return parameters that the model takes: `thinking` is set; output limit, seed and schema are possible ones.

    `parallel_tool_calls` is taken, as `functions.py` honours it.

    :param model: None while no plugin lists models.
    """
    params = params.take(PARALLEL)[1]
    return _fit_schema(_fit_seed(_fit_limit(_fit_thinking(params, model), model)))


def _fit_thinking(params: Params, model: Model | None) -> Params:
    effort = params.reasoning_effort
    if effort is None:
        # The page says so, too, of a model that thinks only when it is told to.
        idle = model is not None and model.thinking is not None and model.thinking.off_by_default
        return attrs.evolve(params, thinking=ThinkingChoice(budget=0)) if idle else params
    fitted = fit_effort(effort, model)
    params = attrs.evolve(params, thinking=fitted.choice)
    if fitted.reason is None:
        return params
    if fitted.choice is None:
        return params.drop("reasoning_effort", fitted.reason)
    return params.note("reasoning_effort", fitted.reason)


def _fit_limit(params: Params, model: Model | None) -> Params:
    most = model.output_token_limit if model else None
    if model is None or most is None or params.max_tokens is None or params.max_tokens <= most:
        return params
    noted = params.note("max_tokens", f"{params.max_tokens} is more than {model.id} gives; {most} used")
    return attrs.evolve(noted, max_tokens=most)


def _fit_seed(params: Params) -> Params:
    if params.seed is None or -INT32 - 1 <= params.seed <= INT32:
        return params
    return params.drop("seed", "AI Studio takes seeds of 32 bits only; a new one used")


def _fit_schema(params: Params) -> Params:
    form = params.response_format
    if form is None or form.schema is None:
        return params
    if not form.schema:
        return attrs.evolve(params, response_format=attrs.evolve(form, schema=None))
    try:
        simplified = simplify_schema(form.schema)
    except WireError as error:
        noted = params.note("response_format", f"{str(error).rstrip('.')}; JSON without a schema is asked for")
        return attrs.evolve(noted, response_format=attrs.evolve(form, schema=None))
    if simplified.left_out:
        params = params.note("response_format", f"the schema goes without {', '.join(simplified.left_out)}")
    about = {"description": form.description} if form.description else {}
    return attrs.evolve(params, response_format=attrs.evolve(form, schema={**about, **simplified.schema}))
