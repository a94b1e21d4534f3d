import pytest

from studiogate import InvalidRequest
from studiogate.attachments import AttachmentRef
from studiogate_attachments.sources import Data, LocalFile, Remote, source_of

from .samples import JPEG, MP3, OTHERS, b64, png


def read(source: str) -> Data | LocalFile | Remote | None:
    """Tell what a source is."""
    return source_of(AttachmentRef(source=source, param="p"))


@pytest.mark.parametrize(
    ("url", "start", "base64", "mime"),
    [
        ("data:image/png;base64,AAAA", 22, True, "image/png"),
        ("DATA:image/png;BASE64,AAAA", 22, True, "image/png"),
        ("data:text/plain;charset=utf-8;base64,AAAA", 37, True, "text/plain"),
        ("data:;base64,AAAA", 13, True, None),
        ("data:,Hello", 6, False, None),
        ("data:text/plain,Hello", 16, False, "text/plain"),
        ("data: image/png ; base64 ,AAAA", 26, True, "image/png"),
    ],
)
def test_a_data_url_says_how_it_is_encoded(url: str, start: int, base64: object, mime: str | None) -> None:
    """What stands before the comma is read whatever its case, parameters and blanks."""
    found = read(url)

    assert isinstance(found, Data)
    assert (found.text, found.start, found.base64, found.mime) == (url.encode(), start, base64, mime)


@pytest.mark.parametrize("data", [png(), JPEG, MP3, b"Hello, world", OTHERS["noise"]])
def test_bare_base64_is_known(data: bytes) -> None:
    """Also of a JPEG and an MP3, which begin with a slash or two in base64."""
    found = read(b64(data))

    assert isinstance(found, Data)
    assert (found.start, found.base64, found.mime) == (0, True, None)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("/srv/a.png", "/srv/a.png"),
        ("/srv/folder", "/srv/folder"),
        ("//server/share/a.png", "//server/share/a.png"),
        ("/9j/is.a.folder", "/9j/is.a.folder"),
        ("file:///srv/a.png", "/srv/a.png"),
        ("FILE:///srv/a%20b%23%C3%A4.png", "/srv/a b#ä.png"),
        ("file:/srv/a.png", "/srv/a.png"),
        ("file:////srv/a.png", "//srv/a.png"),
        ("file:///srv/../a%2e%2e/x", "/srv/../a../x"),
    ],
)
def test_paths_and_file_urls_name_local_files(source: str, path: str) -> None:
    """The path is decoded and not looked at yet."""
    assert read(source) == LocalFile(path)


@pytest.mark.parametrize("url", ["http://example.com/a", "HTTPS://example.com/a"])
def test_web_addresses_are_fetched(url: str) -> None:
    """Both schemes, in any case."""
    assert read(url) == Remote(url)


@pytest.mark.parametrize(
    "source",
    [
        *("gs://bucket/a", "blob:https://x/1", "text:Hello", "photo.png", "../a.png", "a b.png"),
        *("C:\\a.png", "\\\\server\\a", "", "  "),
    ],
)
def test_what_is_none_of_ours_is_left_to_others(source: str) -> None:
    """Other schemes, ids and relative paths are for whoever knows them."""
    assert read(source) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("data:image/png;base64", "comma"),
        ("data:" + "x" * 2000 + ",", "comma"),
        ("file://localhost/etc/passwd", "no host"),
        ("file://server/share", "no host"),
        ("file:a.png", "absolute"),
        ("file://", "no host"),
        ("file:///%ff", "UTF-8"),
    ],
)
def test_what_is_ours_and_malformed_is_refused(url: str, why: str) -> None:
    """The client reads what would be right."""
    with pytest.raises(InvalidRequest, match=why):
        read(url)


def test_looking_at_a_source_does_not_read_it_all() -> None:
    """A source may be as long as a body: it is shown neither in logs nor compared."""
    found = read("data:image/png;base64," + "A" * 1000)

    assert "AAA" not in repr(found)
    assert found != read("data:image/png;base64," + "A" * 1000)
