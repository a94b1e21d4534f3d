"""Files on their way into the page, with the real browser and the simulator."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from studiogate.attachments import Attachment, AttachmentRef
from studiogate_studio.errors import FileRefused, NotReady, PageBroken, PromptRefused
from studiogate_studio.probe import RunState
from studiogate_studio.settings import StudioSettings
from studiogate_studio.tab import Tab
from studiogate_studio.tabs import TabPool

from .conftest import SHARED, Simulator, eventually, running

pytestmark = SHARED

type Make = Callable[..., Attachment]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a maker of attachments by name."""

    def make(name: str, mime: str = "image/png", *, size: int = 100) -> Attachment:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        path = folder / name
        path.write_bytes((name.encode() * (size // len(name.encode()) + 1))[:size])
        ref = AttachmentRef(source="", param=f"messages[0].content[{name}]")
        return Attachment(ref=ref, path=path, mime=mime, filename=name, size=size)

    return make


def told(*attachments: Attachment) -> list[dict[str, Any]]:
    """Return what the simulator logs of files."""
    return [
        {
            "name": each.filename,
            "mime": each.mime,
            "size": each.size,
            "sha256": hashlib.sha256(each.path.read_bytes()).hexdigest(),
        }
        for each in attachments
    ]


async def ask(tab: Tab, text: str, *attachments: Attachment) -> None:
    """Attach, type and submit."""
    if attachments:
        await tab.attach(attachments)
    await tab.type_prompt(text)
    await tab.submit()


async def asked_cleanly(pool: TabPool, simulator: Simulator) -> None:
    """Ask once more: whatever came before, this prompt goes alone."""
    async with pool.lease() as tab:
        await ask(tab, "and now?")
        await eventually(lambda: simulator.prompts()[-1:] == ["and now?"])
    assert simulator.files()[-1] == []


@pytest.mark.parametrize("temporary", [True, False], ids=["inline", "Drive"])
async def test_files_go_with_the_prompt(
    settings: StudioSettings, simulator: Simulator, make: Make, *, temporary: bool
) -> None:
    """All of them, in their order although the first is the slowest, exactly once."""
    files = [make("slow film.mp4", "video/mp4", size=200_000), make("ä 漢字.png"), make("notes.md", "text/markdown")]
    simulator.play_upload(when="slow", upload_ms=400)
    async with running(attrs.evolve(settings, temporary_chat=temporary)) as pool, pool.lease() as tab:
        await tab.attach(files)
        await ask(tab, "compare")

        await eventually(lambda: simulator.prompts() == ["compare"])
        assert simulator.files() == [told(*files)]


async def test_files_without_a_word(pool: TabPool, simulator: Simulator, make: Make) -> None:
    """A prompt may be files alone; white space is none."""
    for text in ("", " \n"):
        file = make("a.pdf", "application/pdf")
        async with pool.lease() as tab:
            await tab.attach([file])
            assert await tab.type_prompt(text) == ""
            await tab.submit()
            await eventually(lambda: len(simulator.files()) > 0)
        assert simulator.files()[-1] == told(file)
        simulator.control.delete("/__sim/log")


async def test_nothing_at_all_is_refused(pool: TabPool) -> None:
    """Without text and without files there is nothing to submit."""
    async with pool.lease() as tab:
        with pytest.raises(PromptRefused, match="empty"):
            await tab.type_prompt(" ")


async def test_a_hundred_megabytes(pool: TabPool, simulator: Simulator, make: Make) -> None:
    """Large files need no memory of ours and arrive whole."""
    file = make("large.mp4", "video/mp4", size=100_000_000)
    async with pool.lease() as tab:
        await ask(tab, "watch this", file)
        await eventually(lambda: len(simulator.files()) == 1)

    assert simulator.files() == [told(file)]


@pytest.mark.parametrize(
    "options",
    [
        {"file_input": "menu", "upload_label": "Upload a file", "multiple": False},
        {"file_input": "menu"},
        {"file_input": "chooser", "upload_label": "Upload File"},
        {"file_input": "box", "multiple": False},
    ],
)
async def test_every_way_to_give_files(
    settings: StudioSettings, simulator: Simulator, make: Make, options: dict[str, Any]
) -> None:
    """Whether the input is hidden in the box, in the menu, or nowhere; no menu stays open."""
    simulator.options(**options)
    files = [make("a.png"), make("b.png")]
    async with running(settings) as pool, pool.lease() as tab:
        await tab.attach(files)
        look = await tab.chat.probe.look()
        await ask(tab, "compare")

        await eventually(lambda: simulator.prompts() == ["compare"])
    assert look.overlays == ()
    assert simulator.files() == [told(*files)]


async def test_the_copyright_notice_is_agreed_to_once(
    settings: StudioSettings, simulator: Simulator, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """The first upload of a browser meets it; it is answered and logged, and the next meets none."""
    caplog.set_level(logging.INFO, "studiogate_studio.uploads")
    async with running(settings) as pool:
        for number in range(2):
            async with pool.lease() as tab:
                await ask(tab, f"number {number}", make("a.png"))
                await eventually(lambda: len(simulator.files()) == number + 1)  # noqa: B023 - asked at once

    assert sum("copyright" in record.message for record in caplog.records) == 1


async def test_the_owner_may_want_to_agree_in_person(
    settings: StudioSettings, simulator: Simulator, make: Make
) -> None:
    """Then nothing is uploaded until then, and the error says what to do."""
    async with running(attrs.evolve(settings, acknowledge_copyright=False)) as pool:
        async with pool.lease() as tab:
            with pytest.raises(NotReady, match="acknowledge_copyright"):
                await tab.attach([make("a.png")])

        await asked_cleanly(pool, simulator)


async def test_a_type_the_page_does_not_take(pool: TabPool, simulator: Simulator, make: Make) -> None:
    """The refusal has the page's words and names the file and its place; the next prompt goes alone."""
    async with pool.lease() as tab:
        with pytest.raises(FileRefused) as caught:
            await tab.attach([make("a.png"), make("report.docx"), make("b.png")])

    assert caught.value.message.startswith('AI Studio refused the file "report.docx": report.docx: files of type')
    assert (caught.value.status, caught.value.param) == (400, "messages[0].content[report.docx]")
    await asked_cleanly(pool, simulator)


@pytest.mark.parametrize("fail", ["chip", "toast"])
async def test_an_upload_that_fails(pool: TabPool, simulator: Simulator, make: Make, fail: str) -> None:
    """What the page says of it is what the client is told, however the page says it."""
    simulator.play_upload(when="b.png", fail=fail, message="Quota of your Drive exceeded.", upload_ms=100)
    async with pool.lease() as tab:
        with pytest.raises(FileRefused, match="Quota of your Drive exceeded") as caught:
            await tab.attach([make("a.png"), make("b.png"), make("c.png")])

    assert caught.value.param == ("messages[0].content[b.png]" if fail == "chip" else None)
    await asked_cleanly(pool, simulator)


async def test_a_file_that_is_dropped_without_a_word(
    settings: StudioSettings, simulator: Simulator, make: Make
) -> None:
    """It is not waited for in vain, and the prompt doesn't go without it."""
    simulator.play_upload(fail="silent")
    async with running(attrs.evolve(settings, upload_quiet_s=1.0)) as pool:
        async with pool.lease() as tab:
            with pytest.raises(PageBroken, match="without a word"):
                await tab.attach([make("a.png")])

        await asked_cleanly(pool, simulator)


async def test_an_upload_that_never_ends(settings: StudioSettings, simulator: Simulator, make: Make) -> None:
    """It is given up in time, and its tab replaced."""
    simulator.play_upload(when="b.png", fail="hang")
    async with running(attrs.evolve(settings, upload_s=5, upload_s_per_mb=0)) as pool:
        async with pool.lease() as tab:
            with pytest.raises(PageBroken, match="1 of 2 are ready"):
                await tab.attach([make("a.png"), make("b.png")])
            assert tab.fault is not None

        await asked_cleanly(pool, simulator)


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.3])
async def test_an_exchange_that_leaves_while_it_uploads(
    pool: TabPool, simulator: Simulator, make: Make, delay_s: float
) -> None:
    """Wherever it is cancelled, nothing of it is left for the next."""
    simulator.play_upload(upload_ms=60_000)
    async with pool.lease() as tab:
        uploading = asyncio.create_task(tab.attach([make("a.png"), make("b.png")]))
        await asyncio.sleep(delay_s)
        uploading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await uploading

    await asked_cleanly(pool, simulator)


async def test_a_second_attempt_in_the_same_tab(pool: TabPool, simulator: Simulator, make: Make) -> None:
    """What an earlier backend left in the composer is cleared first: nothing goes twice."""
    one, other = make("a.png"), make("b.png")
    async with pool.lease() as tab:
        await tab.attach([one, other])
        await tab.type_prompt("first attempt")
        await ask(tab, "second attempt", one, other)

        await eventually(lambda: simulator.prompts() == ["second attempt"])
    assert simulator.files() == [told(one, other)]


async def test_a_file_that_goes_missing_before_the_prompt(pool: TabPool, make: Make) -> None:
    """A prompt isn't submitted without one of its files."""
    async with pool.lease() as tab:
        await tab.attach([make("a.png"), make("b.png")])
        await tab.page.get_by_label("Remove media").first.click()

        with pytest.raises(PageBroken, match="1 files instead of 2"):
            await tab.type_prompt("text")


async def test_a_page_without_any_way(settings: StudioSettings, simulator: Simulator, make: Make) -> None:
    """Where neither input nor button is found, the error says what to set."""
    simulator.options(file_input="chooser")
    async with running(settings) as pool, pool.lease() as tab:
        await tab.page.evaluate("document.querySelector('ms-add-media-button').remove()")

        with pytest.raises(PageBroken, match=r"studio\.selectors"):
            await tab.attach([make("a.png")])


async def test_run_is_ready_once_the_files_are(pool: TabPool, make: Make) -> None:
    """After attaching, Run can be pressed before anything is typed."""
    async with pool.lease() as tab:
        await tab.attach([make("a.png")])

        assert await tab.chat.run_state() is RunState.IDLE_READY
