import json
import logging
import stat
from pathlib import Path

import attrs
import pytest

from studiogate_studio.errors import NotReady, PageBroken
from studiogate_studio.failures import kept
from studiogate_studio.selectors import load_selectors
from studiogate_studio.settings import StudioSettings

from .conftest import eventually, running

SECRET = "what a client asked"


def failures(folder: Path) -> list[Path]:
    """Return what was kept, oldest first."""
    return sorted(folder.iterdir()) if folder.exists() else []


async def test_the_page_of_a_failed_step_is_kept(
    settings: StudioSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As many as the settings want, for the owner only; the log has the name and nothing of the request."""
    folder = tmp_path / "debug" / "pages"
    caplog.set_level(logging.INFO)
    async with running(attrs.evolve(settings, debug_dir=folder, debug_failures=2)) as pool, pool.lease() as tab:
        for number in range(3):
            await tab.chat.type_prompt(f"{SECRET} {number}")
            with pytest.raises(RuntimeError):
                async with kept(tab.chat, f"testing {number}"):
                    raise RuntimeError(SECRET)

    older, newer = failures(folder)
    told = json.loads((newer / "failure.json").read_text())
    assert [json.loads((each / "failure.json").read_text())["doing"] for each in (older, newer)] == [
        "testing 1",
        "testing 2",
    ]
    assert (told["error"], told["reason"]) == ("RuntimeError", SECRET)
    assert "<ms-run-button" in (newer / "page.html").read_text()
    assert (newer / "page.png").read_bytes().startswith(b"\x89PNG")
    assert "found    composer" in (newer / "elements.txt").read_text()
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, older, newer)} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in newer.iterdir()} == {0o600}
    assert newer.name in caplog.text
    assert SECRET not in caplog.text


async def test_what_the_page_is_not_to_blame_for_is_not_kept(settings: StudioSettings, tmp_path: Path) -> None:
    """Nor anything where the settings don't want it, nor the same again where it is known."""
    folder = tmp_path / "debug"
    known = PageBroken("as before")
    async with running(settings) as pool, pool.lease() as tab:
        with pytest.raises(PageBroken):
            async with kept(tab.chat, "testing"):
                raise PageBroken("without a folder")
        tab.chat.settings = attrs.evolve(settings, debug_dir=folder)
        with pytest.raises(NotReady):
            async with kept(tab.chat, "testing"):
                raise NotReady("a verdict")
        with pytest.raises(PageBroken):
            async with kept(tab.chat, "testing", known=known):
                raise PageBroken("as before")
        assert failures(folder) == []

        await tab.page.close()
        with pytest.raises(PageBroken):
            await tab.chat.type_prompt(SECRET)
        with pytest.raises(PageBroken):
            async with kept(tab.chat, "testing"):
                raise PageBroken("gone")
    assert [each.name for each in failures(folder)[0].iterdir()] == ["failure.json"]


async def test_a_backends_own_step_is_kept(settings: StudioSettings, tmp_path: Path) -> None:
    """Like the tab's; and a tab whose page broke in it is replaced."""
    folder = tmp_path / "debug"
    async with running(attrs.evolve(settings, debug_dir=folder)) as pool, pool.lease() as tab:
        with pytest.raises(PageBroken):
            async with tab.step("testing"):
                await tab.chat.probe.ask(bool, "no such thing")
        assert tab.fault == "The page failed when asked to no such thing."

    (only,) = failures(folder)
    assert json.loads((only / "failure.json").read_text())["doing"] == "testing"


async def test_a_page_that_cannot_be_used_is_kept_once(settings: StudioSettings, tmp_path: Path) -> None:
    """However often it is tried again; so its elements can be looked at."""
    mine = tmp_path / "mine.toml"
    mine.write_text('composer = ["textarea.gone"]')
    folder = tmp_path / "debug"
    changed = attrs.evolve(settings, debug_dir=folder, ready_s=1)
    async with running(changed, load_selectors(mine)) as pool:
        await eventually(lambda: pool.trouble is not None)
        first = pool.trouble
        await eventually(lambda: pool.trouble is not first)

    assert pool.selectors.misses["composer"] >= 2
    (only,) = failures(folder)
    assert "MISSING  composer" in (only / "elements.txt").read_text()


async def test_a_folder_that_cannot_be_written_is_told(
    settings: StudioSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What failed is what the client hears, all the same."""
    taken = tmp_path / "taken"
    taken.write_text("a file")
    async with running(attrs.evolve(settings, debug_dir=taken)) as pool, pool.lease() as tab:
        with pytest.raises(PageBroken, match="the reason"):
            async with kept(tab.chat, "testing"):
                raise PageBroken("the reason")

    assert "could not be kept" in caplog.text
    assert str(taken) not in caplog.text
