import base64
import hashlib
from typing import Any

import pytest

from studiogate_simulator.files import ReceivedFile
from studiogate_simulator.status import RpcFailure
from studiogate_simulator.submission import Submission, read_submission

IN_DRIVE = ReceivedFile(name="b.pdf", mime="application/pdf", size=2049, sha256="b" * 64)


def read(request: list[Any]) -> Submission:
    """Read a request."""
    return read_submission(request, {"1drive": IN_DRIVE}.get)


def test_least() -> None:
    """A request of a model and contents is enough."""
    submission = read(["models/m", [[[[None, "one "], [None, "two"]], "user"]]])

    assert (submission.model, submission.prompt, submission.prompt_tokens) == ("m", "one two", 2)
    assert (submission.system, submission.config, submission.tools, submission.files) == (None, {}, [], [])


def test_last_user_content_is_the_prompt() -> None:
    """History counts as tokens, but the prompt is the last thing the user said."""
    contents = [[[[None, "a"]], "user"], [[[None, "b"]], "model"], [[[None, "c"]], "user"]]
    submission = read(["models/m", contents])

    assert (submission.prompt, submission.prompt_tokens) == ("c", 3)


def test_config_names() -> None:
    """Every setting has its name; what is unset is left out."""
    config: list[Any] = [1, ["END"], None, 100, 0.5, 0.9, 40, "application/json", [6], *[None] * 5]
    config += [[1], None, [1, 128, None, 4], 2, 7]

    assert read(["models/m", [[[[None, "x"]], "user"]], None, config]).config == {
        "candidate_count": 1,
        "stop_sequences": ["END"],
        "max_output_tokens": 100,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "response_mime_type": "application/json",
        "response_schema": {"type": "object"},
        "response_modalities": ["text"],
        "thinking": {"include_thoughts": True, "budget": 128, "level": "MINIMAL"},
        "media_resolution": "medium",
        "seed": 7,
    }


def test_tools() -> None:
    """Every tool has its name, functions their parameters as a JSON schema."""
    tools: list[Any] = [
        [[]],
        [None, [["f", "does it", [6, *[None] * 5, [["n", [3]]]]]]],
        [None, None, None, [None, [[]]]],
        [*[None] * 7, []],
        [*[None] * 10, []],
    ]

    assert read(["models/m", [[[[None, "x"]], "user"]], None, None, None, None, tools]).tools == [
        {"code_execution": {}},
        {
            "function_declarations": [
                {
                    "name": "f",
                    "description": "does it",
                    "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}},
                }
            ]
        },
        {"google_search": {}},
        {"url_context": {}},
        {"google_maps": {}},
    ]


def test_files() -> None:
    """Inline data is told by name, type, size and hash."""
    data = base64.b64encode(b"png").decode()
    [file] = read(["models/m", [[[[None, None, ["image/png", data, "a.png"]]], "user"]]]).files

    assert (file.name, file.mime, file.size) == ("a.png", "image/png", 3)
    assert file.sha256 == hashlib.sha256(b"png").hexdigest()


def test_files_in_drive() -> None:
    """A file named by its id is what Drive has under it; the order of the parts stays."""
    data = base64.b64encode(b"png").decode()
    parts = [[None, None, ["image/png", data, "a.png"]], [None] * 5 + [["1drive"]], [None, "two words"]]
    submission = read(["models/m", [[parts, "user"]]])

    assert [file.name for file in submission.files] == ["a.png", "b.pdf"]
    assert submission.files[1] is IN_DRIVE
    assert submission.prompt_tokens == 258 + 3 + 2


@pytest.mark.parametrize(
    "request_",
    [
        None,
        [],
        ["m", [[[[None, "x"]], "user"]]],
        ["models/m"],
        ["models/m", [[[[None, None, ["a/b", "?"]]], "user"]]],
        ["models/m", [[[[None, None, None, None, None, ["1nowhere"]]], "user"]]],
    ],
)
def test_malformed(request_: Any) -> None:
    """What is no turn is an invalid argument."""
    with pytest.raises(RpcFailure) as refused:
        read(request_)

    assert refused.value.status.code == 3
