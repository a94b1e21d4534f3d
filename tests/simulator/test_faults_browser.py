"""Faults in the page, in a real browser: each is there, does what it says, and goes."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from .harness import Running, until_logged
from .test_browser import ANSWER, COMPOSER, NEW_CHAT, RUN, answered, log_of, play, submit

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]

LABEL = ".run-button-label"
NEW_CHAT_BUTTON = "button[aria-label='New chat']"


async def ready(context: BrowserContext) -> Page:
    """Open a new chat, with its model."""
    page = await context.new_page()
    await page.goto(NEW_CHAT, wait_until="domcontentloaded")
    await page.locator("ms-model-selector .title").get_by_text("Gemini").wait_for()
    return page


async def fault(simulator: Running, name: str, **fields: Any) -> None:
    """Have a fault happen."""
    async with simulator.client() as client:
        (await client.post("/__sim/faults", json={"fault": name, **fields})).raise_for_status()


async def shown(simulator: Running) -> list[str]:
    """Fetch the names of the faults that have happened."""
    async with simulator.client() as client:
        return [each["fault"] for each in (await client.get("/__sim/faults/shown")).json()]


async def typed(page: Page, prompt: str = "x") -> None:
    """Type a prompt, and wait until it can be run."""
    await page.locator(COMPOSER).fill(prompt)
    await expect(page.locator(RUN)).to_have_attribute("aria-disabled", "false")


async def what_lies_over(page: Page, selector: str) -> bool:
    """Tell whether something else takes the clicks of an element."""
    return await page.locator(selector).evaluate(
        "e => { const {left, top, width, height} = e.getBoundingClientRect();"
        " const hit = document.elementFromPoint(left + width / 2, top + height / 2);"
        " return !(hit === e || e.contains(hit)); }"
    )


SAID = {
    "toast_error": "ms-toast div.toast.error .content-text",
    "toast_warning": "ms-toast div.toast.warning .content-text",
    "snackbar_saved": ".cdk-overlay-container mat-snack-bar-container .mat-mdc-simple-snack-bar",
    "snackbar_error": ".cdk-overlay-container mat-snack-bar-container .mat-mdc-simple-snack-bar",
    "callout_error": "ms-callout.error-callout .message",
    "callout_warning": "ms-callout.warning-callout .message",
    "banner_error": "ms-banner .error-banner-message",
    "banner_news": "ms-global-banner > span",
    "alert_error": "ms-prompt-error [role=alert]",
}


@pytest.mark.parametrize(("name", "selector"), SAID.items())
async def test_the_page_says_something(page: Page, simulator: Running, name: str, selector: str) -> None:
    """While the answer is generated; it comes all the same, and the next turn hears nothing."""
    await play(simulator, text=["one ", "two"], times=1, page={"fault": name, "text": "Something about quota"})
    await submit(page, "x")

    await expect(page.locator(selector)).to_have_text("Something about quota")
    await answered(page)
    await expect(page.locator(ANSWER)).to_contain_text("one two")
    assert await shown(simulator) == [name]
    assert len(await log_of(simulator)) == 1


async def test_a_snackbar_goes(page: Page, simulator: Running) -> None:
    """By itself, after its time; faults can come later, too."""
    await fault(simulator, "snackbar_saved", for_ms=50, after_ms=50)
    await submit(page, "x")

    bar = page.locator("mat-snack-bar-container")
    await expect(bar).to_have_text("Saved")
    await expect(bar).to_have_count(0)


async def test_the_page_reports_an_error(page: Page, simulator: Running) -> None:
    """The report's address has the words."""
    await fault(simulator, "error_report", text="quota exceeded")
    async with page.expect_request(re.compile("/_/MakerSuite/jserror")) as reported:
        await submit(page, "x")

    assert "error=quota+exceeded" in (await reported.value).url


async def test_hidden_tooltips(page: Page, simulator: Running) -> None:
    """Phrases about paid keys are always in the document, unseen; there can be more of them."""
    registry = page.locator(".cdk-describedby-message-container")
    await expect(registry).to_contain_text("paid API key")

    await fault(simulator, "hidden_tooltips", at="now")

    await expect(registry).to_contain_text("Quota exceeded")
    assert not await page.get_by_text("Quota exceeded").is_visible() or await registry.evaluate(
        "e => e.offsetWidth < 2"
    )


async def test_a_stale_announcement(page: Page, simulator: Running) -> None:
    """The announcer speaks of a response that is not there yet."""
    await play(simulator, text=["a", "b"], hang_after_frames=1, page={"fault": "stale_announcement"})
    await submit(page, "x")

    await expect(page.locator(".cdk-live-announcer-element")).to_have_text("Response ready.")
    await expect(page.locator(LABEL)).to_have_text("Stop")


OVER_RUN: dict[str, Callable[[Page], Locator]] = {
    "cookie_bar": lambda page: page.locator(".glue-cookie-notification-bar__reject"),
    "welcome_dialog": lambda page: page.locator("mat-dialog-content .welcome-option button[aria-label='Try Gemini']"),
    "autosave_dialog": lambda page: page.locator("ms-autosave-enabled-by-default-dialog mat-dialog-actions button"),
    "drive_dialog": lambda page: page.get_by_role("button", name="Not now"),
    "copyright_dialog": lambda page: page.locator(
        "mat-dialog-container#copyright-acknowledgement-dialog"
        " button[aria-label='Agree to the copyright acknowledgement']"
    ),
    "announcement_dialog": lambda page: page.locator("ms-announcement-modal button[aria-label='Close']"),
    "menu_backdrop": lambda page: page.locator(
        "div.cdk-overlay-backdrop.cdk-overlay-transparent-backdrop.cdk-overlay-backdrop-showing"
    ),
    "modal_backdrop": lambda page: page.locator("div.cdk-overlay-backdrop.cdk-overlay-backdrop-showing"),
}


@pytest.mark.parametrize(("name", "close"), OVER_RUN.items())
async def test_something_lies_over_run(
    page: Page, simulator: Running, name: str, close: Callable[[Page], Locator]
) -> None:
    """It takes Run's clicks as soon as a prompt is typed, until it is closed; then Run runs."""
    await fault(simulator, name)
    await typed(page)
    assert await what_lies_over(page, RUN)

    await close(page).click(position={"x": 5, "y": 5})

    await expect(close(page)).to_have_count(0)
    assert not await what_lies_over(page, RUN)
    await page.locator(RUN).click()
    await answered(page)
    assert len(await log_of(simulator)) == 1


async def test_terms(page: Page, simulator: Running) -> None:
    """Neither Escape nor a click elsewhere closes them, only that they are accepted."""
    await fault(simulator, "terms_dialog")
    await typed(page)
    terms = page.locator("mat-dialog-container", has=page.locator("input[type=checkbox]"))
    await page.keyboard.press("Escape")
    await page.mouse.click(5, 5)
    await expect(terms).to_have_count(1)
    await expect(terms.get_by_role("button", name="I accept")).to_be_disabled()

    await terms.get_by_role("checkbox").check()
    await terms.get_by_role("button", name="I accept").click()

    await expect(terms).to_have_count(0)


async def test_a_dialog_takes_the_focus(page: Page, simulator: Running) -> None:
    """Keys that were meant for the composer do nothing any more."""
    await fault(simulator, "announcement_dialog")
    await typed(page)
    await page.keyboard.press("Control+Enter")

    assert await page.evaluate("document.activeElement.tagName") == "MAT-DIALOG-CONTAINER"
    await expect(page.locator(COMPOSER)).to_have_value("x")


async def test_a_tooltip_over_run(page: Page, simulator: Running) -> None:
    """It goes when the mouse is moved away."""
    await fault(simulator, "run_tooltip")
    await typed(page)
    await expect(page.locator(".mdc-tooltip[role=tooltip]")).to_be_visible()
    assert await what_lies_over(page, RUN)

    await page.mouse.move(0, 0)

    await expect(page.locator(".mdc-tooltip")).to_have_count(0)


async def test_a_survey_over_new_chat(page: Page, simulator: Running) -> None:
    """Its frame takes the clicks until it is removed."""
    await play(simulator, page={"fault": "survey"}, text=["a"])
    await submit(page, "x")
    await answered(page)
    survey = page.locator("iframe[id*='google-hats-survey']")
    await expect(survey).to_be_visible()
    assert await what_lies_over(page, NEW_CHAT_BUTTON)

    await survey.evaluate("frame => frame.remove()")

    assert not await what_lies_over(page, NEW_CHAT_BUTTON)


@pytest.mark.parametrize("keep", [True, False])
async def test_the_composer_is_rendered_anew_while_typing(page: Page, simulator: Running, *, keep: bool) -> None:
    """With its text or without; what is typed then stays."""
    await fault(simulator, "composer_recreated", keep_text=keep)
    before = await page.locator(COMPOSER).element_handle()
    assert before
    await page.locator(COMPOSER).fill("first")
    await page.wait_for_function("element => !element.isConnected", arg=before)

    await expect(page.locator(COMPOSER)).to_have_value("first" if keep else "")
    await submit(page, "second")
    await answered(page)
    assert [record["prompt"] for record in await log_of(simulator)] == ["second"]


async def test_the_composer_is_rendered_anew_while_generating(page: Page, simulator: Running) -> None:
    """The new one shows Stop, and Run in the end."""
    await play(simulator, text=["a", "b"], chunk_delay_ms=200, page={"fault": "composer_recreated", "at": "submitted"})
    await submit(page, "x")

    await expect(page.locator(LABEL)).to_have_text("Stop")
    await answered(page)
    await expect(page.locator(LABEL)).to_have_text("Run")
    await expect(page.locator(COMPOSER)).to_have_count(1)


async def test_run_is_never_enabled(page: Page, simulator: Running) -> None:
    """Whatever is typed, until the page is loaded anew."""
    await fault(simulator, "run_never_enabled")
    for text in ("a", "b"):
        await page.locator(COMPOSER).fill(text)
        await page.locator(COMPOSER).press("Control+Enter")

    await expect(page.locator(RUN)).to_have_attribute("aria-disabled", "true")
    await page.reload()
    await submit(page, "c")
    await answered(page)
    assert [record["prompt"] for record in await log_of(simulator)] == ["c"]


async def test_no_api_key(page: Page, simulator: Running) -> None:
    """Run is disabled, and a button beside it says why."""
    await fault(simulator, "no_api_key")
    await page.locator(COMPOSER).fill("x")

    await expect(page.locator("ms-paid-api-key-button button[aria-label='No API key selected']")).to_be_visible()
    await expect(page.locator(RUN)).to_have_attribute("aria-disabled", "true")


async def test_a_dialog_that_wants_to_be_paid(page: Page, simulator: Running) -> None:
    """Run opens it and submits nothing; once it is closed, Run runs."""
    await fault(simulator, "paid_dialog")
    await submit(page, "x")
    await page.locator("ms-paid-usage-dialog button[aria-label='close']").click()
    assert await log_of(simulator) == []

    await expect(page.locator(COMPOSER)).to_have_value("x")
    await page.locator(RUN).click()
    await answered(page)


@pytest.mark.parametrize(("name", "left"), [("submit_ignored", "x"), ("submit_swallowed", "")])
async def test_run_does_nothing(page: Page, simulator: Running, name: str, left: str) -> None:
    """No turn and no request; an emptied composer proves nothing."""
    await fault(simulator, name)
    await submit(page, "x")

    await expect(page.locator(COMPOSER)).to_have_value(left)
    await expect(page.locator("ms-chat-turn")).to_have_count(0)
    await submit(page, "y")
    await answered(page)
    assert [record["prompt"] for record in await log_of(simulator)] == ["y"]


async def test_an_error_in_the_turn(page: Page, simulator: Running) -> None:
    """Though the network told an answer."""
    await play(simulator, text=["unseen"], page={"fault": "model_error"})
    await submit(page, "x")

    await expect(page.locator("ms-chat-turn .model-error")).to_have_text("An internal error has occurred.")
    await expect(page.get_by_text("unseen")).to_have_count(0)
    await expect(page.get_by_label("Good response")).to_have_count(0)


async def test_an_error_as_the_text(page: Page, simulator: Running) -> None:
    """As if the model had said it."""
    await play(simulator, text=["unseen"], page={"fault": "error_as_text", "text": "Quota exceeded"})
    await submit(page, "x")
    await answered(page)

    await expect(page.locator(ANSWER).locator("ms-text-chunk")).to_have_text("Quota exceeded")
    await expect(page.locator(".model-error")).to_have_count(0)


async def test_an_answer_that_is_not_shown(page: Page, simulator: Running) -> None:
    """Its footer says that it is there."""
    await play(simulator, text=["unseen"], page={"fault": "footer_only"})
    await submit(page, "x")
    await answered(page)

    await expect(page.get_by_text("unseen")).to_have_count(0)
    assert (await log_of(simulator))[0]["finished_at"]


async def test_a_preference_vote(page: Page, simulator: Running) -> None:
    """There is no answer turn, and nothing can be run, before the vote is skipped."""
    await play(simulator, text=["either"], page={"fault": "preference_vote"}, times=1)
    await submit(page, "x")
    await expect(page.locator(".inline-preference-option")).to_have_text(["either", "either"])
    await expect(page.locator("[data-turn-role='Model']")).to_have_count(0)
    await expect(page.get_by_label("Skip preference vote")).to_be_visible()
    await page.locator(COMPOSER).fill("y")
    await expect(page.locator(RUN)).to_have_attribute("aria-disabled", "true")

    await page.get_by_label("Skip preference vote").click()

    await expect(page.locator(ANSWER)).to_contain_text("either")
    await answered(page)
    await page.locator(RUN).click()
    await answered(page, turns=2)


async def test_a_vote(page: Page, simulator: Running) -> None:
    """One of the two can be chosen, too."""
    await play(simulator, text=["either"], page={"fault": "preference_vote"})
    await submit(page, "x")
    submit_vote = page.locator("[data-test-id='submit-button']")
    await expect(submit_vote).to_be_disabled()
    await page.locator("[data-test-side=right]").click()
    await submit_vote.click()

    await expect(page.locator(ANSWER)).to_contain_text("either")


async def test_a_stuck_spinner(page: Page, simulator: Running) -> None:
    """The network has finished and the text is whole; Stop stays until it is pressed."""
    await play(simulator, text=["whole"], page={"fault": "stuck_spinner"})
    await submit(page, "x")
    async with simulator.client() as client:
        await until_logged(client, "finished_at")
    await expect(page.locator(ANSWER)).to_contain_text("whole")
    await expect(page.locator(LABEL)).to_have_text("Stop")

    await page.locator(RUN).click()

    await expect(page.locator(LABEL)).to_have_text("Run")


async def test_a_spinner_that_is_stuck_for_a_while(page: Page, simulator: Running) -> None:
    """It ends by itself."""
    await play(simulator, text=["whole"], page={"fault": "stuck_spinner", "for_ms": 300})
    await submit(page, "x")

    await expect(page.locator(ANSWER)).to_contain_text("whole")
    await expect(page.locator(LABEL)).to_have_text("Stop")
    await answered(page)


async def test_text_that_grows_after_stop_has_gone(page: Page, simulator: Running) -> None:
    """The last deltas come after Run is back."""
    plan = {"fault": "stop_gone_early", "parts": 3, "delay_ms": 300}
    await play(simulator, text=["one ", "two ", "three"], page=plan)
    await submit(page, "x")
    await expect(page.locator("ms-chat-turn")).not_to_have_count(0)
    await expect(page.locator(LABEL)).to_have_text("Run")
    early = await page.locator(ANSWER).inner_text()

    await answered(page)
    assert "three" not in early
    await expect(page.locator(ANSWER)).to_contain_text("one two three")


async def test_a_large_container(page: Page, simulator: Running) -> None:
    """However small the text is, it has no markdown."""
    await play(simulator, text=["**small**"], page={"fault": "large_container"})
    await submit(page, "x")
    await answered(page)

    await expect(page.locator(ANSWER).locator("div.very-large-text-container")).to_have_text("**small**")
    await expect(page.locator(ANSWER).locator("ms-cmark-node")).to_have_count(0)


async def test_turns_without_bodies(page: Page, simulator: Running) -> None:
    """Both turns are empty hosts until they are scrolled to."""
    await play(simulator, text=["far away"], page={"fault": "virtual_scroll"})
    await submit(page, "x")
    await expect(page.locator(LABEL)).to_have_text("Run")
    turns = page.locator("ms-chat-turn.text-chunk-host")
    await expect(turns).to_have_count(2)
    await expect(turns.locator("ms-prompt-chunk")).to_have_count(0)

    await turns.last.scroll_into_view_if_needed()

    await expect(turns.last).to_contain_text("far away")
    await expect(turns.first.locator("ms-prompt-chunk")).to_have_count(0)


async def test_an_alert_in_the_answer(page: Page, simulator: Running) -> None:
    """It is the answer's own, and stands inside of the turn."""
    await play(simulator, text=["fine"], page={"fault": "alert_in_answer", "text": "Error: no quota"})
    await submit(page, "x")
    await answered(page)

    await expect(page.locator(".turn-content [role=alert]")).to_have_text("Error: no quota")
    await expect(page.locator(ANSWER)).to_contain_text("fine")


@pytest.mark.parametrize("at", ["submitted", "typed", "now"])
async def test_the_page_hangs(page: Page, simulator: Running, at: str) -> None:
    """Its script does not answer, for as long as was asked."""
    await fault(simulator, "page_hangs", at=at, for_ms=700)
    started = await page.evaluate("performance.now()")
    if at != "now":
        await submit(page, "x")
        await answered(page)

    assert await shown(simulator) == ["page_hangs"]
    assert at == "now" or await page.evaluate("performance.now()") - started > 700


async def test_leaving_asks_a_question(page: Page, simulator: Running) -> None:
    """Once somebody did something in the page; whoever says yes leaves."""
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept())[1])
    await fault(simulator, "leave_question", at="typed")
    await submit(page, "x")
    await answered(page)
    await page.goto(NEW_CHAT, wait_until="domcontentloaded")

    assert asked == ["beforeunload"]
    await expect(page.locator("ms-zero-state")).to_be_visible()


async def test_the_page_leaves_for_the_sign_in_page(page: Page, simulator: Running) -> None:
    """While it is open; the prompt was received."""
    await play(simulator, text=["a"], hang_after_frames=1, page={"fault": "sign_in_redirect"})
    await submit(page, "x")
    await page.wait_for_url("https://accounts.google.com/**")

    assert await page.title() == "Sign in"
    assert len(await log_of(simulator)) == 1


async def test_slow_hydration(signed_in: BrowserContext, simulator: Running) -> None:
    """The page of one load stays empty for long; the next does not."""
    await fault(simulator, "slow_hydration", for_ms=600_000)
    slow = await signed_in.new_page()
    await slow.goto(NEW_CHAT)
    quick = await ready(signed_in)

    await expect(slow.locator("ms-app > *")).to_have_count(0)
    await expect(quick.locator(COMPOSER)).to_be_visible()


@pytest.mark.parametrize(
    "name", ["cookie_bar", "toast_error", "welcome_dialog", "survey", "callout_error", "no_api_key"]
)
async def test_there_from_the_start(signed_in: BrowserContext, simulator: Running, name: str) -> None:
    """Faults of a load are there when the page is, in as many pages as was asked."""
    await fault(simulator, name, at="load")
    marks = {
        "cookie_bar": ".glue-cookie-notification-bar",
        "toast_error": ".toast.error",
        "welcome_dialog": ".welcome-option",
        "survey": "iframe",
        "callout_error": "ms-callout",
        "no_api_key": "ms-paid-api-key-button",
    }
    first, second = await ready(signed_in), await ready(signed_in)

    await expect(first.locator(marks[name]).first).to_be_visible()
    await expect(second.locator(marks[name])).to_have_count(0)
    assert await shown(simulator) == [name]


async def test_now_in_all_open_pages(signed_in: BrowserContext, simulator: Running) -> None:
    """What happens now happens in the pages that are open, not in those that are opened later."""
    first, second = await ready(signed_in), await ready(signed_in)
    await fault(simulator, "cookie_bar", at="now")
    for page in (first, second):
        await expect(page.locator(".glue-cookie-notification-bar")).to_be_visible()
    third = await ready(signed_in)

    await expect(third.locator(".glue-cookie-notification-bar")).to_have_count(0)
    assert await shown(simulator) == ["cookie_bar", "cookie_bar"]


async def test_each_page_gets_the_answer_of_its_fault(signed_in: BrowserContext, simulator: Running) -> None:
    """With several pages at once scenarios don't get mixed up."""
    pages = [await ready(signed_in), await ready(signed_in)]
    for name in ("toast_error", "callout_error"):
        await play(simulator, text=[f"with {name}"], times=1, page={"fault": name, "text": "!"})
    for page in pages:
        await typed(page)
    for page in reversed(pages):
        await page.locator(RUN).click()

    await expect(pages[0].locator(ANSWER)).to_contain_text("with toast_error")
    await expect(pages[0].locator(".toast")).to_have_count(1)
    await expect(pages[1].locator(ANSWER)).to_contain_text("with callout_error")
    await expect(pages[1].locator("ms-callout")).to_have_count(1)


async def test_only_once(page: Page, simulator: Running) -> None:
    """A fault that was asked for once does not come back, though its text is typed again."""
    await fault(simulator, "submit_ignored", when="x")
    await submit(page, "x")
    await page.locator(COMPOSER).fill("")
    await submit(page, "x")
    await answered(page)

    assert await shown(simulator) == ["submit_ignored"]


Check = Callable[[Page], Awaitable[None]]


async def _quota(page: Page) -> None:
    await expect(page.locator("ms-toast .toast.error .content-text")).to_contain_text("exceeded quota")
    await expect(page.locator("ms-callout.error-callout .message")).to_contain_text("rate limit")


async def _permission(page: Page) -> None:
    await expect(page.locator("ms-toast .toast.error .content-text")).to_contain_text("permission denied")


async def _internal(page: Page) -> None:
    await expect(page.locator(".model-error")).to_have_text("An internal error has occurred.")


async def _empty(page: Page) -> None:
    await answered(page)
    await expect(page.locator(ANSWER).locator("ms-text-chunk")).to_have_count(0)


async def _blocked(page: Page) -> None:
    await expect(page.locator(".model-error")).to_contain_text(re.compile("could not be submitted|Content blocked"))


async def _nothing_yet(page: Page) -> None:
    await expect(page.locator("ms-chat-loading-indicator")).to_be_visible()
    await expect(page.locator(LABEL)).to_have_text("Stop")


ON_THE_WIRE: dict[str, Check] = {
    "rpc_429": _quota,
    "rpc_403": _permission,
    "rpc_500": _internal,
    "rpc_503": _internal,
    "stream_cut_early": _internal,
    "stream_cut": _internal,
    "stream_garbage": _internal,
    "stream_error": _internal,
    "stream_hang_early": _nothing_yet,
    "empty_answer": _empty,
    "blocked_prompt": _blocked,
    "blocked_answer": _blocked,
}


@pytest.mark.parametrize(("name", "check"), ON_THE_WIRE.items())
async def test_the_page_shows_what_went_wrong_on_the_wire(
    page: Page, simulator: Running, name: str, check: Check
) -> None:
    """As the real one does, once, and Run is back where the answer has ended."""
    await fault(simulator, name)
    await submit(page, "x")

    await check(page)
    if check is not _nothing_yet:
        await expect(page.locator(LABEL)).to_have_text("Run")
    assert len(await log_of(simulator)) == 1
