import itertools
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from studiogate.events import TextDelta, ToolCall
from studiogate.text_calls import TextCalls, new_call_id, text_form
from studiogate.tools import FunctionDeclaration


def block(name: str = "look", arguments: str = "{}") -> str:
    """Return a call as a model is to write it."""
    return f'```function_call\n{{"name": "{name}", "arguments": {arguments}}}\n```\n'


def read(*pieces: str) -> tuple[str, list[ToolCall]]:
    """Return the text of an answer and its calls, which are numbered."""
    numbers = itertools.count(1)
    calls = TextCalls(("look", "add"), lambda: f"c{next(numbers)}")
    events = [event for piece in pieces for event in calls.feed(piece)] + calls.close()
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    return text, [event for event in events if isinstance(event, ToolCall)]


def test_blocks_are_calls() -> None:
    """Several of them, in order; the text before stays, without the space between."""
    text, calls = read("Let me see.\n\n" + block(arguments='{"at": [1, "ü"]}') + "\n" + block("add"))

    assert text == "Let me see."
    assert calls == [
        ToolCall(id="c1", name="look", arguments='{"at":[1,"ü"]}'),
        ToolCall(id="c2", name="add", arguments="{}"),
    ]


NOT_CALLS = {
    "plain": "Just text.\n\nAnd more.  \n",
    "white space": "\n \n",
    "of an unknown function": block("delete"),
    "without arguments": '```function_call\n{"name": "look"}\n```\n',
    "with more words": '```function_call\n{"name": "look", "arguments": {}, "id": 1}\n```\n',
    "arguments as text": block(arguments='"{}"'),
    "no JSON": "```function_call\nlook()\n```\n",
    "deep": block(arguments='{"a":' + "[" * 9999 + "]" * 9999 + "}"),
    "a list": "```function_call\n[]\n```",
    "not closed": '```function_call\n{"name": "look", "arguments": {}}\n',
    "inside a line": f"so: {block()}",
    "indented": f"  {block()}",
    "in another block": f"````markdown\n{block()}````\n",
    "in a block of the other kind": f"~~~\n```\n{block()}~~~\n",
    "another kind of block": '```json\n{"name": "look", "arguments": {}}\n```\n',
    "almost": "```function_calls\n{}\n```\n",
}


@pytest.mark.parametrize("text", NOT_CALLS.values(), ids=NOT_CALLS)
def test_what_is_no_call_stays_text(text: str) -> None:
    """To the letter; a model may well write about calls."""
    assert read(text) == (text, [])


def test_a_call_after_another_block() -> None:
    """A block that is closed hides nothing."""
    text, calls = read(f"```python\nprint()\n```\n{block()}")

    assert text == "```python\nprint()\n```"
    assert [call.name for call in calls] == ["look"]


def test_spaces_after_the_fences_and_lines_in_between_are_forgiven() -> None:
    """Neither changes what is meant."""
    assert len(read('```function_call  \r\n\n{"name":\n"look", "arguments": {}}\n\n``` \n')[1]) == 1


@given(
    parts=st.lists(st.sampled_from([*NOT_CALLS.values(), block(), block("add", '{"a": "```"}'), "x", "\n", "``"])),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_any_split_gives_the_same(parts: list[str], cuts: list[int]) -> None:
    """However the answer comes in pieces."""
    whole = "".join(part for part in parts if len(part) < 1000)
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]

    assert read(*(whole[start:end] for start, end in itertools.pairwise(places))) == read(whole)


def test_text_is_passed_on_at_once() -> None:
    """Only what may become a call waits."""
    calls = TextCalls(("look",))

    said = [calls.feed(piece) for piece in ("Hel", "lo\n", "`", "``func", "y ", "``")]

    assert said == [
        [TextDelta(text="Hel")],
        [TextDelta(text="lo")],
        [],
        [],
        [TextDelta(text="\n```funcy")],
        [TextDelta(text=" ``")],
    ]


def test_ids_are_unique() -> None:
    """A conversation may hold many."""
    assert len({new_call_id() for _ in range(100)}) == 100


def test_the_form_describes_every_function() -> None:
    """One JSON object a line, with what the client said and nothing else."""
    schema: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}}
    form = text_form(
        [
            FunctionDeclaration(name="look", description='Zeig "es".', parameters=schema),
            FunctionDeclaration(name="now"),
        ]
    )

    look, now = map(json.loads, form.splitlines()[-2:])
    assert look == {"name": "look", "description": 'Zeig "es".', "parameters": schema}
    assert now == {"name": "now"}


def test_the_form_is_what_is_read() -> None:
    """The example in it would be a call if it named a function."""
    shown = text_form([]).replace("the function's name", "look")

    assert [call.name for call in read(shown)[1]] == ["look"]
