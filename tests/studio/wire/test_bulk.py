import base64
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from studiogate_studio.wire import RequestPatch, WireError, patch_request, read_request
from studiogate_studio.wire.brackets import elements
from studiogate_studio.wire.bulk import LARGE, WORTHWHILE, take_bulk

from .streams import compact, slots
from .test_answer import JSON

BIG = base64.b64encode(bytes(range(256)) * (WORTHWHILE // 256)).decode()
"""A file that is worth it by itself."""


def inline(*files: tuple[str, str], text: str = "look") -> bytes:
    """Make a request with files inside and a text after them."""
    parts = [*(slots({2: [mime, data]}) for mime, data in files), [None, text]]
    return compact(["models/m", [[parts, "user"]], None, [None, None, None, 9], "!proof"])


def test_large_files_are_taken_out_and_put_back() -> None:
    """What is left is short, JSON, and becomes the request again byte for byte."""
    body = inline(("image/png", BIG), ("audio/x-wav", "QUJD"), ("video/mp4", BIG[: LARGE + 4]))
    bulk = take_bulk(body)

    assert len(bulk.rest) < 400
    assert b"QUJD" in bulk.rest
    assert json.loads(bulk.rest)[1][0][0][3] == [None, "look"]
    assert bulk.restore(bulk.rest) == body


def test_a_request_with_large_files_is_read_and_patched() -> None:
    """Text and number of files are as they are, and only the slots of the patch change."""
    body = inline(("image/png", BIG), ("application/pdf", BIG), text='a "quoted" \\ text')
    request = read_request(body)
    before, after = elements(body), elements(patch_request(body, RequestPatch(model="other", max_tokens=5)))

    assert (request.prompt, request.files) == ('a "quoted" \\ text', 2)
    assert (after[0], after[3]) == (b'"models/other"', b"[null,null,null,5]")
    assert [after[index] for index in (1, 2, 4)] == [before[index] for index in (1, 2, 4)]


@pytest.mark.parametrize("text", ["x" * WORTHWHILE, 'say "a/b", ' * 40_000, "image/png\n" * 40_000, "\\" * WORTHWHILE])
def test_texts_stay(text: str) -> None:
    """However long a prompt is and whatever it says, it is read as it is."""
    body = inline(("image/png", BIG), text=text)

    assert read_request(body).prompt == text
    assert patch_request(body, RequestPatch()) == body


def test_what_looks_like_a_file_is_put_back() -> None:
    """A long second word after one with a slash is no file, and comes to no harm."""
    schema = [6, None, None, None, ["either/or", "x" * WORTHWHILE]]
    body = compact(["models/m", [[[[None, "hi"]], "user"]], None, [None] * 8 + [schema]])

    assert json.loads(patch_request(body, RequestPatch(temperature=1)))[3][8] == schema


@given(start=st.lists(JSON, max_size=3), end=st.lists(JSON, max_size=3), escaped=st.booleans())
def test_anything_comes_back(start: list[Any], end: list[Any], *, escaped: bool) -> None:
    """Whatever is around a file, elided slots too, nothing is lost."""
    whole = json.dumps([start, ["image/png", BIG], end], ensure_ascii=escaped)
    body = whole.replace("null", "").encode()
    bulk = take_bulk(body)

    assert len(bulk.rest) < len(body)
    assert bulk.restore(bulk.rest) == body


@pytest.mark.parametrize("cut", [1, 5, LARGE])
def test_a_body_that_breaks_off(cut: int) -> None:
    """What is no JSON is refused as ever."""
    with pytest.raises(WireError):
        read_request(inline(("image/png", BIG))[:-cut])
