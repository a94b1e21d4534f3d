"""A GenerateContent request, read into names: what the log shows and what the default answer tells."""

from collections.abc import Callable, Iterable
from typing import Final

from attrs import frozen

from studiogate_simulator.files import ReceivedFile, read_inline
from studiogate_simulator.frames import count_tokens
from studiogate_simulator.jspb import Json, at, decode_struct, encode, items
from studiogate_simulator.schema import decode_schema
from studiogate_simulator.status import INVALID_ARGUMENT, RpcFailure

LEVELS: Final = {1: "LOW", 2: "MEDIUM", 3: "HIGH", 4: "MINIMAL"}
"""Names of the thinking levels."""
_MODALITIES: Final = {1: "text", 2: "image", 3: "audio"}
_RESOLUTIONS: Final = {1: "low", 2: "medium", 3: "high"}
_TEXT: Final = 1
"""The wire's number of the modality text."""

type Find = Callable[[str], ReceivedFile | None]
"""Finds a file in Drive by its id."""


@frozen(kw_only=True)
class Submission:
    """One submitted turn."""

    model: str
    """Model id without `models/`."""
    prompt: str
    """All text of the last user content."""
    system: str | None
    """System instruction, all its text."""
    config: dict[str, Json]
    """Generation config by name; only what is set."""
    tools: list[Json]
    """Tools by name: `{"google_search": {}}`, `{"function_declarations": [...]}`, ..."""
    files: list[ReceivedFile]
    """Files of the last user content, in order: inline data, and what Drive has under the ids it names."""
    responses: list[Json]
    """Function responses of the last user content, `{"name": ..., "response": {...}, "id": ...}` each."""
    previous_response_id: str | None
    """The response id of the turn before this one, when there was one."""
    prompt_tokens: int
    """Tokens of the whole contents and the system instruction, the simulator's way of counting."""
    server_side_calls: bool = False
    """Whether the tool config says that tools which run upstream are mixed with functions."""

    @property
    def asked(self) -> str:
        """What scenarios are matched against: the prompt, and function responses as JSON."""
        return self.prompt + (encode(self.responses).decode() if self.responses else "")


def read_submission(request: Json, find: Find) -> Submission:
    """Read a request array; raises RpcFailure (invalid argument) when its frame is wrong or a file is unknown."""
    model, contents = at(request, 0), at(request, 1)
    if not isinstance(model, str) or not model.startswith("models/"):
        raise RpcFailure(INVALID_ARGUMENT, "Request contains an invalid argument: model.")
    if not items(contents):
        raise RpcFailure(INVALID_ARGUMENT, "GenerateContentRequest.contents: contents is not specified")
    system = text_of(at(request, 5)) or None
    previous = at(request, 11)
    last = next((content for content in reversed(items(contents)) if at(content, 1) == "user"), None)
    return Submission(
        server_side_calls=bool(at(request, 13, 2)),
        model=model.removeprefix("models/"),
        prompt=text_of(last),
        system=system,
        config=_config(at(request, 3)),
        tools=[_tool(tool) for tool in items(at(request, 6))],
        files=_files(last, find),
        responses=[_response(at(part, 11)) for part in items(at(last, 0)) if at(part, 11) is not None],
        previous_response_id=previous if isinstance(previous, str) else None,
        prompt_tokens=sum(count_by_modality([*items(contents), at(request, 5)], find).values()),
    )


def text_of(content: Json) -> str:
    """Join the text of all parts of a content."""
    texts = (at(part, 1) for part in items(at(content, 0)))
    return "".join(text for text in texts if isinstance(text, str))


def count_by_modality(contents: Iterable[Json], find: Find) -> dict[int, int]:
    """Count the tokens of contents, the simulator's way, under the wire's number of each modality."""
    counts = {_TEXT: 0}
    for content in contents:
        counts[_TEXT] += count_tokens(text_of(content))
        for file in _files(content, find):
            counts[file.modality] = counts.get(file.modality, 0) + file.tokens
    return counts


def _config(config: Json) -> dict[str, Json]:
    readers: dict[str, Json] = {
        "candidate_count": at(config, 0),
        "stop_sequences": at(config, 1),
        "max_output_tokens": at(config, 3),
        "temperature": at(config, 4),
        "top_p": at(config, 5),
        "top_k": at(config, 6),
        "response_mime_type": at(config, 7),
        "response_schema": decode_schema(at(config, 8)),
        "presence_penalty": at(config, 9),
        "frequency_penalty": at(config, 10),
        "response_modalities": _named_list(_MODALITIES, at(config, 14)),
        "speech": at(config, 15),
        "thinking": _thinking(at(config, 16)),
        "media_resolution": _named(_RESOLUTIONS, at(config, 17)),
        "seed": at(config, 18),
        "image": at(config, 26),
    }
    return {name: value for name, value in readers.items() if value is not None}


def _thinking(thinking: Json) -> Json:
    if not isinstance(thinking, list):
        return None
    decoded: dict[str, Json] = {"include_thoughts": bool(at(thinking, 0))}
    if at(thinking, 1) is not None:
        decoded["budget"] = at(thinking, 1)
    if at(thinking, 3) is not None:
        decoded["level"] = _named(LEVELS, at(thinking, 3))
    return decoded


def _tool(tool: Json) -> Json:
    decoded: dict[str, Json] = {}
    if at(tool, 0) is not None:
        decoded["code_execution"] = {}
    if at(tool, 1) is not None:
        decoded["function_declarations"] = [_declaration(entry) for entry in items(at(tool, 1))]
    if at(tool, 3) is not None:
        decoded["google_search"] = {}
    if at(tool, 7) is not None:
        decoded["url_context"] = {}
    if at(tool, 10) is not None:
        decoded["google_maps"] = {}
    return decoded or {"unknown": tool}


def _declaration(declaration: Json) -> Json:
    decoded: dict[str, Json] = {"name": at(declaration, 0), "description": at(declaration, 1)}
    for index, name in ((2, "parameters"), (3, "response")):
        if at(declaration, index) is not None:
            decoded[name] = decode_schema(at(declaration, index))
    return decoded


def _response(response: Json) -> Json:
    return {"name": at(response, 0), "response": decode_struct(at(response, 1)), "id": at(response, 2)}


def _files(content: Json, find: Find) -> list[ReceivedFile]:
    return [file for part in items(at(content, 0)) if (file := _file(part, find)) is not None]


def _file(part: Json, find: Find) -> ReceivedFile | None:
    if at(part, 2) is not None:
        return read_inline(at(part, 2))
    if at(part, 5) is None:
        return None
    file_id = at(part, 5, 0)
    file = find(file_id) if isinstance(file_id, str) else None
    if file is None:
        raise RpcFailure(INVALID_ARGUMENT, "Unable to submit request because a Drive file was not found.")
    return file


def _named(names: dict[int, str], value: Json) -> Json:
    return names.get(value, value) if isinstance(value, int) else value


def _named_list(names: dict[int, str], values: Json) -> Json:
    return [_named(names, value) for value in values] if isinstance(values, list) else None
