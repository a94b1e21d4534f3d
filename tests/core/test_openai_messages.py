import json
from typing import Any

import pytest

from studiogate.chat import Message, RequestedCall, Role
from studiogate.errors import InvalidRequest

from .test_openai_request import HELLO, parsed


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("system", Role.SYSTEM),
        ("developer", Role.SYSTEM),
        ("user", Role.USER),
        ("assistant", Role.ASSISTANT),
        ("tool", Role.TOOL),
        ("function", Role.TOOL),
    ],
)
def test_every_role_is_known(name: str, role: Role) -> None:
    """OpenAI's newer and older names for a role mean the same."""
    first, _ = parsed(messages=[{"role": name, "content": "x"}, *HELLO]).messages

    assert first.role is role


def test_tool_calls_and_results_keep_their_ids() -> None:
    """Earlier calls and their results come back as they were."""
    _, asked, told = parsed(
        messages=[
            *HELLO,
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
            ]},
            {"role": "tool", "tool_call_id": "c1", "name": "f", "content": "2"},
        ]
    ).messages  # fmt: skip

    assert asked == Message(role=Role.ASSISTANT, tool_calls=(RequestedCall(id="c1", name="f", arguments='{"a": 1}'),))
    assert told == Message(role=Role.TOOL, text="2", name="f", tool_call_id="c1")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"a": 1}', '{"a": 1}'),
        (' {"a":1} ', ' {"a":1} '),
        ({"a": [1, "é"]}, '{"a":[1,"é"]}'),
        ({}, "{}"),
        ("", "{}"),
        (None, "{}"),
    ],
)
def test_arguments_are_an_object_as_text(arguments: Any, text: str) -> None:
    """A client that sends the object itself, or nothing for nothing, is understood."""
    (call,) = asked([{"id": "c", "function": {"name": "f", "arguments": arguments}}]).tool_calls

    assert call.arguments == text


def asked(calls: Any) -> Message:
    """Parse a message in which the assistant calls tools."""
    return parsed(messages=[{"role": "assistant", "tool_calls": calls}]).messages[0]


CALL: dict[str, Any] = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


WRONG_ARGUMENTS: tuple[Any, ...] = (1, [], "x", "[]", "null", "{", '{"a": NaN}', "[" * 100_000, '"' + "x" * 10)
WRONG_CALLS: list[tuple[Any, str, str]] = [
    (1, "", "must be an object, not 1"),
    ({**CALL, "id": None}, ".id", "must be a string, not null"),
    ({"function": {"name": "f"}}, ".id", "is required"),
    ({**CALL, "type": "custom"}, ".type", "must be one of function"),
    ({"id": "c"}, ".function", "is required"),
    ({"id": "c", "function": {}}, ".function.name", "is required"),
    ({"id": "c", "function": {"name": 1}}, ".function.name", "must be a string, not 1"),
    *(
        ({"id": "c", "function": {"name": "f", "arguments": wrong}}, ".function.arguments", "a JSON object")
        for wrong in WRONG_ARGUMENTS
    ),
]
"""A call, the wrong place in it, and what is said of that."""


@pytest.mark.parametrize(("call", "place", "words"), WRONG_CALLS)
def test_a_wrong_call_is_refused_by_its_place(call: Any, place: str, words: str) -> None:
    """A conversation that its own client garbled is not passed on."""
    with pytest.raises(InvalidRequest) as refusal:
        asked([CALL, call])

    assert refusal.value.param == f"messages[0].tool_calls[1]{place}"
    assert words in refusal.value.message


def test_the_older_form_of_a_call_gets_an_id() -> None:
    """`function_call` and the role `function` know names only; plugins see calls and results that belong together."""
    call = {"name": "f", "arguments": "{}"}
    messages = parsed(
        messages=[
            *HELLO,
            {"role": "assistant", "content": None, "function_call": call},
            {"role": "function", "name": "f", "content": "1"},
            {"role": "assistant", "function_call": call},
            {"role": "function", "name": "f", "content": "2"},
            {"role": "function", "name": "g", "content": "3"},
        ]
    ).messages

    assert messages[1].tool_calls == (RequestedCall(id="call_1", name="f", arguments="{}"),)
    assert [message.tool_call_id for message in messages] == [None, None, "call_1", None, "call_3", None]


@pytest.mark.parametrize(
    ("message", "place", "words"),
    [
        (1, "", "must be an object, not 1"),
        ({"content": "x"}, ".role", "is required"),
        ({"role": "x"}, ".role", "must be one of system, developer, user, assistant, tool, function"),
        ({"role": 1}, ".role", "must be one of system, developer, user"),
        ({"role": "User"}, ".role", "must be one of system, developer, user"),
        ({"role": "user", "name": 1}, ".name", "must be a string, not 1"),
        ({"role": "user", "tool_calls": [CALL]}, ".tool_calls", "belongs to messages of the role assistant"),
        (
            {"role": "tool", "function_call": {"name": "f"}},
            ".function_call",
            "belongs to messages of the role assistant",
        ),
        ({"role": "assistant", "tool_calls": {}}, ".tool_calls", "must be a list, not an object"),
        ({"role": "tool", "tool_call_id": 1, "content": "x"}, ".tool_call_id", "must be a string, not 1"),
        ({"role": "user", "tool_call_id": "c"}, ".tool_call_id", "belongs to messages of the role tool"),
    ],
)
def test_a_wrong_message_is_refused_by_its_place(message: Any, place: str, words: str) -> None:
    """What belongs to one role isn't taken from another."""
    with pytest.raises(InvalidRequest) as refusal:
        parsed(messages=[*HELLO, message])

    assert refusal.value.param == f"messages[1]{place}"
    assert words in refusal.value.message


@pytest.mark.parametrize("extra", [{"tool_calls": None}, {"tool_calls": []}, {"tool_call_id": None}, {"refusal": None}])
def test_empty_fields_of_other_roles_are_nothing(extra: dict[str, Any]) -> None:
    """Clients send back messages with every field that their own class has."""
    assert parsed(messages=[{**HELLO[0], **extra}]) == parsed()


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (None, "must be a list, not null"),
        ("Hello", "must be a list, not a string"),
        ([], "must hold at least one message that is not a system message"),
        ([{"role": "system", "content": "x"}], "must hold at least one message that is not a system message"),
        ([{"role": "user"}], "hold no text and no attachment"),
        ([{"role": "user", "content": " \n"}], "hold no text and no attachment"),
        ([{"role": "user", "content": [{"type": "text", "text": ""}]}], "hold no text and no attachment"),
        ([{"role": "system", "content": "x"}, {"role": "user"}], "hold no text and no attachment"),
    ],
)
def test_there_must_be_something_to_answer(messages: Any, words: str) -> None:
    """A conversation that asks nothing is refused before it waits."""
    with pytest.raises(InvalidRequest) as refusal:
        parsed(messages=messages)

    assert (refusal.value.param, refusal.value.message) == ("messages", f"messages: {words}.")


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [{"role": "user", "images": ["u"]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "u"}]}]},
        {"messages": [{"role": "user"}], "attachments": ["u"]},
        {"messages": [{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c"}]},
        {"messages": [{"role": "assistant", "function_call": {"name": "f"}}]},
    ],
)
def test_an_attachment_or_a_call_is_something(fields: dict[str, Any]) -> None:
    """A picture alone is a question; so is a call that waits for the model to go on."""
    assert parsed(**fields).messages


def test_a_conversation_is_left_as_it_is() -> None:
    """Long, with gaps, roles in any order: the order is the client's business."""
    roles = ["assistant", "user", "user", "developer", "tool", "assistant"]
    messages = parsed(messages=[{"role": role, "content": json.dumps(n)} for n, role in enumerate(roles)]).messages

    assert [message.text for message in messages] == ["0", "1", "2", "3", "4", "5"]
