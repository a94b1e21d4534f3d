"""Function calling with the official client: declarations in, calls out, results in the next turn."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from openai.types.chat import ChatCompletionMessage

from .house import Gateway, Simulator, deltas


def function(name: str, description: str = "", **properties: Any) -> Any:
    """Declare a function whose parameters are all required."""
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


WEATHER = function("get_weather", "Tell the weather.", city={"type": "string"}, days={"type": "integer"})
ADD = function("add", "Add numbers.", numbers={"type": "array", "items": {"type": "number"}})
TOOLS = [WEATHER, ADD]
ROME = {"name": "get_weather", "args": {"city": "Róma «1»\n", "days": 2}}
SUM = {"name": "add", "args": {"numbers": [1, 2.5, -3]}}
PICK: Any = {"type": "function", "function": {"name": "add"}}

pytestmark = pytest.mark.timeout(180)

type Ask = Callable[[Gateway, list[Any]], tuple[Any, str]]


@pytest.fixture
def gateway(each_tier: Gateway) -> Gateway:
    """Return a gateway of each tier."""
    return each_tier


def whole(gateway: Gateway, messages: list[Any]) -> tuple[Any, str]:
    """Ask for a whole answer; return its message, as the client would send it back, and its finish reason."""
    choice = gateway.client.chat.completions.create(model="gemini-2.5-flash", messages=messages, tools=TOOLS).choices[0]
    return choice.message.model_dump(exclude_none=True), choice.finish_reason


def streamed(gateway: Gateway, messages: list[Any], model: str = "gemini-2.5-flash") -> tuple[Any, str]:
    """Ask for a stream and put the message together, as clients do."""
    with gateway.client.chat.completions.stream(model=model, messages=messages, tools=TOOLS) as stream:
        choice = stream.get_final_completion().choices[0]
    message = ChatCompletionMessage.model_validate(choice.message.model_dump())
    return message.model_dump(exclude_none=True), choice.finish_reason


@pytest.mark.parametrize("ask", [whole, streamed])
def test_a_loop_of_two_functions(gateway: Gateway, simulator: Simulator, ask: Ask) -> None:
    """Parallel calls, their results, the answer; the model sees every call and result with its id."""
    simulator.play(when="result of", text=["It is ", "0.5 and sunny."])
    simulator.play(text=["Let me look."], calls=[ROME, SUM, ROME])
    conversation: list[Any] = [{"role": "user", "content": "Weather and sum?"}]

    message, finish = ask(gateway, conversation)
    calls = message["tool_calls"]
    results = ["sunny", "0.5", "still sunny"]
    conversation += [
        message,
        *(
            {"role": "tool", "tool_call_id": call["id"], "content": result}
            for call, result in zip(calls, results, strict=True)
        ),
    ]
    answer, end = ask(gateway, conversation)

    assert (finish, end) == ("tool_calls", "stop")
    assert message["content"] == "Let me look."
    assert [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls] == [
        (each["name"], each["args"]) for each in (ROME, SUM, ROME)
    ]
    assert len({call["id"] for call in calls}) == 3
    assert answer["content"] == "It is 0.5 and sunny."
    asked, told = simulator.log()
    assert asked["tools"] == told["tools"]
    for call, result in zip(calls, results, strict=True):
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        assert f"### assistant calls {name}, {call['id']}\n{arguments}\n" in told["prompt"]
        assert f"result of {call['id']}\n{result}" in told["prompt"]
    assert "never by writing such a turn" in told["system"]


def test_declarations_arrive(gateway: Gateway, simulator: Simulator) -> None:
    """As the client wrote them, in one entry, and nothing besides."""
    assert gateway.ask("Which?", tools=TOOLS).status_code == 200

    turn = simulator.turn("Which?")
    (tool,) = turn["tools"]
    assert [each["name"] for each in tool["function_declarations"]] == ["get_weather", "add"]
    weather = tool["function_declarations"][0]
    assert weather["description"] == "Tell the weather."
    weather["parameters"].pop("propertyOrdering", None)
    assert weather["parameters"] == WEATHER["function"]["parameters"]
    assert turn["system"] is None


def test_a_stream_of_calls_is_openais(gateway: Gateway, simulator: Simulator) -> None:
    """Each call opens with id and name, then come its arguments, under its index."""
    simulator.play(calls=[ROME, SUM])

    with gateway.streaming("Both?", tools=TOOLS) as response:
        chunks = [chunk["choices"][0] for chunk in deltas(response)]

    calls = [call for chunk in chunks for call in chunk["delta"].get("tool_calls", ())]
    assert [call["index"] for call in calls] == [0, 0, 1, 1]
    assert [call["function"].get("name") for call in calls] == ["get_weather", None, "add", None]
    assert json.loads(calls[3]["function"]["arguments"]) == SUM["args"]
    assert chunks[-1]["finish_reason"] == "tool_calls"


CHOICES: list[tuple[Any, list[str], str]] = [
    ("auto", ["get_weather", "add"], ""),
    ("none", [], ""),
    ("required", ["get_weather", "add"], "must call at least one of the functions"),
    (PICK, ["add"], "must call the function add"),
]


@pytest.mark.parametrize(("choice", "declared", "said"), CHOICES)
def test_the_choice_of_tools(
    gateway: Gateway, simulator: Simulator, choice: Any, declared: list[str], said: str
) -> None:
    """AI Studio has no switch for it, so it is made of what is declared and of the system instruction."""
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Choose"}]
    response = gateway.ask("", messages=messages, tools=TOOLS, tool_choice=choice)

    assert response.status_code == 200
    turn = simulator.turn("Choose")
    assert _declared(turn["tools"]) == declared
    assert turn["system"].startswith("Be brief.")
    assert said in turn["system"]
    assert turn["system"] == "Be brief." or said


def test_one_call_at_a_time(gateway: Gateway, simulator: Simulator) -> None:
    """The model is told, and what it calls besides is dropped; nothing is left to report."""
    simulator.play(calls=[ROME, SUM])

    response = gateway.ask("One", tools=TOOLS, parallel_tool_calls=False)

    calls = response.json()["choices"][0]["message"]["tool_calls"]
    assert [call["function"]["name"] for call in calls] == ["get_weather"]
    assert "at most one" in simulator.turn("One")["system"]
    assert "x-studiogate-ignored" not in response.headers


@pytest.mark.parametrize("stream", [False, True])
def test_the_older_form(gateway: Gateway, simulator: Simulator, *, stream: bool) -> None:
    """`functions` in, one `function_call` out, its result as a `function` message."""
    simulator.play(when="result of", text=["Sunny."])
    simulator.play(calls=[ROME, SUM])
    fields: dict[str, Any] = {"functions": [tool["function"] for tool in TOOLS], "function_call": "auto"}
    fields |= {"model": "gemini-2.5-flash"}
    conversation: list[Any] = [{"role": "user", "content": "Old"}]

    choice = _legacy(gateway, conversation, stream=stream, **fields)
    conversation += [choice["message"], {"role": "function", "name": "get_weather", "content": "sunny"}]
    end = _legacy(gateway, conversation, stream=stream, **fields)

    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"]["name"] == "get_weather"
    assert json.loads(choice["message"]["function_call"]["arguments"]) == ROME["args"]
    assert (end["message"]["content"], end["finish_reason"]) == ("Sunny.", "stop")


def test_what_a_declaration_leaves_out_is_reported(gateway: Gateway, simulator: Simulator) -> None:
    """And what was asked for as JSON in a text comes back as what was declared."""
    odd = function("note", body={"type": "object"}, mail={"type": "string", "format": "email"})
    simulator.play(calls=[{"name": "note", "args": {"body": '{"a": [1]}', "mail": "a@b"}}])

    response = gateway.ask("Odd", tools=[odd])

    (call,) = response.json()["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"body": {"a": [1]}, "mail": "a@b"}
    assert "tools: note goes without" in response.headers["x-studiogate-ignored"]
    assert "format email" in response.headers["x-studiogate-ignored"]


BLOCK = ["Let me look.\n\n```func", 'tion_call\n{"name": "add", "arguments"', ': {"numbers": [1]}}\n``', "`\n"]


def test_a_model_without_calls_writes_them(gateway: Gateway, simulator: Simulator) -> None:
    """The functions are described, nothing is declared, and blocks of the answer become calls."""
    simulator.play(text=BLOCK)

    (choice,) = gateway.ask("Text", tools=TOOLS, model="gemma-3-27b-it").json()["choices"]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == "Let me look."
    (call,) = choice["message"]["tool_calls"]
    assert call["function"] == {"name": "add", "arguments": '{"numbers":[1]}'}
    turn = simulator.turn("Text")
    assert turn["tools"] == []
    assert json.dumps(ADD["function"]["parameters"]) in turn["system"]


@pytest.mark.parametrize(("model", "able"), [("gemini-2.5-flash", False), ("gemini-3-pro-preview", True)])
def test_functions_beside_a_search(gateway: Gateway, simulator: Simulator, model: str, *, able: bool) -> None:
    """On the wire newer models have both; elsewhere, where it would be refused, the functions are described as text."""
    response = gateway.ask("Both", tools=[*TOOLS, {"google_search": {}}], model=model)

    assert response.status_code == 200
    both = able and response.headers["x-studiogate-backend"] == "stream_intercept"
    turn = simulator.turn("Both")
    assert _declared(turn["tools"]) == (["get_weather", "add"] if both else [])
    assert {"google_search": {}} in turn["tools"]
    assert ("function_call" in (turn["system"] or "")) is not both


def test_functions_beside_json(gateway: Gateway, simulator: Simulator) -> None:
    """A model that can't be held to JSON and call functions is asked for JSON in words, and the client is told."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}

    response = gateway.ask("Json", tools=TOOLS, response_format=form)

    assert response.status_code == 200
    assert "response_format: asked for in words" in response.headers["x-studiogate-ignored"]
    assert json.dumps(schema, separators=(",", ":")) in simulator.turn("Json")["system"]


def test_a_call_that_went_wrong(gateway: Gateway, simulator: Simulator) -> None:
    """AI Studio drops it; the client is told, since an empty answer would be taken for the last word."""
    simulator.play(thoughts=["Hm."], finish=10)

    response = gateway.ask("Wrong", tools=TOOLS)

    assert response.status_code == 502
    assert "MALFORMED_FUNCTION_CALL" in response.json()["error"]["message"]
    assert len(simulator.log()) == 1


def test_a_loop_of_calls_as_text(gateway: Gateway, simulator: Simulator) -> None:
    """The same loop, streamed, with a model that can't call by itself."""
    simulator.play(when="result of", text=["Done."])
    simulator.play(text=BLOCK)
    conversation: list[Any] = [{"role": "user", "content": "Add"}]

    message, finish = streamed(gateway, conversation, "gemma-3-27b-it")
    (call,) = message["tool_calls"]
    conversation += [message, {"role": "tool", "tool_call_id": call["id"], "content": "1"}]
    answer, end = streamed(gateway, conversation, "gemma-3-27b-it")

    assert (finish, end) == ("tool_calls", "stop")
    assert (message["content"], answer["content"]) == ("Let me look.", "Done.")
    assert json.loads(call["function"]["arguments"]) == {"numbers": [1]}
    assert [turn["tools"] for turn in simulator.log()] == [[], []]


def _declared(tools: Iterable[Any]) -> list[str]:
    return [each["name"] for tool in tools for each in tool.get("function_declarations", ())]


def _legacy(gateway: Gateway, messages: list[Any], *, stream: bool, **fields: Any) -> Any:
    """Ask in the older form; return the choice, put together where it was streamed."""
    if not stream:
        return gateway.ask("", messages=messages, **fields).json()["choices"][0]
    call, text, finish = {"name": "", "arguments": ""}, "", None
    chunks: Any = gateway.client.chat.completions.create(messages=messages, stream=True, **fields)
    for chunk in chunks:
        (choice,) = chunk.choices
        text += choice.delta.content or ""
        if choice.delta.function_call:
            call["name"] += choice.delta.function_call.name or ""
            call["arguments"] += choice.delta.function_call.arguments or ""
        finish = choice.finish_reason or finish
    message = {"role": "assistant", "content": text, "function_call": call if call["name"] else None}
    return {"message": message, "finish_reason": finish}
