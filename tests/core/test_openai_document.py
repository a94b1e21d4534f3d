import json
from typing import Any

import pytest

from studiogate.errors import InvalidRequest
from studiogate.openai.document import MAX_DEPTH, json_object


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The body is not JSON: "),
        (b"{", "The body is not JSON: "),
        (b'{"messages": "\xff"}', "The body is not JSON: "),
        (b'{"messages": "\xed\xa0\x80"}', "The body is not JSON: "),
        (b'{"messages": "\\ud800"}', "The body is not JSON: "),
        (b'{"messages": "\\udc00\\ud800"}', "The body is not JSON: "),
        (b"[" * 100_000, "The body is not JSON: "),
        (b'{"n": ' + b"1" * 5000 + b"}", "The body is not JSON: "),
        (b'{"temperature": 1e999}', "The body is not JSON: "),
        (b"NaN", "The body is not JSON: "),
        (b"[]", "The body must be a JSON object"),
        (b"null", "The body must be a JSON object"),
    ],
)
def test_a_body_that_isnt_an_object_is_refused(body: bytes, message: str) -> None:
    """The error is about the body as a whole."""
    with pytest.raises(InvalidRequest) as refusal:
        json_object(body)

    assert refusal.value.message.startswith(message)
    assert refusal.value.param is None


@pytest.mark.parametrize(
    ("fields", "place", "word"),
    [
        ({"temperature": float("nan")}, "temperature", "NaN"),
        ({"logit_bias": {"7": float("inf")}}, "logit_bias.7", "Infinity"),
        ({"messages": [{}, {"content": [0, -float("inf")]}]}, "messages[1].content[1]", "-Infinity"),
    ],
)
def test_a_number_that_json_lacks_is_named_by_its_place(fields: dict[str, Any], place: str, word: str) -> None:
    """Python's `json` writes such numbers, so the client learns which value it was."""
    with pytest.raises(InvalidRequest) as refusal:
        json_object(json.dumps(fields).encode())

    assert refusal.value.message == f"{place}: must be a number; {word} is none in JSON."
    assert refusal.value.param == place


def test_a_long_key_is_cut_where_it_is_shown() -> None:
    """An error is no place to repeat what a client made up."""
    with pytest.raises(InvalidRequest) as refusal:
        json_object(b'{"\\n%s": NaN}' % (b"x" * 10_000))

    assert refusal.value.param == "?" + "x" * 199 + "…"


@pytest.mark.parametrize("around", ["[%s]", '{"a": %s}'])
def test_nesting_has_a_limit(around: str) -> None:
    """As deep as the limit is read, one deeper is refused; nothing behind the parser runs out of stack."""
    value = "1"
    for _ in range(MAX_DEPTH - 1):
        value = around % value
    allowed = json_object(b'{"metadata": %s}' % value.encode())

    assert allowed["metadata"]
    with pytest.raises(InvalidRequest, match="nested too deep: at most 100 levels"):
        json_object(b'{"metadata": [%s]}' % value.encode())
