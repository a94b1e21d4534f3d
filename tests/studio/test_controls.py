"""Every control of the run settings, set in the real browser; what the page then sends is in the simulator's log."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
import pytest_asyncio
from playwright.async_api import Route

from studiogate.attachments import Attachment, AttachmentRef
from studiogate.errors import Declined
from studiogate.params import ResponseFormat
from studiogate.thinking import ThinkingChoice
from studiogate.tools import FunctionDeclaration
from studiogate_studio.controls import set_run_settings
from studiogate_studio.errors import PageBroken
from studiogate_studio.page import ChatPage
from studiogate_studio.preferences import INSTRUCTION_TITLE
from studiogate_studio.run_settings import RunSettings
from studiogate_studio.selectors import Selectors, load_selectors
from studiogate_studio.tab import Tab
from studiogate_studio.tabs import TabPool

from .conftest import SHARED, Simulator, eventually

FLASH = RunSettings(
    model="gemini-2.5-flash", model_title="Gemini 2.5 Flash", temperature=1, top_p=0.95, max_tokens=65536
)
PRO = attrs.evolve(FLASH, model="gemini-2.5-pro", model_title="Gemini 2.5 Pro")
LITE = attrs.evolve(FLASH, model="gemini-2.5-flash-lite", model_title="Gemini 2.5 Flash-Lite")
FLASH_3 = attrs.evolve(FLASH, model="gemini-3-flash-preview", model_title="Gemini 3 Flash Preview")
PRO_3 = attrs.evolve(
    FLASH,
    model="gemini-3-pro-preview",
    model_title="Gemini 3 Pro Preview",
    thinking=ThinkingChoice(level="high"),
)
DEFAULTS: Mapping[str, Any] = {"max_output_tokens": 65536, "temperature": 1, "top_p": 0.95, "top_k": 64}

NEWEST = "g3"
EVERY_GENERATION = pytest.mark.parametrize("generation", ["g1", "g2", NEWEST], indirect=True)

pytestmark = SHARED


@pytest.fixture
def generation(request: pytest.FixtureRequest) -> str:
    """Return the generation of the page to meet: the newest, or a test's parameter."""
    return getattr(request, "param", NEWEST)


@pytest_asyncio.fixture(loop_scope="module")
async def tab(pool: TabPool, simulator: Simulator, generation: str) -> AsyncGenerator[Tab]:
    """Return a leased tab, and the simulator with an empty log."""
    async with pool.lease() as tab:
        if generation != NEWEST:
            simulator.options(generation=generation)
            await tab.chat.open_new_chat()
        yield tab


async def sent(tab: Tab, simulator: Simulator, run: RunSettings | None) -> tuple[Mapping[str, str], dict[str, Any]]:
    """Set the page, submit a prompt; return what was refused and what the upstream received."""
    refused: Mapping[str, str] = await tab.set_run_settings(run) if run else {}
    await tab.type_prompt("Hello")
    await tab.submit()
    await eventually(lambda: simulator.prompts() == ["Hello"])
    return refused, simulator.control.get("/__sim/log").json()[0]


async def test_defaults_of_a_model(tab: Tab, simulator: Simulator) -> None:
    """What nobody asked for is at the model's default, and the search that the page has on is off."""
    refused, turn = await sent(tab, simulator, FLASH)

    assert refused == {}
    assert (turn["model"], turn["system"], turn["tools"]) == ("gemini-2.5-flash", None, [])
    assert turn["config"] == {**DEFAULTS, "thinking": {"include_thoughts": True}} | turn["config"]


@EVERY_GENERATION
async def test_everything_of_the_sampling(tab: Tab, simulator: Simulator) -> None:
    """Numbers and stop sequences arrive as they were asked for."""
    run = attrs.evolve(
        FLASH,
        temperature=0.35,
        top_p=0.5,
        max_tokens=1234,
        stop=("END", 'say "no"', "a, b"),
        thinking=ThinkingChoice(budget=4096),
        media_resolution="low",
    )

    refused, turn = await sent(tab, simulator, run)

    config = turn["config"]
    assert (refused, config["thinking"], config["media_resolution"]) == (
        {},
        {"include_thoughts": True, "budget": 4096},
        "low",
    )
    assert (config["temperature"], config["top_p"], config["max_output_tokens"]) == (0.35, 0.5, 1234)
    assert config["stop_sequences"] == ["END", 'say "no"', "a, b"]


@pytest.mark.parametrize(
    ("run", "thinking"),
    [
        (attrs.evolve(FLASH, thinking=ThinkingChoice(budget=0)), {"include_thoughts": False, "budget": 0}),
        (attrs.evolve(PRO, thinking=ThinkingChoice(budget=128)), {"include_thoughts": True, "budget": 128}),
        (PRO, {"include_thoughts": True}),
        (attrs.evolve(LITE, thinking=ThinkingChoice(budget=512)), {"include_thoughts": True, "budget": 512}),
        (attrs.evolve(PRO_3, thinking=ThinkingChoice(level="low")), {"include_thoughts": True, "level": "LOW"}),
        (
            attrs.evolve(FLASH_3, thinking=ThinkingChoice(level="minimal")),
            {"include_thoughts": True, "level": "MINIMAL"},
        ),
    ],
    ids=["off", "budget only", "left alone", "off by default", "two levels", "four levels"],
)
async def test_ways_of_thinking(tab: Tab, simulator: Simulator, run: RunSettings, thinking: dict[str, Any]) -> None:
    """Each kind of model is told its own way how much to think."""
    refused, turn = await sent(tab, simulator, run)

    assert refused == {}
    assert turn["config"]["thinking"] == thinking


async def kept(tab: Tab) -> str:
    """Return all that the page keeps in the browser."""
    text: str = await tab.page.evaluate("JSON.stringify({ ...localStorage })")
    return text


@EVERY_GENERATION
async def test_a_system_instruction(tab: Tab, simulator: Simulator) -> None:
    """It goes with the prompt to the letter, and nothing of it is kept in the browser."""
    text = 'You are "brief".\n\n  - No lists\n'

    refused, turn = await sent(tab, simulator, attrs.evolve(FLASH, system_instruction=text.replace("\n", "\r\n")))

    assert (refused, turn["system"]) == ({}, text)
    assert "brief" not in await kept(tab)


async def test_presets_of_the_accounts_owner_stay(tab: Tab, simulator: Simulator) -> None:
    """A preset that is chosen in the page is neither used nor changed, with an instruction or without."""
    theirs = [{"title": "Mine", "text": "Rhyme."}]
    await tab.page.evaluate(
        """(all) => {
          localStorage.setItem("aistudio_all_system_instructions", JSON.stringify(all));
          const preference = JSON.parse(localStorage.getItem("aiStudioUserPreference"));
          preference.selectedSystemInstructionsConfigName = all[0].title;
          localStorage.setItem("aiStudioUserPreference", JSON.stringify(preference));
        }""",
        theirs,
    )
    for instruction, received in (("", None), ("Be brief.", "Be brief.")):
        simulator.control.delete("/__sim/log")
        await tab.chat.open_new_chat()
        tab.submitted = False
        _, turn = await sent(tab, simulator, attrs.evolve(FLASH, system_instruction=instruction))
        await tab.chat.stop()

        assert turn["system"] == received
        listed = await tab.page.evaluate("localStorage.getItem('aistudio_all_system_instructions')")
        assert json.loads(listed) == theirs


async def test_what_a_page_left_of_an_instruction_is_gone_in_the_next(tab: Tab) -> None:
    """A tab may break off between the saving of a system instruction and its removal."""
    await tab.page.evaluate(
        """(title) => {
          localStorage.setItem("aistudio_all_system_instructions", JSON.stringify([{ title, text: "A secret." }]));
          const preference = JSON.parse(localStorage.getItem("aiStudioUserPreference"));
          preference.selectedSystemInstructionsConfigName = title;
          localStorage.setItem("aiStudioUserPreference", JSON.stringify(preference));
        }""",
        INSTRUCTION_TITLE,
    )
    await tab.chat.open_new_chat()

    left = await kept(tab)
    assert "secret" not in left
    assert INSTRUCTION_TITLE not in left


ADD = FunctionDeclaration(
    name="add",
    description="Add numbers.",
    parameters={
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "a": {"type": "integer", "default": 1},
            "b": {"anyOf": [{"type": "integer"}, {"type": "string"}], "description": "The second."},
            "how": {"type": "array", "items": {"type": "string", "enum": ["fast", "slow"]}},
        },
        "required": ["a", "b"],
        "additionalProperties": False,
    },
)
NOW = FunctionDeclaration(name="now", description="Tell the time.")


@EVERY_GENERATION
async def test_functions(tab: Tab, simulator: Simulator) -> None:
    """They are declared in the words that the page takes, and what those leave out is told."""
    refused, turn = await sent(tab, simulator, attrs.evolve(FLASH, functions=(ADD, NOW)))

    assert refused == {"tools": "add goes without choices but the first"}
    [tool] = turn["tools"]
    add, now = tool["function_declarations"]
    assert now == {"name": "now", "description": "Tell the time."}
    assert (add["name"], add["description"]) == ("add", "Add numbers.")
    parameters = add["parameters"]
    assert parameters["properties"]["a"] == {"type": "integer"}
    assert parameters["properties"]["b"] == {"type": "integer", "description": "The second."}
    assert parameters["properties"]["how"] == {"type": "array", "items": {"type": "string", "enum": ["fast", "slow"]}}
    assert parameters["required"] == ["a", "b"]


async def test_functions_go_before_what_excludes_them(tab: Tab, simulator: Simulator) -> None:
    """The page has neither search nor JSON beside functions; the client is told."""
    run = attrs.evolve(FLASH, functions=(NOW,), search=True, code_execution=True, response_format=ResponseFormat())

    refused, turn = await sent(tab, simulator, run)

    assert [tool.keys() for tool in turn["tools"]] == [{"function_declarations"}]
    assert refused == {
        "google_search": "its control can't be used now; it is off",
        "code_execution": "its control can't be used now; it is off",
        "response_format": "the page has no structured output beside functions",
    }


async def test_functions_that_no_schema_describes_are_declined(tab: Tab, simulator: Simulator) -> None:
    """Nothing is sent: the model would call them without what they need."""
    walk = FunctionDeclaration(name="walk", parameters={"type": "string"})

    with pytest.raises(Declined, match="the function walk can't be declared"):
        await tab.set_run_settings(attrs.evolve(FLASH, functions=(walk,)))

    with pytest.raises(Declined, match="AI Studio's page refuses the functions: Function now is declared twice"):
        await tab.set_run_settings(attrs.evolve(FLASH, functions=(NOW, NOW)))
    # Nothing is left open: the same tab answers another request.
    refused, turn = await sent(tab, simulator, FLASH)
    assert (refused, turn["tools"]) == ({}, [])


@EVERY_GENERATION
async def test_answers_in_json(tab: Tab, simulator: Simulator) -> None:
    """The schema goes into the page's editor; without one, JSON alone is asked for."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    run = attrs.evolve(FLASH, response_format=ResponseFormat(schema=schema), code_execution=True)

    refused, turn = await sent(tab, simulator, run)

    assert refused == {}
    assert turn["config"]["response_mime_type"] == "application/json"
    assert turn["config"]["response_schema"] == schema
    assert turn["tools"] == [{"code_execution": {}}]


async def test_json_without_a_schema(tab: Tab, simulator: Simulator) -> None:
    """The switch alone asks for it."""
    refused, turn = await sent(tab, simulator, attrs.evolve(FLASH, response_format=ResponseFormat()))

    assert refused == {}
    assert turn["config"]["response_mime_type"] == "application/json"
    assert "response_schema" not in turn["config"]


@EVERY_GENERATION
async def test_tools_that_run_upstream(tab: Tab, simulator: Simulator) -> None:
    """Each is on where it was asked for."""
    run = attrs.evolve(FLASH, search=True, url_context=True, code_execution=True)

    refused, turn = await sent(tab, simulator, run)

    assert refused == {}
    assert {name for tool in turn["tools"] for name in tool} == {"google_search", "url_context", "code_execution"}


@EVERY_GENERATION
async def test_settings_of_one_prompt_do_not_reach_the_next(tab: Tab, simulator: Simulator) -> None:
    """In the same chat, everything is put back; the composer can be used."""
    run = attrs.evolve(
        PRO_3,
        temperature=0.1,
        top_p=0.1,
        max_tokens=7,
        stop=("a", "b"),
        search=True,
        thinking=ThinkingChoice(level="low"),
        functions=(ADD,),
        system_instruction="Rhyme.",
    )
    assert (await tab.set_run_settings(run)).keys() == {"tools", "google_search"}

    refused, turn = await sent(tab, simulator, PRO_3)

    assert (refused, turn["model"], turn["system"], turn["tools"]) == ({}, "gemini-3-pro-preview", None, [])
    assert turn["config"].items() >= DEFAULTS.items()
    assert "stop_sequences" not in turn["config"]
    assert turn["config"]["thinking"]["level"] == "HIGH"


async def test_what_a_model_has_not_is_told(tab: Tab, simulator: Simulator) -> None:
    """A model without thinking and tools takes the prompt all the same."""
    gemma = attrs.evolve(FLASH, model="gemma-3-27b-it", model_title="Gemma 3 27B", max_tokens=9000)
    run = attrs.evolve(gemma, thinking=ThinkingChoice(level="low"), search=True, media_resolution="low")

    refused, turn = await sent(tab, simulator, run)

    assert turn["model"] == "gemma-3-27b-it"
    assert refused == {
        "max_tokens": "the page takes 8192 instead",
        "reasoning_effort": "the page has no control for it",
        "google_search": "the page has no control for it",
        "detail": "the page has no control for it",
    }


async def test_a_number_is_brought_into_the_pages_steps(tab: Tab) -> None:
    """Whatever the page makes of a value, the client is told."""
    refused = await tab.set_run_settings(attrs.evolve(FLASH, temperature=0.333, top_p=0.9512))

    assert refused == {"temperature": "the page takes 0.35 instead", "top_p": "the page takes 0.95 instead"}


async def test_stop_sequences_that_the_page_changes(tab: Tab) -> None:
    """What it makes of one, here without the spaces around it, doesn't stay."""
    await tab.page.evaluate(
        """() => {
          const trim = ({ target }) => {
            if (target.matches('[aria-label="Add stop token"]')) target.value = target.value.trim();
          };
          window.addEventListener("keydown", trim, true);
        }"""
    )

    refused = await tab.set_run_settings(attrs.evolve(FLASH, stop=(" END ", "STOP", " .")))

    assert refused == {"stop": "the page took 1 of 3"}
    labels = await tab.page.eval_on_selector_all(
        'button[aria-label^="Remove"].remove-button', "(all) => all.map((each) => each.getAttribute('aria-label'))"
    )
    assert labels == ["Remove STOP"]


async def test_stop_sequences_that_cannot_be_typed(tab: Tab, simulator: Simulator) -> None:
    """A field of one line has no line breaks; the others arrive."""
    refused, turn = await sent(tab, simulator, attrs.evolve(FLASH, stop=("\n\n", "END")))

    assert refused == {"stop": "the page took 1 of 2"}
    assert turn["config"]["stop_sequences"] == ["END"]


@pytest.mark.parametrize("model", ["imagen-4.0-generate-001", "gemini-9"])
async def test_a_model_that_the_page_does_not_offer_is_declined(tab: Tab, model: str) -> None:
    """Another one would answer; it isn't asked."""
    with pytest.raises(Declined, match=f"AI Studio's page does not offer {model}"):
        await tab.set_run_settings(attrs.evolve(FLASH, model=model, model_title="Something"))


async def test_a_model_that_only_the_picker_has(tab: Tab, simulator: Simulator) -> None:
    """What it is called there is what the page has to show then."""
    refused, turn = await sent(tab, simulator, attrs.evolve(FLASH, model="gemini-2.5-pro", model_title=None))

    assert (refused, turn["model"]) == ({}, "gemini-2.5-pro")


async def test_a_model_that_nobody_knows_is_declined(tab: Tab) -> None:
    """Without a title it couldn't even be recognised."""
    with pytest.raises(Declined, match="does not offer gemini-9"):
        await tab.set_run_settings(attrs.evolve(FLASH, model="gemini-9", model_title=None))


async def test_a_narrow_window(tab: Tab, simulator: Simulator) -> None:
    """The settings are a drawer there, that isn't in the page and lies over it when open."""
    try:
        await tab.page.set_viewport_size({"width": 700, "height": 900})
        await tab.page.wait_for_selector("ms-run-settings", state="detached")
        refused, turn = await sent(tab, simulator, attrs.evolve(FLASH, temperature=0.5, search=True))
    finally:
        await tab.page.set_viewport_size({"width": 1280, "height": 900})

    assert (refused, turn["config"]["temperature"], turn["tools"]) == ({}, 0.5, [{"google_search": {}}])


async def test_files_of_an_attempt_that_failed(tab: Tab, simulator: Simulator, tmp_path: Path) -> None:
    """They go before the settings are made, so that nothing has to be set twice."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"a")
    file = Attachment(
        ref=AttachmentRef(source="", param="messages[0]"), path=path, mime="text/plain", filename="a.txt", size=1
    )
    await tab.attach([file])

    await tab.set_run_settings(attrs.evolve(FLASH, system_instruction="Rhyme.", temperature=0.5))
    await tab.attach([file])
    _, turn = await sent(tab, simulator, None)

    assert (turn["system"], turn["config"]["temperature"], len(turn["files"])) == ("Rhyme.", 0.5, 1)


def seen_by(tab: Tab, **candidates: str) -> ChatPage:
    """Return the tab's page as somebody sees it who knows other selectors of some elements."""
    known = {**load_selectors().candidates, **{name: (selector,) for name, selector in candidates.items()}}
    return ChatPage(tab.page, Selectors(candidates=known), tab.chat.settings)


async def test_a_page_that_still_loads_its_models(tab: Tab, simulator: Simulator) -> None:
    """The picker is empty until they come."""
    come = asyncio.Event()

    async def later(route: Route) -> None:
        await come.wait()
        await route.continue_()

    await tab.page.route("**/ListModels", later)
    await tab.chat.open_new_chat()
    setting = asyncio.create_task(sent(tab, simulator, PRO))
    await tab.page.wait_for_selector("mat-dialog-container")
    come.set()

    refused, turn = await setting
    assert (refused, turn["model"]) == ({}, "gemini-2.5-pro")
    await tab.page.unroute_all()


async def test_a_picker_that_is_not_found(tab: Tab, simulator: Simulator) -> None:
    """The address of a new chat names the model instead."""
    await tab.set_run_settings(FLASH)
    await set_run_settings(
        seen_by(tab, model_row="not-there"), attrs.evolve(FLASH, model="gemini-2.5-pro", model_title="Gemini 2.5 Pro")
    )

    assert "model=gemini-2.5-pro" in tab.page.url
    _, turn = await sent(tab, simulator, None)
    assert turn["model"] == "gemini-2.5-pro"


async def test_tools_without_switches(tab: Tab, simulator: Simulator) -> None:
    """The menu of the prompt box switches them on, their chips there off."""
    chat = seen_by(tab, google_search="not-there", url_context="not-there", code_execution="not-there")
    await set_run_settings(chat, attrs.evolve(FLASH, search=True, url_context=True))

    refused = await set_run_settings(chat, attrs.evolve(FLASH, url_context=True, code_execution=True))
    _, turn = await sent(tab, simulator, None)

    assert refused == {}
    assert {name for tool in turn["tools"] for name in tool} == {"url_context", "code_execution"}


async def test_a_page_without_run_settings_is_broken(tab: Tab) -> None:
    """Nothing could be set, and nothing read back."""
    with pytest.raises(PageBroken, match="shows no run settings"):
        await set_run_settings(seen_by(tab, run_settings="not-there"), FLASH)
    with pytest.raises(Declined, match="offers no system instruction"):
        await set_run_settings(seen_by(tab, system_card="not-there"), attrs.evolve(FLASH, system_instruction="Rhyme."))
    with pytest.raises(Declined, match="functions are not offered"):
        await set_run_settings(seen_by(tab, function_calling="not-there"), attrs.evolve(FLASH, functions=(NOW,)))


async def test_a_page_that_hears_nothing_but_keys(tab: Tab, simulator: Simulator) -> None:
    """Fields that a script can't fill are typed into."""
    await tab.page.evaluate(
        """() => {
          for (const kind of ["input", "change", "keydown"]) {
            const deafen = (event) => {
              if (event.isTrusted || event.target.closest("ms-slider input[type=range]")) return;
              event.stopImmediatePropagation();
              if (event.target.type === "number") event.target.value = "";
            };
            window.addEventListener(kind, deafen, true);
          }
        }"""
    )
    run = attrs.evolve(FLASH, temperature=0.5, max_tokens=99, stop=("a", "b"), system_instruction="Rhyme.")

    refused, turn = await sent(tab, simulator, run)

    config = turn["config"]
    assert (refused, turn["system"], config["stop_sequences"]) == ({}, "Rhyme.", ["a", "b"])
    assert (config["temperature"], config["max_output_tokens"]) == (0.5, 99)


async def test_closed_groups_and_an_open_menu(tab: Tab, simulator: Simulator) -> None:
    """Groups are opened, what lies over the page is closed."""
    for group in ("tools", "advanced settings"):
        await tab.page.click(f'button[aria-label="Expand or collapse {group}"]')
    await tab.page.click('button[aria-label="View more actions"]')

    refused, turn = await sent(tab, simulator, attrs.evolve(FLASH, top_p=0.5, stop=("END",)))

    assert refused == {}
    assert (turn["config"]["top_p"], turn["config"]["stop_sequences"], turn["tools"]) == (0.5, ["END"], [])
