"""What one exchange wants of the page's run settings: for backends that set the page instead of patching its request.

Everything has a value here, the model's default where the request has none, since the page may still hold what somebody
set before. `Tab.set_run_settings` sets it all and tells what the page refused, `note_refused` has that reported.
"""

from collections.abc import Mapping

import attrs

from studiogate.defaults import forget_unasked
from studiogate.exchange import Exchange
from studiogate.models import Model
from studiogate.params import ResponseFormat
from studiogate.thinking import ThinkingChoice
from studiogate.tools import FunctionDeclaration
from studiogate_studio.detail import media_resolution


@attrs.frozen(kw_only=True)
class RunSettings:
    """Say how the page is to be set for one prompt. Where a field is None, the page is left as it is."""

    model: str | None = None
    """The model's id, without `models/`."""
    model_title: str | None = None
    """What the page calls it, for pages that don't show ids; None where AI Studio doesn't list it."""
    system_instruction: str = ""
    """Empty for none."""
    temperature: float | None = None
    """0 to 2."""
    top_p: float | None = None
    """0 to 1."""
    max_tokens: int | None = None
    """Output limit in tokens, at least 1."""
    stop: tuple[str, ...] = ()
    """Sequences that end the answer."""
    thinking: ThinkingChoice | None = None
    """None leaves it to the model, where that can be set."""
    search: bool = False
    """Whether the model may search the web; the page's own default is that it may."""
    url_context: bool = False
    """Whether it may read the addresses in the prompt."""
    code_execution: bool = False
    """Whether it may run code."""
    functions: tuple[FunctionDeclaration, ...] = ()
    """Declared to the model."""
    response_format: ResponseFormat | None = None
    """None for plain text; a schema is one that `simplify_schema` made."""
    media_resolution: str = ""
    """low, medium or high; empty leaves it to the model."""


def run_settings_of(exchange: Exchange, model: Model | None) -> RunSettings:
    """Return what an exchange wants, its parameters as `studiogate_studio.params.fit` made them.

    :param model: the requested model as AI Studio lists it; None if it doesn't. What the request leaves open is then
        left as the page has it.
    """
    params, switches = exchange.params, exchange.plan.switches
    defaults = model or Model(id="", display_name="")
    return RunSettings(
        model=exchange.model.id if exchange.model else None,
        model_title=model.display_name if model else None,
        system_instruction=exchange.prompt.system or "",
        temperature=_first(params.temperature, defaults.default_temperature),
        top_p=_first(params.top_p, defaults.default_top_p),
        max_tokens=_first(params.max_tokens, defaults.output_token_limit),
        stop=tuple(dict.fromkeys(params.stop)),
        thinking=params.thinking or _default_level(defaults),
        search="google_search" in switches,
        url_context="url_context" in switches,
        code_execution="code_execution" in switches,
        functions=exchange.plan.functions,
        response_format=params.response_format,
        media_resolution=media_resolution(exchange.request.attachments, model),
    )


def note_refused(exchange: Exchange, refused: Mapping[str, str]) -> None:
    """Have what the page refused reported with the answer, as far as the client asked for it, beside what is known.

    :param refused: name of the parameter -> reason, as `Tab.set_run_settings` returns it.
    """
    params = exchange.params
    for name, reason in refused.items():
        known = params.ignored.get(name)
        params = params.note(name, f"{known}; {reason}" if known else reason)
    exchange.params = forget_unasked(params, exchange.request.params)


def _default_level(model: Model) -> ThinkingChoice | None:
    """Return the level that the model thinks at by itself: a select in the page has no other way to say so."""
    level = model.thinking.default_level if model.thinking else None
    return ThinkingChoice(level=level) if level else None


def _first[T](value: T | None, default: T | None) -> T | None:
    return default if value is None else value
