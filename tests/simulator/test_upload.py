"""Files in the page, in a real browser: from the input to the request and the log."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from .harness import Running
from .test_browser import COMPOSER, NEW_CHAT, RUN, answered, log_of, play, submit

pytestmark = pytest.mark.asyncio(loop_scope="session")

INPUT = "ms-prompt-box input[type=file][data-test-upload-file-input]"
CHIP = "ms-prompt-media"
READY = (
    'ms-prompt-media:has([data-test-id="prompt-media-container"]):has([data-test-id="token-count"])'
    ':has(button[aria-label="Remove media"])'
)
AGREE = (
    'mat-dialog-container#copyright-acknowledgement-dialog button[aria-label="Agree to the copyright acknowledgement"]'
)

type Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make a file of a name, and of content or size."""

    def make(name: str, content: bytes = b"content", *, size: int | None = None) -> Path:
        path = tmp_path / name
        path.write_bytes(content if size is None else (name.encode() * (size // len(name) + 1))[:size])
        return path

    return make


async def script(simulator: Running, **scenario: Any) -> None:
    """Post an upload scenario."""
    async with simulator.client() as client:
        (await client.post("/__sim/uploads", json=scenario)).raise_for_status()


async def options(simulator: Running, **values: Any) -> None:
    """Set the options of the next page."""
    async with simulator.client() as client:
        (await client.put("/__sim/page", json=values)).raise_for_status()


async def opened(context: BrowserContext, address: str = NEW_CHAT) -> Page:
    """Open another page, with its model."""
    page = await context.new_page()
    await page.goto(address, wait_until="domcontentloaded")
    await page.locator("ms-model-selector .title").get_by_text("Gemini").wait_for()
    return page


async def choose(page: Page, *paths: Path, agree: bool = True) -> None:
    """Give files to the hidden input, the first time with the owner's consent."""
    await page.locator(INPUT).set_input_files(list(paths))
    if agree:
        await page.locator(AGREE).click()


def told(path: Path, mime: str) -> dict[str, Any]:
    """Return what the log says of a file."""
    content = path.read_bytes()
    return {"name": path.name, "mime": mime, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def run(page: Page) -> Locator:
    """Find the Run button."""
    return page.locator(RUN)


async def can_run(page: Page, *, now: bool) -> None:
    """Wait until Run can be pressed, or can't."""
    await expect(run(page)).to_have_attribute("aria-disabled", str(not now).lower())


@pytest.mark.parametrize("address", [NEW_CHAT, f"{NEW_CHAT}?incognito=true"], ids=["Drive", "inline"])
async def test_files_reach_the_server(signed_in: BrowserContext, simulator: Running, make: Make, address: str) -> None:
    """Every file arrives with name, type and content, in the order of choosing, before the text, exactly once."""
    page = await opened(signed_in, address)
    png, mp4, md = make("ein Bild.png", b"\x89PNG"), make("film.mp4", size=100_000), make("notes.md", b"# Notes")
    await choose(page, png, mp4, md)
    await expect(page.locator(READY)).to_have_count(3)
    await submit(page, "look at these")
    await answered(page)

    [record] = await log_of(simulator)
    assert record["files"] == [told(png, "image/png"), told(mp4, "video/mp4"), told(md, "text/markdown")]
    assert (record["prompt"], record["status"]) == ("look at these", 200)
    await expect(page.locator(CHIP)).to_have_count(0)
    await expect(page.locator("ms-chat-turn ms-image-chunk img.loaded-image")).to_have_count(1)
    await expect(page.locator("ms-chat-turn ms-file-chunk .name")).to_have_text(["film.mp4", "notes.md"])


async def test_a_large_file_goes_to_drive(signed_in: BrowserContext, simulator: Running, make: Make) -> None:
    """What is too large for a request goes to Drive, also in a temporary chat; 100 MB pass."""
    page = await opened(signed_in, f"{NEW_CHAT}?incognito=true")
    large = make("large.mp4", size=100_000_000)
    await choose(page, make("small.png"), large)
    await expect(page.locator(READY)).to_have_count(2, timeout=30_000)
    requests: list[int] = []
    page.on("request", lambda request: requests.append(len(request.post_data or "")))
    await submit(page, "x")
    await answered(page)

    [record] = await log_of(simulator)
    assert [file["size"] for file in record["files"]] == [7, 100_000_000]
    assert record["files"][1] == told(large, "video/mp4")
    assert max(requests) < 10_000


async def test_large_files_inline(signed_in: BrowserContext, simulator: Running, make: Make) -> None:
    """With a higher limit files of many megabytes fit into the request."""
    await options(simulator, inline_bytes=50_000_000)
    page = await opened(signed_in, f"{NEW_CHAT}?incognito=true")
    large = make("large.mp4", size=20_000_000)
    await choose(page, large)
    await expect(page.locator(READY)).to_have_count(1, timeout=30_000)
    await submit(page, "x")
    await answered(page)

    [record] = await log_of(simulator)
    assert record["files"] == [told(large, "video/mp4")]


async def test_the_owner_is_asked_once(signed_in: BrowserContext, page: Page, make: Make) -> None:
    """The dialog covers everything until somebody agrees; neither this page nor another asks again."""
    other = await opened(signed_in)
    await choose(page, make("a.png"), agree=False)
    await expect(page.locator(AGREE)).to_be_visible()
    await expect(page.locator(CHIP)).to_have_count(0)
    await page.locator(AGREE).click()
    await expect(page.locator(READY)).to_have_count(1)

    for again in (page, other):
        await choose(again, make("b.png"), agree=False)
    await expect(page.locator(READY)).to_have_count(2)
    await expect(other.locator(READY)).to_have_count(1)
    await page.reload()
    await choose(page, make("c.png"), agree=False)
    await expect(page.locator(READY)).to_have_count(1)


async def test_declining_drops_the_files(page: Page, make: Make) -> None:
    """Who closes the dialog has not agreed: nothing is uploaded, and the next file asks again."""
    await choose(page, make("a.png"), agree=False)
    await page.locator(AGREE).wait_for()
    await page.keyboard.press("Escape")
    await expect(page.locator(AGREE)).to_have_count(0)
    await expect(page.locator(CHIP)).to_have_count(0)

    await choose(page, make("b.png"))
    await expect(page.locator(READY)).to_have_count(1)


async def test_run_waits_for_every_file(page: Page, simulator: Running, make: Make) -> None:
    """While a file is uploaded or counted there is progress, and Run can't be pressed."""
    await script(simulator, when="slow", upload_ms=300, count_ms=300)
    await page.locator(COMPOSER).fill("text")
    await can_run(page, now=True)
    await choose(page, make("fast.png"), make("slow.png"))

    await expect(page.locator(f"{CHIP}[aria-busy=true] mat-progress-bar[role=progressbar]")).to_have_count(1)
    await expect(page.locator(READY)).to_have_count(1)
    await can_run(page, now=False)
    await expect(page.locator(f"{CHIP} mat-spinner[role=progressbar]")).to_have_count(1)
    await can_run(page, now=False)
    await expect(page.locator(READY)).to_have_count(2)
    await can_run(page, now=True)


async def test_tokens(page: Page, make: Make) -> None:
    """Each chip tells its tokens; the toolbar adds them to the text's."""
    await choose(page, make("a.png"), make("a.txt", size=2000))
    await page.locator(COMPOSER).fill("two words")

    await expect(page.locator('[data-test-id="token-count"]')).to_have_text(["258 tokens", "2 tokens"])
    await expect(page.locator(".v3-token-count-value")).to_have_text("262")


async def test_a_file_alone(page: Page, simulator: Running, make: Make) -> None:
    """A prompt may be nothing but a file."""
    await choose(page, make("a.pdf"))
    await can_run(page, now=True)
    await run(page).click()
    await answered(page)

    [record] = await log_of(simulator)
    assert (record["prompt"], [file["mime"] for file in record["files"]]) == ("", ["application/pdf"])


async def test_removing_a_file(page: Page, simulator: Running, make: Make) -> None:
    """A removed file doesn't go with the prompt, also when it is still under way."""
    await script(simulator, when="slow", upload_ms=60_000)
    await choose(page, make("slow.png"), make("kept.png"), make("gone.png"))
    await expect(page.locator(READY)).to_have_count(2)
    for name in ("slow", "gone"):
        await page.locator(CHIP, has_text=name).get_by_label("Remove media").click()
    await submit(page, "x")
    await answered(page)

    [record] = await log_of(simulator)
    assert [file["name"] for file in record["files"]] == ["kept.png"]


async def test_the_same_file_twice(page: Page, simulator: Running, make: Make) -> None:
    """A file may be chosen again; the page doesn't mind."""
    path = make("a.png")
    await choose(page, path)
    await choose(page, path, agree=False)
    await expect(page.locator(READY)).to_have_count(2)
    await submit(page, "x")
    await answered(page)

    [record] = await log_of(simulator)
    assert [file["name"] for file in record["files"]] == ["a.png", "a.png"]


@pytest.mark.parametrize("name", ["report.docx", "program.exe", "nothing"])
async def test_types_the_page_does_not_take(page: Page, make: Make, name: str) -> None:
    """A toast says so; the other files are taken."""
    await choose(page, make(name), make("a.png"))

    await expect(page.locator("ms-toast .toast.error .content-text")).to_contain_text(f"{name}: files of type")
    await expect(page.locator(READY)).to_have_count(1)
    await can_run(page, now=True)


@pytest.mark.parametrize(("fail", "shown"), [("chip", (1, 0)), ("toast", (0, 1)), ("silent", (0, 0))])
async def test_a_failed_upload(page: Page, simulator: Running, make: Make, fail: str, shown: tuple[int, int]) -> None:
    """A failure shows as scripted, with its words, and forbids Run as long as the chip is there."""
    chips, toasts = shown
    await script(simulator, fail=fail, message="The upload failed.")
    await page.locator(COMPOSER).fill("text")
    await choose(page, make("a.png"))
    await expect(page.locator(f"{CHIP} [role=progressbar]")).to_have_count(0)

    await expect(page.locator(CHIP)).to_have_count(chips)
    await expect(page.locator(f"{CHIP} mat-error")).to_have_text(["The upload failed."] * chips)
    await expect(page.locator("ms-toast .content-text")).to_have_text(["The upload failed."] * toasts)
    await can_run(page, now=not chips)


async def test_an_upload_that_never_ends(page: Page, simulator: Running, make: Make) -> None:
    """It keeps its progress, until it is removed."""
    await script(simulator, fail="hang", upload_ms=0)
    await page.locator(COMPOSER).fill("text")
    await choose(page, make("a.png"))
    await expect(page.locator(f"{CHIP} [role=progressbar]")).to_have_count(1)
    await can_run(page, now=False)

    await page.get_by_label("Remove media").click()
    await can_run(page, now=True)


async def test_files_survive_a_refused_prompt(page: Page, simulator: Running, make: Make) -> None:
    """When nothing comes but an error, the text is gone and the files are back; a new chat is without them."""
    await play(simulator, http_status=403)
    await choose(page, make("a.png"))
    await expect(page.locator(READY)).to_have_count(1)
    await submit(page, "x")
    await expect(page.locator("ms-toast .toast.error")).to_be_visible()

    await expect(page.locator(READY)).to_have_count(1)
    await expect(page.locator(COMPOSER)).to_have_value("")
    await page.get_by_label("New chat").click()
    await page.get_by_text("Discard and continue").click()
    await expect(page.locator(CHIP)).to_have_count(0)


async def test_files_of_an_answered_prompt_stay_with_it(page: Page, simulator: Running, make: Make) -> None:
    """An answer that breaks off has used its files up; the next turn sends them as history only."""
    await play(simulator, text=["some"], cut_after_frames=1, times=1)
    await choose(page, make("a.png"))
    await expect(page.locator(READY)).to_have_count(1)
    await submit(page, "one")
    await expect(page.locator(".model-error")).to_be_visible()
    await expect(page.locator(CHIP)).to_have_count(0)
    await submit(page, "two")
    await answered(page)

    assert [len(record["files"]) for record in await log_of(simulator)] == [1, 0]


@pytest.mark.parametrize(
    ("place", "label"), [("box", "Upload files"), ("menu", "Upload a file"), ("chooser", "Upload File")]
)
async def test_the_menu(signed_in: BrowserContext, simulator: Running, make: Make, place: str, label: str) -> None:
    """Whatever its item is called and wherever the input is, the menu opens a file chooser and goes."""
    await options(simulator, file_input=place, upload_label=label)
    page = await opened(signed_in)
    await expect(page.locator("ms-prompt-box input[type=file]")).to_have_count(1 if place == "box" else 0)
    await page.locator('button[data-test-id="add-media-button"]').click()
    item = page.locator(".cdk-overlay-container [role=menu] button[role=menuitem]", has_text=label)
    await expect(item.locator("input[type=file]")).to_have_count(1 if place == "menu" else 0)
    async with page.expect_file_chooser() as chooser:
        await item.click()
    await (await chooser.value).set_files(make("a.png"))
    await page.locator(AGREE).click()

    await expect(page.locator(READY)).to_have_count(1)
    await expect(page.locator("[role=menu]")).to_have_count(0)


async def test_the_menus_own_input(signed_in: BrowserContext, simulator: Running, make: Make) -> None:
    """Files given to the input in the menu leave the menu open, whose backdrop covers the page; it takes one file."""
    await options(simulator, file_input="menu", multiple=False)
    page = await opened(signed_in)
    await page.locator('button[data-test-id="add-media-button"]').click()
    field = page.locator("button[role=menuitem] input[type=file]")
    await expect(field).not_to_have_attribute("multiple", re.compile(""))
    await field.set_input_files(make("a.png"))
    await page.locator(AGREE).click()

    await expect(page.locator(READY)).to_have_count(1)
    await expect(page.locator(".cdk-overlay-transparent-backdrop")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(page.locator(".cdk-overlay-backdrop")).to_have_count(0)
