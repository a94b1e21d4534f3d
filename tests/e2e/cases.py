"""What every tier is asked, and what every one has to make of it: the rows of the matrix."""

import json
from collections.abc import Mapping
from typing import Any

import attrs
import httpx

from tests.helper_backend.standin import DONE, Reply, chunk, streams

from .house import Gateway, texts

FUNCTION = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}

MARKDOWN = """\
# Sorting

A *stable* sort keeps **equal** items in order; `sorted` is one. See [the manual](https://docs.python.org/3/).

```python
def smallest(items: list[int]) -> int:
    \"\"\"Return the smallest & first.\"\"\"
    return min(item for item in items if item < 10)
```

| name | worst | stable |
| --- | --- | --- |
| merge | $n \\log n$ | yes |
| heap | $n \\log n$ | no |

$$
\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}
$$

1. First
2. Second
   - inner one
   - inner two
3. Third

> Quoted, with <b>tags</b> & an ampersand.

Done."""


@attrs.frozen(kw_only=True)
class Said:
    """An answer as a client gets it."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    """Name and arguments, these as JSON with sorted keys."""
    finish: str = "stop"


@attrs.frozen(kw_only=True)
class Case:
    """One row: what is asked, how upstream answers, what the client gets."""

    name: str
    prompt: str
    said: Said
    scenario: Mapping[str, Any]
    """The simulator's."""
    fields: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """The request's, besides the message."""

    def reply(self) -> Reply:
        """Return what an OpenAI-compatible service says, streamed; so it may, whatever it was asked."""
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        deltas += [{"reasoning_content": text} for text in self.scenario.get("thoughts", ())]
        deltas += [{"content": text} for text in self.scenario.get("text", ())]
        deltas += [_call_delta(index, name, args) for index, (name, args) in enumerate(self.said.calls)]
        return streams(*(chunk(delta) for delta in deltas), chunk({}, self.said.finish), DONE)


CASES = (
    Case(
        name="short",
        prompt="In short: what is two and two?",
        said=Said(text="Two and two is four."),
        scenario={"text": ["Two and two ", "is four."]},
    ),
    Case(
        name="long prompt",
        prompt="Read this.\n" + "\n".join(f"{number}. The quick brown fox." for number in range(7000)) + "\nWell?",
        said=Said(text="Read."),
        scenario={"text": ["Read."]},
    ),
    Case(
        name="thoughts",
        prompt="Think, then add two and two.",
        said=Said(text="Four.", reasoning="**Adding**\n\nTwo and two are added.\n\n**Checking**\n\nIt is even."),
        scenario={
            "thoughts": ["**Adding**\n\nTwo and two are added.\n\n", "**Checking**\n\nIt is even."],
            "text": ["Four."],
        },
    ),
    Case(
        name="function call",
        prompt="How is the weather in Rome?",
        said=Said(calls=(("get_weather", '{"city": "Rome"}'),), finish="tool_calls"),
        scenario={"calls": [{"name": "get_weather", "args": {"city": "Rome"}}]},
        fields={"tools": [FUNCTION]},
    ),
    Case(
        name="markdown",
        prompt="Explain sorting, at length and in Markdown.",
        said=Said(text=MARKDOWN),
        scenario={"text": [MARKDOWN[at : at + 60] for at in range(0, len(MARKDOWN), 60)]},
    ),
    Case(name="empty answer", prompt="Say nothing at all.", said=Said(), scenario={"text": []}),
    Case(
        name="blocked prompt",
        prompt="Something that nobody should ask.",
        said=Said(finish="content_filter"),
        scenario={"blocked": 4},
    ),
    Case(
        name="output limit",
        prompt="Count as far as you may.",
        said=Said(text="One, two, three", finish="length"),
        scenario={"text": ["One, two,", " three"], "finish": 2},
        fields={"max_tokens": 5},
    ),
)


def asked_of(gateway: Gateway, case: Case) -> Said:
    """Ask a gateway for an answer, whole."""
    answer = gateway.ask(case.prompt, model="gemini-2.5-flash", **case.fields)
    assert answer.status_code == httpx.codes.OK, answer.text
    choice = answer.json()["choices"][0]
    message = choice["message"]
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    return Said(
        text=message["content"] or "",
        reasoning=message.get("reasoning_content") or "",
        calls=tuple((call["name"], json.dumps(json.loads(call["arguments"]), sort_keys=True)) for call in calls),
        finish=choice["finish_reason"],
    )


def streamed_of(gateway: Gateway, prompt: str) -> str:
    """Ask a gateway for a streamed answer and return its text."""
    with gateway.streaming(prompt) as response:
        return "".join(texts(response))


def _call_delta(index: int, name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": index, "id": f"call_{index}", "type": "function", "function": function}]}
