"""The answer to a turn that no scenario covers: it tells what was received, and obeys the limits it was given."""

import json
import re
from typing import Final

from attrs import Factory, frozen

from studiogate_simulator.frames import CodeRun, Media, Source
from studiogate_simulator.instance import instance_of
from studiogate_simulator.jspb import Json, items
from studiogate_simulator.limits import JSON_MIME
from studiogate_simulator.models import THINKING, Model
from studiogate_simulator.submission import Submission

STOP: Final = 1
MAX_TOKENS: Final = 2

_EXCERPT: Final = 200
"""How much of a long text is repeated, in characters."""
_WORDS_PER_CHUNK: Final = 8


@frozen(kw_only=True)
class Answer:
    """What the model says."""

    thoughts: list[str]
    """Thought deltas."""
    text: list[str]
    """Answer deltas."""
    finish: int
    """Finish reason."""
    code: list[CodeRun] = Factory(list[CodeRun])
    """Code that was run, before the text."""
    media: list[Media] = Factory(list[Media])
    """Generated files, after the text."""
    sources: list[Source] = Factory(list[Source])
    """Web pages it rests on."""


def default_answer(submission: Submission, model: Model) -> Answer:
    """Describe the submission in several chunks, cut by its stop sequences and its token limit.

    Where JSON is wanted it is a JSON document, by the schema where there is one.
    """
    as_json = submission.config.get("response_mime_type") == JSON_MIME
    whole = _document(submission) if as_json else _description(submission)
    text = _stopped(whole, submission.config.get("stop_sequences"))
    words = re.findall(r"\s*\S+\s*\Z|\s*\S+", text)
    limit = submission.config.get("max_output_tokens")
    most = limit if isinstance(limit, int) else len(words)
    kept = words[:most]
    return Answer(
        thoughts=_thoughts(submission) if THINKING in model.capabilities and _wants_thoughts(submission) else [],
        text=["".join(kept[start : start + _WORDS_PER_CHUNK]) for start in range(0, len(kept), _WORDS_PER_CHUNK)],
        finish=STOP if most >= len(words) else MAX_TOKENS,
        sources=[] if as_json else _sources(submission),
    )


def _document(submission: Submission) -> str:
    schema = submission.config.get("response_schema")
    value: Json = {
        "model": submission.model,
        "system": submission.system,
        "prompt": submission.prompt[:_EXCERPT],
        "config": submission.config,
        "tools": submission.tools,
    }
    return json.dumps(value if schema is None else instance_of(schema), indent=2, ensure_ascii=False)


def _description(submission: Submission) -> str:
    config = submission.config
    tools = [name for tool in submission.tools for name in _names(tool)]
    return "\n".join(
        [
            f"This is the simulator, answering as **{submission.model}**. It received:",
            "",
            f"- Temperature: {_shown(config.get('temperature'))}",
            f"- Top P: {_shown(config.get('top_p'))}",
            f"- Maximum output tokens: {_shown(config.get('max_output_tokens'))}",
            f"- Seed: {_shown(config.get('seed'))}",
            f"- Thinking: {_shown_thinking(config.get('thinking'))}",
            f"- System instruction: {_shown(submission.system)}",
            f"- Tools: {', '.join(tools) or 'none'}",
            f"- Files: {', '.join(file.name or file.mime for file in submission.files) or 'none'}",
            "",
            f"The prompt begins: {_shown(submission.prompt)}",
            "",
            # Last, because the answer ends where a stop sequence first occurs.
            f"Stop sequences: {_shown_list(config.get('stop_sequences'))}",
        ]
    )


def _names(tool: Json) -> list[str]:
    """Name a tool; of declared functions each."""
    if not isinstance(tool, dict):
        return []
    declared = [str(each.get("name")) for each in items(tool.get("function_declarations")) if isinstance(each, dict)]
    return [name for name in tool if name != "function_declarations"] + [f"function {name}" for name in declared]


def _thoughts(submission: Submission) -> list[str]:
    settings, tools = len(submission.config), len(submission.tools)
    blocks = {
        "Reading the Prompt": f"The prompt is {len(submission.prompt)} characters long.",
        "Considering the Settings": f"{settings} settings and {tools} tools came along with it.",
        "Writing the Answer": "I will list what I received and repeat how the prompt begins.",
    }
    return [f"**{title}**\n\n{sentence}\n\n\n" for title, sentence in blocks.items()]


def _sources(submission: Submission) -> list[Source]:
    """Cite something where a search was asked for, as upstream does if it found anything."""
    if not any(isinstance(tool, dict) and "google_search" in tool for tool in submission.tools):
        return []
    return [
        Source(
            url="https://vertexaisearch.cloud.google.com/grounding-api-redirect/simulated",
            title="example.org",
            passage="This is the simulator",
        )
    ]


def _wants_thoughts(submission: Submission) -> bool:
    thinking = submission.config.get("thinking")
    return isinstance(thinking, dict) and bool(thinking.get("include_thoughts"))


def _stopped(text: str, stops: Json) -> str:
    found = [text.find(stop) for stop in stops if isinstance(stop, str) and stop] if isinstance(stops, list) else []
    return text[: min((position for position in found if position >= 0), default=len(text))]


def _shown(value: Json) -> str:
    if value is None:
        return "not set"
    if not isinstance(value, str):
        return str(value)
    return f'"{value[:_EXCERPT]}{"…" if len(value) > _EXCERPT else ""}"'


def _shown_thinking(thinking: Json) -> str:
    if not isinstance(thinking, dict):
        return "not set"
    told = {name: value for name, value in thinking.items() if name != "include_thoughts"}
    return ", ".join(f"{name} {value}" for name, value in told.items()) or "as the model likes"


def _shown_list(values: Json) -> str:
    return ", ".join(f'"{value}"' for value in values) if isinstance(values, list) and values else "none"
