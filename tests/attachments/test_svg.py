from pathlib import Path

import pytest

from studiogate import InvalidRequest
from studiogate_attachments.svg import is_svg

NS = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def look(tmp_path: Path, text: str) -> bool:
    """Look at a text."""
    path = tmp_path / "a.svg"
    path.write_text(text, encoding="utf-8")
    return is_svg(path, lambda: None)


@pytest.mark.parametrize(
    "text",
    [
        f"<svg {NS}/>",
        "<svg/>",
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- drawn --><s:svg {NS.replace("xmlns=", "xmlns:s=")}/>',
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg/>',
        f'<svg {NS}><a xlink:href="https://example.com/"><text>go on, javascript</text></a></svg>',
        f'<svg {NS}><image href="data:image/png;base64,AAAA"/><use href="#a"/><style>a {{ color: red }}</style></svg>',
        "<svg>" + "<g/>" * 50_000 + "</svg>",
    ],
)
def test_a_picture_is_a_picture(tmp_path: Path, text: str) -> None:
    """Drawings, links, pictures within and declarations that programs write are fine."""
    assert look(tmp_path, text)


@pytest.mark.parametrize("text", ["", "text", "<svg", "<svg></svg>x", "<html><svg/></html>", "<svg>&bad;</svg>", "<a/>",
                                  '<?xml version="1.0" encoding="nonsense"?><svg/>'])  # fmt: skip
def test_what_is_not_well_formed_is_none(tmp_path: Path, text: str) -> None:
    """It is some text then, and nobody runs it as a picture."""
    assert not look(tmp_path, text)


@pytest.mark.parametrize(
    ("inside", "what"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ("<SCRIPT/>", "<script>"),
        ('<x:script xmlns:x="http://www.w3.org/1999/xhtml">1</x:script>', "<script>"),
        ("<g><g><script/></g></g>", "<script>"),
        ('<foreignObject><p xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>', "<foreignobject>"),
        ('<iframe xmlns="http://www.w3.org/1999/xhtml"/>', "<iframe>"),
        ('<g onclick="alert(1)"/>', "an event handler"),
        ('<g ONLOAD="alert(1)"/>', "an event handler"),
        ('<set attributeName="onmouseover" to="alert(1)"/>', "an event handler"),
        ('<a href="javascript:alert(1)"/>', "a script's address"),
        ('<a xlink:href=" java&#10;script:alert(1)"/>', "a script's address"),
        ('<animate attributeName="href" values="x;JavaScript:alert(1)"/>', "a script's address"),
        ('<use href="data:image/svg+xml;base64,AAAA"/>', "an embedded document"),
        ('<a href="data:text/html,x"/>', "an embedded document"),
        ("<?xml-stylesheet href='a.xsl'?>", "a style sheet"),
    ],
)
def test_what_could_run_is_refused(tmp_path: Path, inside: str, what: str) -> None:
    """The client reads what it was."""
    with pytest.raises(InvalidRequest) as refusal:
        look(tmp_path, f"<svg {NS}>{inside}</svg>")
    assert refusal.value.message.startswith(f"The SVG holds {what}, which could run")


def test_what_could_grow_is_refused_before_it_does(tmp_path: Path) -> None:
    """A billion laughs are not laughed."""
    entities = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 20))

    with pytest.raises(InvalidRequest, match="an entity declaration"):
        look(tmp_path, f'<!DOCTYPE svg [<!ENTITY a0 "ha">{entities}]><svg>&a19;</svg>')


def test_nothing_outside_is_read(tmp_path: Path) -> None:
    """An external entity is an entity."""
    with pytest.raises(InvalidRequest, match="an entity declaration"):
        look(tmp_path, '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>')
