"""What the page has rendered, turned back into markdown: run where it is run, in a browser."""

from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from studiogate_studio.launch import installed_browsers
from studiogate_studio.probe import load_part

pytestmark = pytest.mark.asyncio(loop_scope="module")

type Read = Callable[[str, bool], Awaitable[tuple[str, str]]]

SCRIPT = """([html, open]) => {
  const { markdown, parted } = (%s)();
  const { sure, rest } = parted(markdown(new DOMParser().parseFromString(html, "text/html").body, open));
  return [sure, rest];
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def read() -> AsyncGenerator[Read]:
    """Return what turns HTML into markdown: what of it is certain, and the rest."""
    script = SCRIPT % load_part("studiogate_dom_scrape", "markdown.js")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=next(iter(installed_browsers()), None), chromium_sandbox=False
        )
        page = await browser.new_page()

        async def read(html: str, open_: bool) -> tuple[str, str]:  # noqa: FBT001 - a fixture's function
            sure, rest = await page.evaluate(script, [html, open_])
            return sure, rest

        yield read
        await browser.close()


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>One <strong>two</strong> <em>three</em> <del>four</del></p>", "One **two** *three* ~~four~~"),
        ("<h2>Title</h2><p>text</p>", "## Title\n\ntext"),
        ("<p>first<br>second</p>", "first  \nsecond"),
        ("<p>soft\nbreak</p>", "soft\nbreak"),
        ('<p><span class="inline-code">a`b</span></p>', "``a`b``"),
        ('<p><a href="https://example.org/x">here</a></p>', "[here](https://example.org/x)"),
        ('<p><a href="https://example.org/">https://example.org/</a></p>', "https://example.org/"),
        (
            '<p><a href="https://www.google.com/url?sa=E&q=https%3A%2F%2Fexample.org">here</a></p>',
            "[here](https://example.org)",
        ),
        ("<ul><li><p>a</p></li><li><p>b</p><ul><li>c</li></ul></li></ul>", "- a\n- b\n  - c"),
        ("<ol start='3'><li>c</li><li>d</li></ol>", "3. c\n4. d"),
        ("<ul><li><p>a</p><p>b</p></li><li><p>c</p></li></ul>", "- a\n\n  b\n\n- c"),
        ("<blockquote><p>said</p><p>more</p></blockquote>", "> said\n>\n> more"),
        ("<p>a</p><hr><p>b</p>", "a\n\n---\n\nb"),
        ("<pre><code class='language-js'>let a\nlet b\n</code></pre>", "```js\nlet a\nlet b\n```"),
        ("<pre><code>``` in ```</code></pre>", "````\n``` in ```\n````"),
        (
            "<table><tr><th align='right'>a</th><th>b</th></tr><tr><td>1</td><td>x|y</td></tr></table>",
            "| a | b |\n| ---: | --- |\n| 1 | x\\|y |",
        ),
        ("<table><tr><th>a</th><th></th></tr></table>", "| a | |\n| --- | --- |"),
        ("<p>1 < 2 & 3 * 4 \N{NO-BREAK SPACE}5</p>", "1 < 2 & 3 * 4  5"),
    ],
)
async def test_every_kind_of_markup(read: Read, html: str, markdown: str) -> None:
    """Each is written in the way that models use most."""
    assert await read(html, False) == (markdown, "")


async def test_the_pages_own_elements_are_seen_through(read: Read) -> None:
    """Nested nodes of the page, its icons, buttons and panels are no part of the text."""
    html = """<ms-cmark-node><ms-cmark-node><p><ms-cmark-node><span>Hi </span></ms-cmark-node>
      <ms-cmark-node><strong><ms-cmark-node><span>there</span></ms-cmark-node></strong></ms-cmark-node></p></ms-cmark-node>
      <ms-cmark-node><ms-code-block data-test-language="python"><mat-expansion-panel-header><mat-panel-title>
      <span class="material-symbols-outlined">code</span><span>Python</span></mat-panel-title><button>Copy</button>
      </mat-expansion-panel-header><pre><code>print()</code></pre></ms-code-block></ms-cmark-node></ms-cmark-node>"""

    sure, _ = await read(html, False)

    assert " ".join(sure.partition("\n\n")[0].split()) == "Hi **there**"
    assert sure.endswith("```python\nprint()\n```")


async def test_formulas_are_their_source(read: Read) -> None:
    """Within a line between single dollars, alone between double ones on lines of their own."""
    katex = '<span class="katex"><math><semantics><mi>x</mi><annotation>x^2</annotation></semantics></math>x2</span>'

    inline = await read(f"<p>so <ms-katex>{katex}</ms-katex>.</p>", False)
    display = await read(f'<p><ms-katex><span class="katex-display">{katex}</span></ms-katex></p>', False)

    assert inline == ("so $x^2$.", "")
    assert display == ("$$\nx^2\n$$", "")


@pytest.mark.parametrize(
    ("html", "sure", "rest"),
    [
        ("<p>All of this is certain</p>", "All of this is certain", ""),
        ("<p>Some **bol</p>", "Some", " **bol"),
        ("<p>a <em>b</em> and `c</p>", "a *b* and", " `c"),
        ("<p>snake_case and 3 * 4 stay</p>", "snake_case and 3 * 4 stay", ""),
        ("<p>see [the</p>", "see", " [the"),
        ("<p>It costs $5</p>", "It costs", " $5"),
        ("<p>one</p><p>| a | b |</p>", "one", "\n\n| a | b |"),
        ("<p>one</p><p>-</p>", "one", "\n\n-"),
        ("<pre><code>first\nsec</code></pre>", "```\nfirst", "\nsec\n```"),
        ("<pre><code>first</code></pre>", "", "```\nfirst\n```"),
        ("<ul><li>a</li><li>b **c</li></ul>", "- a\n- b", " **c"),
        (
            "<table><tr><th>a</th></tr><tr><td>1</td></tr><tr><td>2</td></tr></table>",
            "| a |\n| --- |\n| 1 |",
            "\n| 2 |",
        ),
        ("<table><tr><th>a</th></tr></table>", "", "| a |\n| --- |"),
        ("<p>whole **one</p><p>next</p>", "whole **one\n\nnext", ""),
    ],
)
async def test_what_is_certain_while_more_comes(read: Read, html: str, sure: str, rest: str) -> None:
    """Up to the first place that the next characters could turn into something else."""
    assert await read(html, True) == (sure, rest)
