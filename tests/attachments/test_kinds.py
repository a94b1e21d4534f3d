import re
from collections.abc import Callable
from pathlib import Path

import pytest

from studiogate import InvalidRequest
from studiogate_attachments.background import Stopped
from studiogate_attachments.kinds import HTML, JSON, KINDS, MARKDOWN, SVG, TEXT, WEBM, Kind, Recognizer, kind_named

from .samples import FILES, OTHERS, SVG as AN_SVG, ogg, webm

RECOGNIZER = Recognizer()


def never() -> None:
    """Want the work's result to its end."""


def recognize(tmp_path: Path, data: bytes, *hints: str, check: Callable[[], None] = never) -> Kind:
    """Recognise bytes."""
    path = tmp_path / "file"
    path.write_bytes(data)
    return RECOGNIZER.recognize(path, hints, check)


@pytest.mark.parametrize("name", FILES)
def test_every_kind_is_known_by_its_bytes(name: str, tmp_path: Path) -> None:
    """With its name, as texts other than HTML and JSON need it."""
    data, mime = FILES[name]

    assert recognize(tmp_path, data, name).mime == mime


@pytest.mark.parametrize("name", sorted(set(FILES) - {"a.md", "a.html", "a.json", "a.txt"}))
@pytest.mark.parametrize("hint", ["application/octet-stream", "text/plain", "image/png", "a.md", "a.pdf", "nonsense"])
def test_the_bytes_are_stronger_than_what_is_said(name: str, hint: str, tmp_path: Path) -> None:
    """What was declared makes no picture of a program, and no program of a picture."""
    data, mime = FILES[name]

    assert recognize(tmp_path, data, hint).mime == mime


def test_every_kind_of_the_guide_has_a_sample() -> None:
    """So that nothing here is untested."""
    assert {kind.mime for kind in KINDS} == {mime for _, mime in FILES.values()}


@pytest.mark.parametrize("what", OTHERS)
def test_other_kinds_are_refused(what: str, tmp_path: Path) -> None:
    """The message lists what is taken."""
    with pytest.raises(InvalidRequest, match=r"not taken\..* Taken are: PNG, JPEG") as refusal:
        recognize(tmp_path, OTHERS[what], "image/png", "a.txt")
    assert re.search(r"UTF-8 text", refusal.value.message)


def test_the_refusal_says_what_a_file_looks_like(tmp_path: Path) -> None:
    """Where libmagic's rules know it."""
    with pytest.raises(InvalidRequest, match="looks like image/tiff"):
        recognize(tmp_path, OTHERS["tiff"])


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    """There is nothing in it to ask about."""
    with pytest.raises(InvalidRequest, match="empty"):
        recognize(tmp_path, b"", "text/plain")


@pytest.mark.parametrize(
    ("data", "hints", "kind"),
    [
        (b"# Title\n", (), TEXT),
        (b"# Title\n", ("text/markdown",), MARKDOWN),
        (b"# Title\n", ("text/plain", "a.md"), MARKDOWN),
        (b"# Title\n", ("text/x-markdown; charset=utf-8",), MARKDOWN),
        (b"<h1>Title</h1>\n<p>text</p>", ("a.md",), MARKDOWN),
        (b"<p>text</p>", ("text/html",), HTML),
        (b"<!doctype html><p>", (), HTML),
        (b"no markup", ("text/html",), TEXT),
        (b'{"a": 1}', (), JSON),
        (b'{"a": 1}', ("a.txt",), JSON),
        (b'\xef\xbb\xbf {"a": 1}', ("application/json",), JSON),
        (b"-12", ("a.json",), JSON),
        (b"Some words", ("a.json",), TEXT),
        (b"import os\n", ("a.py",), TEXT),
        (b"#!/bin/sh\necho hi\n", ("a.sh",), TEXT),
        (b"\x1b[31mred\x1b[0m\n", ("a.log",), TEXT),
        (b"a,b\n1,2\n", ("text/csv",), TEXT),
        (b"<?xml version='1.0'?><a/>", ("application/xml",), TEXT),
        (b"BMW makes cars\n", (), TEXT),
        (b"ID3 tags\n", ("audio/mpeg",), TEXT),
        (AN_SVG, (), SVG),
        (b'<?xml version="1.0"?>\n<!-- ' + b"x" * 9000 + b" -->" + AN_SVG, (), SVG),
        (b'<s:svg xmlns:s="http://www.w3.org/2000/svg"/>', (), SVG),
        (b"<svg", ("a.svg",), TEXT),
        (b"This is how to write <svg>.", ("image/svg+xml",), TEXT),
    ],
)
def test_texts_are_told_apart_by_what_is_said_and_what_fits(
    data: bytes, hints: tuple[str, ...], kind: Kind, tmp_path: Path
) -> None:
    """What is said counts where the bytes allow it."""
    assert recognize(tmp_path, data, *hints) is kind


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (webm(), "video/webm"),
        (webm(b"A_OPUS", b"V_AV1"), "video/webm"),
        (webm(b"A_VORBIS"), "audio/webm"),
        (ogg(b"OpusHead"), "audio/ogg"),
        (ogg(b"fishead\0") + ogg(b"\x80theora"), "video/ogg"),
    ],
)
def test_films_are_told_from_sound_by_their_tracks(data: bytes, mime: str, tmp_path: Path) -> None:
    """WebM and Ogg hold both."""
    assert recognize(tmp_path, data, "image/png").mime == mime


@pytest.mark.parametrize("tail", [b"\xc3", b"\xff", b"\0"])
def test_a_text_is_text_to_its_end(tail: bytes, tmp_path: Path) -> None:
    """Something else behind megabytes of text is found."""
    with pytest.raises(InvalidRequest, match="not taken"):
        recognize(tmp_path, b"text\n" * 300_000 + tail, "a.txt")


def test_a_letter_may_stand_on_the_edge_of_a_piece(tmp_path: Path) -> None:
    """Files are read in pieces, and letters have several bytes."""
    assert recognize(tmp_path, b"x" + "ä".encode() * 300_000, "a.txt") is TEXT


def test_work_that_nobody_wants_ends(tmp_path: Path) -> None:
    """Reading a long text stops when it is told to."""

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        recognize(tmp_path, b"text", check=stop)


@pytest.mark.parametrize(
    ("word", "mime"),
    [
        ("image/PNG", "image/png"),
        ("image/jpg", "image/jpeg"),
        ("audio/mp3; rate=1", "audio/mpeg"),
        ("mp3", "audio/mpeg"),
        (".wav", "audio/wav"),
        ("a.b.webm", "video/webm"),
    ],
)
def test_declared_words_mean_kinds(word: str, mime: str) -> None:
    """Types, by any of their names, formats and extensions."""
    found = kind_named(word)

    assert found is not None
    assert found.mime == mime


@pytest.mark.parametrize("word", ["", "image", "video", "application/octet-stream", "x/y", "."])
def test_other_words_mean_nothing(word: str) -> None:
    """They are no mistake either."""
    assert kind_named(word) is None


def test_groups_name_files() -> None:
    """What is neither seen nor heard is a document."""
    assert [kind.group for kind in (SVG, WEBM, TEXT, JSON)] == ["image", "video", "document", "document"]
