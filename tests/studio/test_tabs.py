import asyncio
import time
from contextlib import suppress

import attrs
import pytest
from playwright.async_api import Error as PlaywrightError, Page

from studiogate.chat import ChatRequest
from studiogate.exchange import Exchange
from studiogate.prompt import build_prompt
from studiogate_studio.errors import NotReady, PageBroken, SignedOut
from studiogate_studio.keeper import BrowserState
from studiogate_studio.run_settings import RunSettings
from studiogate_studio.settings import StudioSettings
from studiogate_studio.tab import Tab
from studiogate_studio.tabs import TabPool, lease_for

from .conftest import SHARED, Simulator, eventually, running

pytestmark = SHARED


def exchange() -> Exchange:
    """Make an exchange of no interest."""
    return Exchange(
        id="req_0", request=ChatRequest(messages=()), prompt=build_prompt(()), deadline=time.monotonic() + 60
    )


async def test_leases_are_given_in_the_order_of_asking(pool: TabPool) -> None:
    """One tab, three askers."""
    order: list[int] = []

    async def ask(number: int) -> None:
        async with pool.lease():
            order.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(ask(number))
            await asyncio.sleep(0)

    assert order == [0, 1, 2]


async def test_a_tab_comes_back_with_a_fresh_chat(pool: TabPool, simulator: Simulator) -> None:
    """Also when it was given back in the middle of an answer, which is stopped."""
    simulator.play(text=["word "] * 1000, chunk_delay_ms=50)
    async with pool.lease() as tab:
        await tab.type_prompt("first")
        await tab.submit()
        # The page shows Stop before its request has left.
        await eventually(lambda: simulator.prompts() == ["first"])

    async with pool.lease() as tab:
        assert not tab.submitted
        assert (await tab.chat.probe.look()).bubbles == ()
        await eventually(lambda: simulator.control.get("/__sim/log").json()[0]["aborted_at"] is not None)


async def test_tabs_share_one_context_and_are_counted(settings: StudioSettings) -> None:
    """Two tabs, one of them lent."""
    async with running(attrs.evolve(settings, tabs=2)) as pool:
        await eventually(lambda: pool.ready == 2)
        async with pool.lease() as one, pool.lease() as two:
            assert one.page.context is two.page.context
            assert (pool.ready, pool.busy, pool.renewing) == (0, 2, 0)


async def test_a_broken_tab_is_replaced_while_it_is_leased(pool: TabPool) -> None:
    """Nobody waits for who broke it."""
    async with pool.lease() as tab:
        tab.broken("a test says so")

        async with pool.lease() as other:
            assert other is not tab
            await other.type_prompt("works")
        with pytest.raises(PageBroken, match="a test says so"):
            await tab.type_prompt("does not")
    assert pool.broken == 1


async def test_a_crashed_page_is_replaced(pool: TabPool) -> None:
    """Also while nobody has it."""
    async with pool.lease() as tab:
        pass
    await eventually(lambda: pool.ready == 1)

    with suppress(PlaywrightError):
        await tab.page.goto("chrome://crash")
    await eventually(lambda: tab.fault is not None)
    await eventually(lambda: pool.ready == 1)
    async with pool.lease() as other:
        assert other is not tab


async def test_a_tab_that_has_just_broken_is_not_lent(pool: TabPool) -> None:
    """Its place may not have come round to replacing it yet."""
    async with pool.lease() as tab:
        pass
    await eventually(lambda: pool.ready == 1)

    tab.broken("a test says so")
    async with pool.lease() as other:
        assert other is not tab


WIPED = "() => document.body.replaceChildren()"
HUNG = "() => { for (;;); }"


@pytest.mark.parametrize("how", [WIPED, HUNG])
async def test_a_tab_that_broke_while_nobody_used_it_is_replaced(pool: TabPool, how: str) -> None:
    """Whoever asks next gets another, and never hears of it."""
    async with pool.lease() as tab:
        pass
    await eventually(lambda: pool.ready == 1)
    # A page that hangs answers this only by being closed; what the pool asks comes after it in any case.
    breaking = asyncio.create_task(tab.page.evaluate(how))
    await asyncio.sleep(0)

    async with pool.lease() as other:
        assert other is not tab
        await other.type_prompt("works")
    with suppress(PlaywrightError):
        await breaking
    assert tab.fault is not None


async def test_a_tab_that_went_to_the_sign_in_page_ends_the_session(settings: StudioSettings) -> None:
    """The client is told, and the browser waits for a fresh profile."""
    async with running(settings) as pool:
        async with pool.lease() as tab:
            pass
        await eventually(lambda: pool.ready == 1)
        before = settings.profile.read_bytes()
        await tab.page.goto("https://accounts.google.com/ServiceLogin")

        with pytest.raises(SignedOut) as caught:
            await pool.lease().__aenter__()
        assert caught.value.status == 503
        await eventually(lambda: pool.keeper.state is BrowserState.SIGNED_OUT)
        assert settings.profile.read_bytes() == before


async def test_a_tab_is_replaced_after_its_renewals(settings: StudioSettings) -> None:
    """Closing it is what frees the objects that Playwright keeps of every load."""
    async with running(attrs.evolve(settings, tabs=1, renewals=1)) as pool:
        pages: list[Page] = []
        for _ in range(3):
            async with pool.lease() as tab:
                pages.append(tab.page)

        first, second, third = pages
        assert first is second
        assert third is not first
        assert first.is_closed()


async def test_a_tab_that_has_outgrown_its_limit_is_replaced(settings: StudioSettings) -> None:
    """Loading it anew would leave its process as large; any other tab is loaded anew."""
    async with running(attrs.evolve(settings, tab_mb=40)) as pool:
        pages: list[Page] = []
        for fill in ("", "() => { window.kept = Array.from({ length: 5e6 }, (_, n) => `${n}`) }", ""):
            async with pool.lease() as tab:
                pages.append(tab.page)
                await tab.page.evaluate(fill or "() => null")

        first, second, third = pages
        assert first is second
        assert third is not second
        assert second.is_closed()


async def test_an_idle_tab_is_loaded_anew(settings: StudioSettings) -> None:
    """Its page is not left to grow stale."""
    async with running(attrs.evolve(settings, renew_idle_s=1.0)) as pool:
        await eventually(lambda: pool.ready == 1)
        await eventually(lambda: pool.renewing == 1)
        await eventually(lambda: pool.ready == 1)


async def test_who_waits_too_long_is_told_to_come_again(settings: StudioSettings) -> None:
    """All tabs are lent, and waiting is bounded."""
    async with running(settings) as pool:
        await eventually(lambda: pool.ready == 1)
    async with running(attrs.evolve(settings, wait_s=0.2)) as pool:
        await eventually(lambda: pool.ready == 1)
        async with pool.lease():
            with pytest.raises(NotReady) as caught:
                await pool.lease().__aenter__()

    assert (caught.value.status, caught.value.retry_after_s) == (503, 5)


async def test_a_cancelled_asker_loses_no_tab(pool: TabPool) -> None:
    """A tab that arrives as its asker goes is given to the next."""
    async with pool.lease():
        asking = asyncio.create_task(pool.lease().__aenter__())
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])

    async with pool.lease() as tab:
        assert tab.leased


async def test_lease_for_hands_the_same_tab_to_a_later_backend(pool: TabPool) -> None:
    """The tab belongs to the exchange until its round ends."""
    one = exchange()
    async with one.round_stack:
        tab = await lease_for(one, pool)
        tab.submitted = True

        assert await lease_for(one, pool) is tab
        assert pool.busy == 1
    assert not tab.leased


async def test_lease_for_replaces_a_tab_that_broke_before_anything_was_sent(pool: TabPool) -> None:
    """After the prompt was sent, it would be sent twice."""
    one = exchange()
    async with one.round_stack:
        tab = await lease_for(one, pool)
        tab.broken("gone")
        other = await lease_for(one, pool)
        assert other is not tab

        other.submitted = True
        other.broken("gone too")
        with pytest.raises(PageBroken, match="gone too"):
            await lease_for(one, pool)


async def test_the_models_are_learnt_from_the_page(pool: TabPool) -> None:
    """The page fetches the list for itself at each load."""
    await eventually(lambda: pool.models.models != ())

    assert any(model.id.startswith("gemini") for model in pool.models.models)


@pytest.mark.parametrize("after_ms", [0, 40, 150, 400])
async def test_a_page_that_is_left_in_the_middle_is_told_as_signed_out(
    pool: TabPool, simulator: Simulator, after_ms: int
) -> None:
    """In whichever step that is, since the page is asked where it leads."""
    simulator.play(text=["never more"], hang_after_frames=0)
    async with pool.lease() as tab:
        await tab.page.evaluate(
            "(ms) => void setTimeout(() => location.assign('https://accounts.google.com/ServiceLogin'), ms)", after_ms
        )
        with pytest.raises(SignedOut):
            await _every_step(tab)


async def _every_step(tab: Tab) -> None:
    await tab.set_run_settings(RunSettings(temperature=0.5))
    await tab.type_prompt("Will this be answered?")
    await tab.submit()
    async with tab.step("waiting for the answer's end"):
        await tab.chat.probe.ask(bool, "stopped", wait_s=30)
        await tab.chat.check()
