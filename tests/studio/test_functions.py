import json
from collections.abc import AsyncGenerator
from typing import Any

import attrs
import pytest

from studiogate.chat import ChatRequest, Message, Role
from studiogate.errors import Declined, UpstreamFailed
from studiogate.events import Event, Finish, FinishReason, TextDelta, ThoughtDelta, ToolCall
from studiogate.exchange import Exchange
from studiogate.functions import CallMode
from studiogate.models import Model, Thinking
from studiogate.params import Params, ResponseFormat
from studiogate.prompt import build_prompt
from studiogate.tools import FunctionDeclaration, ToolPlan
from studiogate_studio.functions import PageFunctions, fit_functions, mixes

OLD = Model(id="old", display_name="Old", functions=True, thinking=Thinking(max_budget=9))
NEW = Model(id="new", display_name="New", functions=True, thinking=Thinking(levels=("low", "high")))
UNABLE = Model(id="unable", display_name="Unable", functions=False)

A: Any = {"type": "object", "properties": {"a": {"type": "object"}, "b": {"type": "string", "format": "email"}}}
LOOK = FunctionDeclaration(name="look", description="Look.", parameters=A)
NOW = FunctionDeclaration(name="now")
ODD = FunctionDeclaration(name="1st")
HOPELESS = FunctionDeclaration(name="hopeless", parameters={"type": "string"})
SCHEMA: Any = {"type": "object", "properties": {"x": {"type": "integer"}}}
STOP = Finish(reason=FinishReason.STOP)


def fitted(
    *functions: FunctionDeclaration,
    model: Model | None = OLD,
    mode: CallMode = CallMode.AUTO,
    search: bool = False,
    as_text: bool = False,
    params: Params | None = None,
    **fields: Any,
) -> PageFunctions:
    """Fit functions to a model."""
    messages, params = (Message(role=Role.USER, text="Hi"),), params or Params()
    request = ChatRequest(messages=messages, params=params, **fields)
    exchange = Exchange(
        id="req_0",
        request=request,
        prompt=build_prompt(messages),
        deadline=float("inf"),
        params=params,
        plan=ToolPlan(functions=functions, switches={"google_search": {}} if search else {}),
        call_mode=mode,
    )
    return fit_functions(exchange, model, mixing=mixes(model), as_text=as_text)


async def read(functions: PageFunctions, *events: Event) -> list[Event]:
    """Read a turn's events."""

    async def said() -> AsyncGenerator[Event]:
        for event in events:
            yield event

    return [event async for event in functions.read(said())]


def test_nothing_to_call() -> None:
    """Nothing is declared, said or reported."""
    functions = fitted()

    assert (functions.tool, functions.instruction, functions.params) == (None, "", Params())
    assert functions.instruct("Be brief.") == "Be brief."


@pytest.mark.parametrize("model", [OLD, NEW, None, attrs.evolve(OLD, functions=None)])
def test_functions_are_declared(model: Model | None) -> None:
    """Where the model can call them, or nobody says that it can't."""
    functions = fitted(LOOK, NOW, model=model)

    assert list(functions.declarations) == ["look", "now"]
    assert functions.tool is not None
    assert functions.instruction == ""


def test_what_declarations_leave_out_is_reported() -> None:
    """By the name of each function, of the first few."""
    many = [attrs.evolve(LOOK, name=f"f{number}") for number in range(5)]

    assert fitted(LOOK, NOW).params.ignored == {
        "tools": "look goes without objects without properties, asked for as JSON in a text, format email"
    }
    assert fitted(*many).params.ignored["tools"].endswith("; 2 more functions are simplified")
    assert "f2 goes" in fitted(*many).params.ignored["tools"]


@pytest.mark.parametrize(
    ("model", "search", "function", "reason"),
    [
        (UNABLE, False, LOOK, "unable can't call functions"),
        (OLD, True, LOOK, "together with google_search"),
        (None, True, LOOK, "together with google_search"),
        (OLD, False, HOPELESS, "function hopeless can't be declared: The parameters of a function must be an object"),
    ],
)
def test_what_can_not_be_declared_is_described(
    model: Model | None, function: FunctionDeclaration, reason: str, *, search: bool
) -> None:
    """As text, with nothing left out; unless the operator wants declarations only."""
    functions = fitted(NOW, function, model=model, search=search)

    assert functions.tool is None
    assert f'"name": "{function.name}"' in functions.instruction
    assert functions.params.ignored == {}
    with pytest.raises(Declined, match=reason):
        fitted(NOW, function, model=model, search=search, mode=CallMode.NATIVE)


def test_newer_models_search_and_call() -> None:
    """Both at once."""
    assert fitted(LOOK, model=NEW, search=True).tool is not None


@pytest.mark.parametrize("why", [{"mode": CallMode.EMULATED}, {"as_text": True}])
def test_the_operator_or_the_page_may_want_text(why: dict[str, Any]) -> None:
    """Whatever the model can."""
    functions = fitted(LOOK, **why)

    assert functions.tool is None
    assert json.dumps(A) in functions.instruction


@pytest.mark.parametrize(("model", "mode"), [(OLD, CallMode.AUTO), (UNABLE, CallMode.AUTO), (NEW, CallMode.EMULATED)])
def test_json_is_asked_for_in_words_beside_functions(model: Model, mode: CallMode) -> None:
    """A model that is held to JSON couldn't call; what the client asked for is told in full, and reported."""
    form = ResponseFormat(schema=SCHEMA)
    functions = fitted(NOW, model=model, mode=mode, params=Params(response_format=form))

    assert functions.params.response_format is None
    assert "in words" in functions.params.ignored["response_format"]
    assert json.dumps(SCHEMA, separators=(",", ":")) in functions.instruction


def test_any_json_beside_functions() -> None:
    """Without a schema there is none to tell."""
    functions = fitted(NOW, params=Params(response_format=ResponseFormat()))

    assert functions.instruction.endswith("without a fence around it.")


def test_newer_models_answer_in_json_and_call() -> None:
    """And so does any model whose client has no functions."""
    params = Params(response_format=ResponseFormat(schema=SCHEMA))

    assert fitted(NOW, model=NEW, params=params).params == params
    assert fitted(params=params).params == params


async def test_calls_come_back_as_declared() -> None:
    """By the client's names and with arguments of its types; what needs no change stays to the letter."""
    calls = [
        ToolCall(id="1", name="look", arguments='{"a":"{\\"x\\": [1]}","b":"{}"}'),
        ToolCall(id="2", name="_1st", arguments='{ "any":"{}"}'),
        ToolCall(id="3", name="unheard-of", arguments="{}"),
    ]

    assert await read(fitted(LOOK, ODD), *calls, STOP) == [
        ToolCall(id="1", name="look", arguments='{"a":{"x":[1]},"b":"{}"}'),
        ToolCall(id="2", name="1st", arguments='{ "any":"{}"}'),
        calls[2],
        Finish(reason=FinishReason.TOOL_CALLS),
    ]


GARBLED = Finish(reason=FinishReason.STOP, message="MALFORMED_FUNCTION_CALL: print(look())")


@pytest.mark.parametrize("functions", [(), (LOOK,)])
async def test_a_call_that_went_wrong_is_no_empty_answer(functions: tuple[FunctionDeclaration, ...]) -> None:
    """Agents would take it for the last word; as an error it is tried again. What the model wrote isn't repeated."""
    with pytest.raises(UpstreamFailed, match=r"could not read \(MALFORMED_FUNCTION_CALL\)"):
        await read(fitted(*functions), ThoughtDelta(text="Hm."), GARBLED)


async def test_what_was_said_before_a_call_went_wrong_stands() -> None:
    """Part of an answer is better than none."""
    said = TextDelta(text="Wait.")

    assert await read(fitted(LOOK), said, GARBLED) == [said, GARBLED]


async def test_arguments_in_text_are_put_right_too() -> None:
    """Models that write calls mistake types more often than those that make them."""
    block = '```function_call\n{"name": "look", "arguments": {"a": "{}", "b": 7}}\n```'
    odd = '```function_call\n{"name": "hopeless", "arguments": {"a": "{}"}}\n```'
    events = await read(fitted(LOOK, HOPELESS), TextDelta(text=f"{block}\n{odd}"), STOP)

    assert [event.arguments for event in events if isinstance(event, ToolCall)] == ['{"a":{},"b":"7"}', '{"a":"{}"}']


async def test_calls_are_read_out_of_text() -> None:
    """Where functions are described."""
    block = '```function_call\n{"name": "now", "arguments": {}}\n```'
    events = await read(fitted(NOW, model=UNABLE), TextDelta(text=block), STOP)

    assert [type(event) for event in events] == [ToolCall, Finish]
