"""How the page renders markdown, tried in a real browser without a chat."""

import pytest
from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

OUTLINE = """async source => {
  const { renderMarkdown } = await import("/static/markdown.js");
  // Without the nodes that nest everything, and without buttons, what is left is easy to compare.
  const outline = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    const inside = [...node.childNodes].map(outline).join("");
    if (["MS-CMARK-NODE", "SPAN"].includes(node.tagName) && node.className !== "inline-code") return inside;
    if (["BUTTON", "MAT-EXPANSION-PANEL-HEADER"].includes(node.tagName)) return "";
    if (node.tagName === "MS-KATEX") return `<math>${node.querySelector("annotation").textContent}</math>`;
    const tag = node.className === "inline-code" ? "c" : node.localName;
    return `<${tag}>${inside}</${tag}>`;
  };
  return outline(renderMarkdown(source));
}"""


@pytest.mark.parametrize(
    ("source", "rendered"),
    [
        ("a **b *c*** `d`", "<p>a <strong>b <em>c</em></strong> <c>d</c></p>"),
        ("***a*** ~~b~~ _c_ d_e_f", "<p><strong><em>a</em></strong> <del>b</del> <em>c</em> d_e_f</p>"),
        ("``a ` b`` \\*c\\*", "<p><c>a ` b</c> *c*</p>"),
        ("### T #\ntext\nmore", "<h3>T</h3><p>text\nmore</p>"),
        ("a  \nb\n\nc", "<p>a<br></br>b</p><p>c</p>"),
        ("- a\n  - b\n\n    c\n- d", "<ul><li><p>a</p><ul><li><p>b</p><p>c</p></li></ul></li><li><p>d</p></li></ul>"),
        ("3. a\n4. b\n\n- c", "<ol><li><p>a</p></li><li><p>b</p></li></ol><ul><li><p>c</p></li></ul>"),
        ("> a\n> - b", "<blockquote><p>a</p><ul><li><p>b</p></li></ul></blockquote>"),
        ("a\n\n---\n\nb", "<p>a</p><hr></hr><p>b</p>"),
        ("$x^2$ and \\(y\\), $5 or $10", "<p><math>x^2</math> and <math>y</math>, $5 or $10</p>"),
        ("$$\nE = mc^2\n$$", "<p><math>E = mc^2</math></p>"),
        ("\\[ a \\]", "<p><math>a</math></p>"),
        ("[a](https://example.org/)", "<p><a>a</a></p>"),
        ("<script>x</script>", "<p><script>x</script></p>"),
    ],
)
async def test_rendering(page: Page, source: str, rendered: str) -> None:
    """Every construct is rendered to its elements."""
    outline: str = await page.evaluate(OUTLINE, source)

    assert outline == rendered


async def test_table(page: Page) -> None:
    """A table has its cells with their alignment; pipes in code and behind backslashes do not end one."""
    source = "| A | B |\n|:--|--:|\n| `a|b` | x \\| y |\n| 1 | |"
    cells: list[list[str | None]] = await page.evaluate(
        """async source => {
          const { renderMarkdown } = await import("/static/markdown.js");
          return [...renderMarkdown(source).querySelectorAll("th, td")].map((cell) => [cell.textContent, cell.align]);
        }""",
        source,
    )

    expected = [["A", "left"], ["B", "right"], ["a|b", "left"], ["x | y", "right"], ["1", "left"], ["", "right"]]
    assert cells == expected


async def test_code_block(page: Page) -> None:
    """A code block keeps its code as it is, with its language and buttons of its own."""
    source = "1. a\n   ~~~py\n   x = `1`\n\n     # two\n   ~~~\n"
    block: list[str] = await page.evaluate(
        """async source => {
          const { renderMarkdown } = await import("/static/markdown.js");
          const block = renderMarkdown(source).querySelector("li ms-code-block");
          const title = block.querySelector("mat-panel-title").textContent;
          return [block.dataset.testLanguage, title, block.querySelector("pre code").textContent];
        }""",
        source,
    )

    assert block == ["py", "py", "x = `1`\n\n  # two"]
