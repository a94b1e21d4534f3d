import pytest

from studiogate_attachments.kinds import HTML, JPEG, JSON, MP3, MP4, PDF, PNG, TEXT, WEBM_AUDIO, ZIP, Kind
from studiogate_attachments.names import file_name


@pytest.mark.parametrize(
    ("wanted", "kind", "name"),
    [
        ("report.pdf", PDF, "report.pdf"),
        ("Grüße 你好.PDF", PDF, "Grüße 你好.PDF"),
        ("photo.jpeg", JPEG, "photo.jpeg"),
        ("archive.tar.zip", ZIP, "archive.tar.zip"),
        ("main.py", TEXT, "main.py"),
        ("data.csv", TEXT, "data.csv"),
        ("README", TEXT, "README.txt"),
        (".bashrc", TEXT, "bashrc.txt"),
    ],
)
def test_a_good_name_is_kept(wanted: str, kind: Kind, name: str) -> None:
    """What fits the kind stays as the client wrote it."""
    assert file_name(wanted, kind, 1) == name


@pytest.mark.parametrize(
    ("wanted", "kind", "name"),
    [
        ("photo.jpg", PNG, "photo.png"),
        ("voice.webm", WEBM_AUDIO, "voice.weba"),
        ("page.html", TEXT, "page.txt"),
        ("setup.exe", TEXT, "setup.exe.txt"),
        ("image.exe", PNG, "image.exe.png"),
        ("release 1.2", PDF, "release 1.2.pdf"),
        ("what. a name", PDF, "what. a name.pdf"),
    ],
)
def test_an_extension_of_another_kind_is_corrected(wanted: str, kind: Kind, name: str) -> None:
    """Browsers tell a file's type by its name, so it has to say what the bytes are."""
    assert file_name(wanted, kind, 1) == name


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("a/b.png", "b.png"),
        ("../../etc/passwd.png", "passwd.png"),
        ("..\\..\\b.png", "b.png"),
        ("C:\\Users\\me\\b.png", "b.png"),
        ("a\0b.png", "ab.png"),
        ("a\nb\r.png", "ab.png"),
        ("a\x1b[31mb.png", "a[31mb.png"),
        ("gnp\u202egpj.png", "gnpgpj.png"),
        ("\u200ba\u2028\u2066b\ufeff.png", "ab.png"),
        ("a\ud800b.png", "ab.png"),
        ("e\u0301.png", "é.png"),
        (" . a. .png", "a.png"),
    ],
)
def test_what_misleads_is_taken_out(wanted: str, name: str) -> None:
    """No folders, no control characters, nothing that turns the text around."""
    assert file_name(wanted, PNG, 1) == name


@pytest.mark.parametrize("wanted", [None, "", ".", "..", "/", "a/", "\0", "\u202e", " . "])
def test_a_name_is_made_where_there_is_none(wanted: str | None) -> None:
    """From the kind and a number."""
    made = [file_name(wanted, kind, number) for number, kind in enumerate((PNG, MP4, MP3, PDF, TEXT, HTML, JSON), 1)]

    assert made == ["image-1.png", "video-2.mp4", "audio-3.mp3", "document-4.pdf", "document-5.txt",
                    "document-6.html", "document-7.json"]  # fmt: skip


@pytest.mark.parametrize("letter", ["x", "ä", "你", "🙂"])
def test_a_long_name_is_cut_and_keeps_its_extension(letter: str) -> None:
    """At most 255 bytes, no letter cut in two."""
    name = file_name(letter * 300 + ".jpeg", JPEG, 1)

    assert len(name.encode()) <= 255
    assert len(name.encode()) > 250 - len(letter.encode())
    assert name == letter * (name.count(letter)) + ".jpeg"


def test_a_long_extension_is_part_of_the_name() -> None:
    """Nobody hides the kind behind an extension of any length."""
    name = file_name("a." + "x" * 300, PNG, 1)

    assert len(name.encode()) == 255
    assert name.endswith("xxx.png")
