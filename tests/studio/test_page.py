from pathlib import Path

import pytest

from studiogate_studio.errors import PageBroken, PromptRefused
from studiogate_studio.probe import RunState
from studiogate_studio.selectors import load_selectors
from studiogate_studio.settings import StudioSettings
from studiogate_studio.tabs import TabPool

from .conftest import SHARED, Simulator, eventually, running

pytestmark = SHARED

BACKDROP = """() => {
  const backdrop = document.createElement("div");
  backdrop.className = "cdk-overlay-backdrop cdk-overlay-transparent-backdrop cdk-overlay-backdrop-showing";
  backdrop.style = "position: fixed; inset: 0; z-index: 1000";
  backdrop.addEventListener("click", () => backdrop.remove());
  document.querySelector(".cdk-overlay-container").append(backdrop);
}"""

SURVEY = """() => {
  const frame = document.createElement("iframe");
  frame.id = "google-hats-survey-1";
  document.body.append(frame);
}"""

BLIND = """() => document.addEventListener("keydown", (event) => event.stopImmediatePropagation(), true)"""
DEAF = """() => {
  for (const kind of ["keydown", "click"])
    document.addEventListener(kind, (event) => event.stopImmediatePropagation(), true);
}"""


async def test_a_new_chat_is_fresh_and_temporary(pool: TabPool) -> None:
    """The composer is empty, Run can't be pressed, and the chat says that it is temporary."""
    async with pool.lease() as tab:
        look = await tab.chat.probe.look()

        assert tab.chat.temporary
        assert (look.composer, look.run, look.bubbles) == (True, RunState.IDLE_EMPTY, ())


async def test_a_chat_is_made_temporary_through_the_menu(settings: StudioSettings) -> None:
    """When the address did not ask for it, the overflow menu does, and is closed again."""
    from studiogate_studio.temporary import make_temporary  # noqa: PLC0415

    async with running(settings) as pool, pool.lease() as tab:
        await tab.page.goto(settings.page_url)
        await tab.page.wait_for_selector("textarea")
        assert await make_temporary(tab.chat.probe)

        look = await tab.chat.probe.look()
        assert (look.temporary, look.overlays) == (True, ())


async def test_a_prompt_is_sent_exactly_once(pool: TabPool, simulator: Simulator) -> None:
    """What was typed is what the upstream received."""
    async with pool.lease() as tab:
        await tab.type_prompt("What is a tab?")
        await tab.submit()

        assert tab.submitted
        await eventually(lambda: simulator.prompts() == ["What is a tab?"])


@pytest.mark.parametrize(
    ("text", "composed"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("  indented\n\ttabbed  ", "  indented\n\ttabbed  "),
        ("ends with a line\n", "ends with a line\n"),
        ("emoji 👩‍💻 and ünïcödé 漢字", "emoji 👩‍💻 and ünïcödé 漢字"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("x", "x"),
    ],
)
async def test_text_arrives_as_a_textarea_holds_it(
    pool: TabPool, simulator: Simulator, text: str, composed: str
) -> None:
    """Newlines become LF; nothing else changes."""
    async with pool.lease() as tab:
        assert await tab.type_prompt(text) == composed
        await tab.submit()

        await eventually(lambda: len(simulator.prompts()) == 1)
        assert simulator.prompts()[0].rstrip("\n") == composed.rstrip("\n")


@pytest.mark.parametrize("line", ["x" * 79 + "\n", "word " * 200 + "\n", "line\n"])
async def test_long_prompts_arrive_whole(pool: TabPool, simulator: Simulator, line: str) -> None:
    """200 kB, in few long lines or in many short ones."""
    text = line * (200_000 // len(line)) + "end"
    async with pool.lease() as tab:
        await tab.type_prompt(text)
        await tab.submit()

        await eventually(lambda: simulator.prompts() == [text])


async def test_typing_again_replaces_what_was_typed(pool: TabPool) -> None:
    """The composer holds one prompt."""
    async with pool.lease() as tab:
        await tab.type_prompt("first")
        await tab.type_prompt("second")

        assert await tab.page.locator("textarea").first.input_value() == "second"


async def test_an_empty_prompt_is_refused(pool: TabPool) -> None:
    """Run would stay disabled."""
    async with pool.lease() as tab:
        with pytest.raises(PromptRefused, match="empty"):
            await tab.type_prompt(" \n")


async def test_run_is_clicked_when_keys_do_nothing(pool: TabPool, simulator: Simulator) -> None:
    """A page that ignores Ctrl+Enter still gets the prompt, once."""
    async with pool.lease() as tab:
        await tab.page.evaluate(BLIND)
        await tab.type_prompt("clicked")
        await tab.submit()

        await eventually(lambda: simulator.prompts() == ["clicked"])


async def test_a_page_that_ignores_run_refuses_the_prompt(settings: StudioSettings, simulator: Simulator) -> None:
    """Nothing was sent, and the tab says so, so that another backend may send it."""
    short = StudioSettings(
        profile=settings.profile, tabs=1, reroute=settings.reroute, reroute_ca=settings.reroute_ca, submit_s=4
    )
    async with running(short) as pool, pool.lease() as tab:
        await tab.page.evaluate(DEAF)
        await tab.type_prompt("never sent")

        with pytest.raises(PromptRefused):
            await tab.submit()
        assert not tab.submitted
        assert simulator.prompts() == []


async def test_a_tab_submits_once(pool: TabPool, simulator: Simulator) -> None:
    """A second submission in one lease is refused."""
    async with pool.lease() as tab:
        await tab.type_prompt("once")
        await tab.submit()

        with pytest.raises(PageBroken, match="already"):
            await tab.submit()
        await eventually(lambda: simulator.prompts() == ["once"])


async def test_stop_ends_a_running_answer(pool: TabPool, simulator: Simulator) -> None:
    """The page's own Stop is pressed, and the upstream is told."""
    simulator.play(when="long", text=["word "] * 500, chunk_delay_ms=50)
    async with pool.lease() as tab:
        assert await tab.chat.run_state() is RunState.IDLE_EMPTY
        await tab.type_prompt("a long answer")
        await tab.submit()
        assert await tab.chat.run_state() is RunState.GENERATING

        assert await tab.chat.stop()
        assert await tab.chat.run_state() is RunState.IDLE_EMPTY


@pytest.mark.parametrize(("overlay", "name"), [(BACKDROP, "menu_backdrop"), (SURVEY, "survey")])
async def test_known_overlays_are_closed(pool: TabPool, simulator: Simulator, overlay: str, name: str) -> None:
    """Typing clears the way by itself."""
    async with pool.lease() as tab:
        await tab.page.evaluate(overlay)
        assert name in (await tab.chat.probe.look()).overlays

        await tab.type_prompt("in the way")
        assert (await tab.chat.probe.look()).overlays == ()
        await tab.submit()
        await eventually(lambda: simulator.prompts() == ["in the way"])


async def test_unknown_dialogs_are_left_alone(pool: TabPool) -> None:
    """Their main button may do anything."""
    dialog = "() => document.body.append(document.createElement('mat-dialog-container'))"
    async with pool.lease() as tab:
        await tab.page.evaluate(dialog)

        assert await tab.chat.dismiss_overlays() == ()
        assert await tab.page.locator("mat-dialog-container").count() == 1


async def test_matches_report_the_candidate_of_every_element(pool: TabPool) -> None:
    """Also of those that nothing matches now."""
    async with pool.lease() as tab:
        matches = {match.element: match for match in await tab.chat.matches()}

    assert set(matches) == set(load_selectors().candidates)
    assert (matches["composer"].candidate, matches["composer"].visible) == (0, 1)
    assert (matches["toast"].candidate, matches["toast"].selector) == (None, None)


async def test_the_operators_selectors_are_used(settings: StudioSettings, tmp_path: Path) -> None:
    """A candidate that matches nothing, or is no CSS, is passed over for the next."""
    mine = tmp_path / "mine.toml"
    mine.write_text('composer = ["textarea:::wrong", "textarea.gone", "ms-prompt-box textarea"]')
    async with running(settings, load_selectors(mine)) as pool, pool.lease() as tab:
        assert tab.chat.probe.chosen["composer"] == 2
        await tab.type_prompt("found")


async def test_a_page_without_composer_is_broken(settings: StudioSettings, tmp_path: Path) -> None:
    """Who asks for a tab hears what is missing, as soon as it is known."""
    mine = tmp_path / "mine.toml"
    mine.write_text('composer = ["textarea.gone"]')
    quick = StudioSettings(
        profile=settings.profile, tabs=1, reroute=settings.reroute, reroute_ca=settings.reroute_ca, ready_s=1
    )
    async with running(quick, load_selectors(mine)) as pool:
        with pytest.raises(PageBroken, match="no composer") as caught:
            await pool.lease().__aenter__()

    assert caught.value.status == 502


async def test_a_server_error_is_not_waited_for(pool: TabPool, simulator: Simulator) -> None:
    """A page that answers with one shows no composer, however long one waits; the next attempt may have the page."""
    async with pool.lease() as tab:
        simulator.fault("load_error", http_status=502)
        with pytest.raises(PageBroken, match="HTTP 502"):
            await tab.chat.open_new_chat()
        await tab.chat.open_new_chat()

        assert (await tab.chat.probe.look()).composer
