"""What an exchange wants of the page."""

from typing import Any

import attrs

from studiogate.chat import ChatRequest
from studiogate.exchange import Exchange
from studiogate.models import Model, Thinking
from studiogate.params import Params, ResponseFormat
from studiogate.prompt import Prompt
from studiogate.thinking import ThinkingChoice
from studiogate.tools import FunctionDeclaration, ToolPlan
from studiogate_studio.run_settings import RunSettings, note_refused, run_settings_of

MODEL = Model(
    id="m",
    display_name="The M",
    default_temperature=0.9,
    default_top_p=0.8,
    output_token_limit=100,
    thinking=Thinking(levels=("low", "high"), default_level="high"),
)


def exchange(**fields: Any) -> Exchange:
    """Return an exchange that asks for nothing but a model, but for the given fields."""
    request = ChatRequest(model="m", messages=(), params=fields.get("params", Params()))
    given: dict[str, Any] = {"prompt": Prompt(system=None, text="Hi", attachments=()), "model": MODEL, **fields}
    return Exchange(id="req_1", request=request, deadline=0, **given)


def test_what_is_left_open_is_the_models_default() -> None:
    """So that nothing somebody else has set in the page counts."""
    assert run_settings_of(exchange(), MODEL) == RunSettings(
        model="m",
        model_title="The M",
        temperature=0.9,
        top_p=0.8,
        max_tokens=100,
        thinking=ThinkingChoice(level="high"),
    )


def test_a_model_that_is_not_listed_has_no_known_defaults() -> None:
    """What is known of it is its id; the page is left as it is."""
    assert run_settings_of(exchange(model=attrs.evolve(MODEL, id="other")), None) == RunSettings(model="other")
    assert run_settings_of(exchange(model=None), None) == RunSettings()


def test_all_that_a_request_asks_for() -> None:
    """Each has its field."""
    function = FunctionDeclaration(name="now")
    params = Params(
        temperature=0.0,
        top_p=0.5,
        max_tokens=5,
        stop=("a", "b", "a"),
        thinking=ThinkingChoice(budget=0),
        response_format=ResponseFormat(),
    )
    plan = ToolPlan(switches={"google_search": {}, "url_context": {}, "code_execution": {}}, functions=(function,))
    prompt = Prompt(system="Rhyme.", text="Hi", attachments=())

    assert run_settings_of(exchange(params=params, plan=plan, prompt=prompt), MODEL) == RunSettings(
        model="m",
        model_title="The M",
        system_instruction="Rhyme.",
        temperature=0.0,
        top_p=0.5,
        max_tokens=5,
        stop=("a", "b"),
        thinking=ThinkingChoice(budget=0),
        search=True,
        url_context=True,
        code_execution=True,
        functions=(function,),
        response_format=ResponseFormat(),
    )


def test_what_the_page_refused_is_reported_where_it_was_asked_for() -> None:
    """A default that the page has no control for is no news."""
    asking = exchange(params=Params(temperature=0.5, ignored={"logit_bias": "gone", "tools": "less"}))

    note_refused(asking, {"temperature": "no control", "top_p": "no control", "google_search": "off", "tools": "fewer"})

    assert asking.params.ignored == {
        "logit_bias": "gone",
        "tools": "less; fewer",
        "temperature": "no control",
        "google_search": "off",
    }
