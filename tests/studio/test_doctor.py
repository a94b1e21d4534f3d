import asyncio
import json
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from studiogate_studio.doctor import NotOpened, look_at_page
from studiogate_studio.report import Report, Status
from studiogate_studio.selectors import load_selectors
from studiogate_studio.settings import StudioSettings

from .conftest import Simulator


async def examined(settings: StudioSettings, *, send: bool = False) -> Report:
    """Have a page reported on."""
    return await look_at_page(settings, load_selectors(settings.selectors), send=send)


def written(settings: StudioSettings, selectors: str = "") -> Path:
    """Write a configuration for these settings, with the operator's selectors next to it."""
    folder = settings.profile.parent
    lines = [
        'plugins = ["studio"]',
        "[studio]",
        f'profile = "{settings.profile}"',
        f'reroute = "{settings.reroute}"',
        f'reroute_ca = "{settings.reroute_ca}"',
        "ready_s = 1",
    ]
    if selectors:
        (folder / "mine.toml").write_text(selectors)
        lines.append('selectors = "mine.toml"')
    path = folder / "plugins.toml"
    path.write_text("\n".join(lines))
    return path


async def commanded(path: Path, *arguments: str) -> tuple[int, str, str]:
    """Run `studiogate doctor`; returns its exit code and what it printed."""
    command = (sys.executable, "-m", "studiogate", "doctor", "--config", str(path), *arguments)
    pipe = subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@pytest.mark.parametrize("generation", ["g1", "g2", "g3"])
async def test_a_page_that_is_as_known_has_all_that_is_needed(
    settings: StudioSettings, simulator: Simulator, generation: str
) -> None:
    """In a new chat, in menus, lists and dialogs, and, as it may send a prompt, below the answer."""
    simulator.options(generation=generation)
    simulator.play(text=["1\n", "2\n", "3\n"], chunk_delay_ms=200)

    report = await examined(settings, send=True)

    found = {finding.element for finding in report.findings if finding.status is Status.FOUND}
    assert report.ok, report.as_text()
    assert {"composer", "upload_item", "model_row", "system_text", "function_text", "schema_text"} <= found
    assert {"stop_mark", "media", "bubble", "copy_item", "edit_box"} <= found
    (prompt,) = simulator.prompts()
    assert prompt.startswith("Write the numbers")


async def test_a_changed_page_is_told_element_by_element(settings: StudioSettings, simulator: Simulator) -> None:
    """With the line of the operator's file, also where the page can't be typed into; nothing is sent."""
    changed = 'model_row = ["div:::wrong", "div.gone"]\ncomposer = ["textarea.gone"]\nrun_label = ["nothing"]\n'

    code, out, _ = await commanded(written(settings, changed), "--json", "--send")

    told = json.loads(out)
    found = {finding["element"]: finding for finding in told["findings"]}
    assert (code, told["ok"]) == (1, False)
    assert "no composer" in told["trouble"]
    assert [name for name, each in found.items() if each["status"] == "missing"] == ["composer", "model_row"]
    assert (found["model_row"]["file"], found["model_row"]["line"]) == ("mine.toml", 1)
    assert found["model_row"]["wrong"] == ["div:::wrong"]
    assert found["composer"]["paste"] == "composer = ['<new selector>', 'textarea.gone']"
    assert found["run_label"]["status"] == "absent"
    assert simulator.prompts() == []


async def test_a_signed_out_profile_is_told_with_what_to_do(settings: StudioSettings) -> None:
    """Whether the cookies look dead, or AI Studio refuses them."""
    state = json.loads(settings.profile.read_bytes())
    for cookie in state["cookies"]:
        # Living by the file, but not sent to the page's host.
        cookie["path"] = "/elsewhere"
    settings.profile.write_text(json.dumps(state))
    with pytest.raises(NotOpened, match="studiogate login"):
        await examined(settings)

    settings.profile.write_text(json.dumps({"cookies": [], "origins": []}))
    with pytest.raises(NotOpened, match="studiogate login"):
        await examined(settings)


async def test_a_page_that_cannot_be_reached_is_told(settings: StudioSettings) -> None:
    """With the browser's word for it."""
    with pytest.raises(NotOpened, match="ERR_CONNECTION_REFUSED"):
        await examined(attrs.evolve(settings, reroute="127.0.0.1:9"))


async def test_a_window_without_a_display_is_told(settings: StudioSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is started."""
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)

    with pytest.raises(NotOpened, match=r"studio\.headless"):
        await examined(attrs.evolve(settings, headless=False))


async def test_without_a_page_the_command_ends_with_2(settings: StudioSettings) -> None:
    """For people and for machines."""
    path = written(settings)
    settings.profile.unlink()

    people, machines = await asyncio.gather(commanded(path), commanded(path, "--json"))

    assert people[0] == machines[0] == 2
    assert "studiogate login" in people[2]
    assert json.loads(machines[1])["ok"] is False
