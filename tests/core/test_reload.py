"""plugins.toml read again while the gateway runs: what runs ends on the old chain, what comes goes to the new."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, ClassVar

import attrs
import httpx
import pluggy
import pytest

from studiogate import Unavailable, hookimpl
from studiogate.breaker import BreakerState
from studiogate.config import Config
from studiogate.errors import ClientError, ConfigurationError, ServiceUnavailable, UpstreamFailed
from studiogate.events import Event, TextDelta
from studiogate.exchange import Exchange
from studiogate.health import Health
from studiogate.hookspecs import PROJECT
from studiogate.keeping import Standing, unchanged
from studiogate.web.server import running_gateway

from .backends import (
    CHAT_PATH,
    HELLO,
    STOP,
    Held,
    Script,
    ask,
    backend,
    config,
    host,
    installed,
    living,
    read,
    says,
    sse,
    text_of,
    until,
    yields,
)

MODEL = "test-model"


@attrs.frozen(kw_only=True)
class Settings:
    """What a test may change of a plugin."""

    word: str = "x"


def lasting(name: str, seen: list[str], script: Script | None = None, **extra: Any) -> type:
    """Make a plugin with settings that notes when it lives; a backend where it has a script."""
    kind = object if script is None else backend(script)

    class Lasting(kind):  # type: ignore[misc, valid-type] # pyright: ignore[reportGeneralTypeIssues]
        settings = Settings

        def __init__(self, settings: Settings) -> None:
            self.word = settings.word

        @hookimpl
        @asynccontextmanager
        async def lifespan(self) -> AsyncGenerator[None]:
            seen.append(f"{name} {self.word} up")
            try:
                yield
            finally:
                seen.append(f"{name} {self.word} down")

    return type(name, (Lasting,), extra)


def set_to(made: Config, **words: str) -> Config:
    """Return a configuration with a word for each plugin named."""
    return attrs.evolve(made, tables={**made.tables, **{name: {"word": word} for name, word in words.items()}})


async def test_200_requests_while_the_chain_changes_ten_times() -> None:
    """None is lost, none refused; each is answered by one of the two chains, and no more run at once than may."""
    running, most = 0, 0

    def counting(name: str) -> type:
        async def script(_: Exchange) -> AsyncGenerator[Event]:
            nonlocal running, most
            running += 1
            most = max(most, running)
            try:
                for piece in (name, "-", name):
                    await asyncio.sleep(0)
                    yield TextDelta(text=piece)
                yield STOP
            finally:
                running -= 1

        return lasting(name, seen, script)

    seen: list[str] = []
    plugins = installed({"a": counting("a"), "b": counting("b")})
    chains = [config("a", slots=3, queue_limit=200), config("b", slots=3, queue_limit=200)]
    async with (
        running_gateway(chains[0], plugins) as served,
        httpx.AsyncClient(base_url=served.url, trust_env=False, timeout=60, limits=httpx.Limits()) as http,
    ):
        asking: list[asyncio.Task[httpx.Response]] = []
        for change in range(1, 11):
            bodies = [{**HELLO, "stream": number % 2 == 0} for number in range(20)]
            asking += [asyncio.create_task(http.post(CHAT_PATH, json=body)) for body in bodies]
            await until(lambda: bool(served.gateway.queue.running))
            await served.reload(chains[change % 2])
        answers = await asyncio.gather(*asking)

    assert len(answers) == 200
    assert {answer.status_code for answer in answers} == {200}
    assert {(answer.headers["x-studiogate-backend"], said(answer)) for answer in answers} == {
        ("a", "a-a"),
        ("b", "b-b"),
    }
    assert most == 3
    assert sorted(seen) == sorted([*["a x up", "a x down"] * 6, *["b x up", "b x down"] * 5])


def said(answer: httpx.Response) -> str:
    """Return the text of an answer, streamed or not."""
    if answer.headers["content-type"].startswith("application/json"):
        text: str = answer.json()["choices"][0]["message"]["content"]
        return text
    chunks = sse(answer.text)
    assert chunks.pop() == "[DONE]"
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


async def test_a_removed_plugin_lives_until_its_last_answer_is_whole() -> None:
    """A stream that runs ends as it began, while new requests go to the chain that is there now."""
    seen: list[str] = []
    held = Held()
    plugins = {"a": lasting("a", seen, held), "b": lasting("b", seen, says("from b"))}
    async with running_gateway(config("a"), installed(plugins)) as served:
        async with (
            httpx.AsyncClient(base_url=served.url, trust_env=False, timeout=30) as http,
            http.stream("POST", CHAT_PATH, json={**HELLO, "stream": True}) as old,
        ):
            await held.begun.wait()
            await served.reload(config("b"))
            new = await http.post(CHAT_PATH, json=HELLO)
            before = list(seen)
            health = (await http.get("/health")).json()
            held.go.set()
            await old.aread()
        await until(lambda: "a x down" in seen)

    assert said(old) == "firstlast"
    assert said(new) == "from b"
    assert before == ["a x up", "b x up"]
    assert health["backends"] == ["b"]
    assert seen == ["a x up", "b x up", "a x down", "b x down"]


async def test_another_order_restarts_nothing() -> None:
    """Plugins for which nothing has changed go on, with what they hold, and are asked in the new order."""
    seen: list[str] = []
    kinds = {name: lasting(name, seen, says(name)) for name in ("a", "b", "c")}
    async with living(kinds) as gateway:
        following = await gateway.reload(config("c", "a", "b"), installed(kinds))
        answer = text_of(await read(following.submit(ask())))
        kept = [following.plugins.instance(name) is gateway.plugins.instance(name) for name in kinds]
        during = list(seen)

    assert answer == "c"
    assert kept == [True, True, True]
    assert during == ["a x up", "b x up", "c x up"]
    assert seen == [*during, "b x down", "a x down", "c x down"]


async def test_changed_settings_start_a_plugin_anew() -> None:
    """The new one is up before the old one goes, and what requires it starts anew too; nobody else does."""
    seen: list[str] = []
    kinds = {
        "base": lasting("base", seen),
        "top": lasting("top", seen, says("top"), requires=("base",)),
        "other": lasting("other", seen),
    }
    made = config("top", "other")
    async with living(kinds) as gateway:
        await gateway.reload(set_to(made, base="y"), installed(kinds))
        await until(lambda: "base x down" in seen)

    assert seen[3:] == [
        "base y up",
        "top x up",
        "top x down",
        "base x down",
        "other x down",
        "top x down",
        "base y down",
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (config("a", "nobody"), "no plugin 'nobody' is installed"),
        (set_to(config("a"), nobody="x"), r"\[nobody\]: no plugin has this name"),
        (attrs.evolve(config("a"), tables={"a": {"wrod": "x"}}), r"\[a\] wrod: is not known here.*'word'"),
        (config("a", port="x"), r"\[gateway\] port: must be a whole number"),
        (config("a", "new", "dud"), "can't start"),
        (config("a", "none"), "plugin none: capacity must be at least 1"),
        (config("a", timeouts={"nobody": {}}), r"timeouts\.nobody"),
        (config("a", models=[{"id": ""}]), r"\[models\[0\]\] id: must not be empty"),
    ],
)
async def test_what_is_wrong_changes_nothing(wrong: Config, message: str) -> None:
    """The reason is told, what had started already ends, and everybody else goes on."""
    seen: list[str] = []

    class Dud:
        @hookimpl
        @asynccontextmanager
        async def lifespan(self) -> AsyncGenerator[None]:
            raise ConfigurationError("can't start")
            yield

    class Nothing:
        @hookimpl
        def capacity(self) -> int:
            return 0

    kinds = {"a": lasting("a", seen, says("a")), "new": lasting("new", seen), "dud": Dud, "none": Nothing}
    async with living({"a": kinds["a"]}) as gateway:
        with pytest.raises(ConfigurationError, match=message):
            await gateway.reload(wrong, installed(kinds))
        answer = text_of(await read(gateway.submit(ask())))
        during = [each for each in seen if each.startswith("a ")]

    assert gateway.current is gateway
    assert answer == "a"
    assert during == ["a x up"]
    assert seen in (["a x up", "a x down"], ["a x up", "new x up", "new x down", "a x down"])


async def test_who_waits_keeps_its_chain_and_its_place() -> None:
    """Slots are common to both chains: the new one's first request waits behind those that came before it."""
    held, kinds = Held(), {"a": backend(says("unused")), "b": backend(says("b"))}
    kinds["a"] = backend(held)
    async with living({"a": kinds["a"]}, slots=1) as gateway:
        first, second = gateway.submit(ask()), gateway.submit(ask())
        await until(lambda: gateway.queue.waiting == (second,))
        following = await gateway.reload(config("b", slots=1), installed(kinds))
        third = following.submit(ask())
        await until(lambda: gateway.queue.waiting == (second, third))
        held.go.set()
        texts = [text_of(await read(each)) for each in (first, second, third)]

    assert texts == ["firstlast", "firstlast", "b"]


async def test_who_waits_for_few_slots_doesnt_get_more_of_them_by_a_reload() -> None:
    """What answers it has room for as many as before; once none of them waits, the new number holds."""
    held = Held()
    kinds = {"a": backend(held), "b": backend(held)}
    async with living({"a": kinds["a"]}, slots=1) as gateway:
        old = [gateway.submit(ask()) for _ in range(2)]
        await until(lambda: gateway.queue.waiting == (old[1],))
        following = await gateway.reload(config("b", slots=3), installed(kinds))
        new = [following.submit(ask()) for _ in range(4)]
        await until(lambda: len(gateway.queue.waiting) == 5)
        before = gateway.queue.running
        old[0].cancel()
        await until(lambda: len(gateway.queue.running) == 3)
        after = gateway.queue.running
        held.go.set()
        await asyncio.gather(*(read(each) for each in (old[1], *new)))

    assert before == (old[0],)
    assert after == (old[1], *new[:2])


async def test_fewer_slots_hold_for_who_comes() -> None:
    """Nobody who runs is sent away; nobody new begins before there are fewer."""
    held = Held()
    kinds = {"a": backend(held), "b": backend(says("b"))}
    async with living({"a": kinds["a"]}, slots=2) as gateway:
        running = [gateway.submit(ask()) for _ in range(2)]
        await until(lambda: len(gateway.queue.running) == 2)
        following = await gateway.reload(config("b", slots=1), installed(kinds))
        new = following.submit(ask())
        running[0].cancel()
        await until(lambda: len(gateway.queue.running) == 1)
        waiting = gateway.queue.waiting
        held.go.set()
        await asyncio.gather(read(running[1]), read(new))

    assert waiting == (new,)
    assert gateway.queue.slots == 1


async def test_a_request_that_was_still_read_goes_to_the_new_chain() -> None:
    """Whoever holds the gateway from before the change asks the one that is there now."""
    kinds = {"a": backend(says("a")), "b": backend(says("b"))}
    async with living({"a": kinds["a"]}) as gateway:
        await gateway.reload(config("b"), installed(kinds))

        assert text_of(await read(gateway.submit(ask()))) == "b"


async def test_exchanges_of_an_earlier_chain_can_be_cancelled_and_end_with_the_gateway() -> None:
    """By their id as ever; the gateway's end waits for what they opened, on every chain."""
    held = Held()
    kinds = {"a": backend(held), "b": backend(says("b"))}
    async with living({"a": kinds["a"]}) as gateway:
        cancelled, ended = gateway.submit(ask()), gateway.submit(ask())
        await until(lambda: len(gateway.queue.running) == 2)
        following = await gateway.reload(config("b"), installed(kinds))
        assert following.cancel(cancelled.id)
        with pytest.raises(ClientError, match="cancelled"):
            await read(cancelled)

    with pytest.raises(ServiceUnavailable, match="stopping"):
        await read(ended)
    assert held.closed.is_set()


async def test_what_holds_from_start_to_end_stays() -> None:
    """Another port or host needs a restart; the rest of the table changes."""
    kinds = {"a": backend(says("a"))}
    async with living(kinds, max_body_bytes=5, deadline_s=5) as gateway:
        following = await gateway.reload(config("a", max_body_bytes=6, deadline_s=6), installed(kinds))

    assert (following.settings.max_body_bytes, following.settings.deadline_s) == (5, 6)


async def test_a_breaker_goes_on_with_its_backend() -> None:
    """A change elsewhere in the file doesn't make a broken backend cost requests their time again."""
    broken = backend(yields(Unavailable("broken")))
    kinds = {"a": broken, "b": backend(says("b"))}
    async with living(kinds, breaker_failures=1) as gateway:
        await read(gateway.submit(ask()))
        following = await gateway.reload(config("b", "a", breaker_failures=1), installed(kinds))
        state = following.chain.breakers["a"].state
        anew = await following.reload(config("b", breaker_failures=1), installed(kinds))
        again = await anew.reload(config("a", "b", breaker_failures=1), installed(kinds))

    assert state is BreakerState.OPEN
    assert again.chain.breakers["a"].state is BreakerState.CLOSED


async def test_new_plugins_are_ready_before_requests_come_to_them() -> None:
    """As long as the old chain answers, requests don't have to wait for a new one's browser."""
    ready = asyncio.Event()

    class Slow(backend(says("slow"))):  # type: ignore[misc]
        @hookimpl
        def health(self) -> Health:
            return Health(ready=ready.is_set(), status="starting")

    kinds = {"a": backend(says("a")), "slow": Slow}
    async with living({"a": kinds["a"]}) as gateway:
        reloading = asyncio.create_task(gateway.reload(config("slow"), installed(kinds)))
        await until(lambda: len(gateway.generations.alive) == 2)
        meanwhile = text_of(await read(gateway.submit(ask())))
        ready.set()
        await reloading
        then = text_of(await read(gateway.submit(ask())))

    assert (meanwhile, then) == ("a", "slow")


async def test_a_reload_that_is_given_up_leaves_what_was() -> None:
    """When the gateway is stopped meanwhile, for example."""
    seen: list[str] = []

    class Never(lasting("never", seen)):  # type: ignore[misc]
        @hookimpl
        def health(self) -> Health:
            return Health(ready=False, status="starting")

        @hookimpl
        async def fetch_response(self) -> AsyncGenerator[Event]:
            yield STOP

    kinds = {"a": backend(says("a")), "never": Never}
    async with living({"a": kinds["a"]}) as gateway:
        reloading = asyncio.create_task(gateway.reload(config("never"), installed(kinds)))
        await until(lambda: bool(seen))
        reloading.cancel()
        await asyncio.wait([reloading])

        assert seen == ["never x up", "never x down"]
        assert gateway.current is gateway
        assert gateway.generations.alive == (gateway,)


async def test_files_are_taken_once_a_plugin_takes_them() -> None:
    """The folder for them is opened by the reload that brings the first such plugin."""

    class Takes:
        @hookimpl
        async def resolve_attachments(self, refs: Any, workdir: Any) -> None:
            assert workdir.is_dir()
            raise UpstreamFailed("seen")

    kinds = {"a": backend(says("a")), "takes": Takes}
    async with running_gateway(config("a"), installed(kinds)) as served:
        await served.reload(config("a", "takes"))
        content = [{"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}]
        async with httpx.AsyncClient(base_url=served.url, trust_env=False, timeout=30) as http:
            answer = await http.post(CHAT_PATH, json={"messages": [{"role": "user", "content": content}]})

    assert answer.json()["error"]["message"] == "seen"


async def test_a_lifespan_that_ends_by_itself_is_its_plugins_failure(caplog: pytest.LogCaptureFixture) -> None:
    """The log names the plugin, and so does its health; the gateway and the others go on."""
    go, prompt = asyncio.Event(), "what was asked"

    async def fails() -> None:
        await go.wait()
        raise OSError(prompt)

    class Breaks(backend(says("breaks"))):  # type: ignore[misc]
        @hookimpl
        @asynccontextmanager
        async def lifespan(self) -> AsyncGenerator[None]:
            async with asyncio.TaskGroup() as group:
                group.create_task(fails())
                yield

    with caplog.at_level(logging.ERROR):
        async with living({"breaks": Breaks, "b": backend(says("b"))}) as gateway:
            fine = gateway.health()
            go.set()
            await until(lambda: bool(gateway.health()))
            health = gateway.health()
            ready = gateway.ready

    assert fine == {}
    assert health["breaks"].status == "failed"
    assert ready
    assert "plugin breaks: lifespan raised ExceptionGroup" in caplog.text
    assert prompt not in caplog.text


def standing(kind: type, *requires: str, word: str = "x") -> Standing:
    """Make what is compared of a plugin."""
    return Standing(kind=kind, requires=requires, settings=Settings(word=word))


class Plain:
    """Implement nothing."""


class Defines:
    """Define a hook of its own."""

    hookspecs: ClassVar[Any] = SimpleNamespace(dress=pluggy.HookspecMarker(PROJECT)(lambda: None), other=1)


class Dresses:
    """Implement that hook."""

    @hookimpl
    def dress(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        ({"d": standing(Defines), "i": standing(Dresses, "d"), "p": standing(Plain, "d")}, "dip"),
        ({"p": standing(Plain, "d"), "i": standing(Dresses, "d"), "d": standing(Defines)}, "dip"),
        ({"d": standing(Defines), "i": standing(Dresses, "d")}, "di"),
        ({"d": standing(Defines), "p": standing(Plain, "d")}, ""),
        ({"d": standing(Defines), "i": standing(Dresses, "d", word="y"), "p": standing(Plain, "d")}, ""),
        ({"d": standing(Defines), "i": standing(Dresses, "d"), "j": standing(Dresses), "p": standing(Plain, "d")}, ""),
        ({"d": standing(Defines), "i": standing(Dresses, "d"), "p": standing(Plain)}, "di"),
        ({"d": standing(Defines, word="y"), "i": standing(Dresses, "d"), "p": standing(Plain, "d")}, ""),
        ({"d": standing(Defines), "i": standing(Dresses, "d"), "p": standing(Defines, "d")}, "di"),
    ],
)
def test_who_goes_on(now: dict[str, Standing], kept: str) -> None:
    """Who is the same and requires the same; who defines hooks, only with the same who implement them."""
    before = {"d": standing(Defines), "i": standing(Dresses, "d"), "p": standing(Plain, "d")}

    assert unchanged(before, now) == set(kept)


async def test_a_host_goes_on_with_what_is_unchanged() -> None:
    """The instances are the same ones; a plugin of another class under the same name is made anew."""
    kinds = {"a": lasting("a", []), "b": lasting("b", [])}
    before = host(kinds)
    after = type(before)(config("b", "a"), installed({**kinds, "b": lasting("b", [])}), before)

    assert after.kept == {"a"}
    assert after.instance("a") is before.instance("a")
    assert after.instance("b") is not before.instance("b")
