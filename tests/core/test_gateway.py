import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from studiogate import Declined, InvalidRequest, Unavailable, hookimpl
from studiogate.attachments import Attachment, AttachmentRef
from studiogate.chat import ChatRequest, Message, Role
from studiogate.errors import (
    ClientClosed,
    ClientError,
    ConfigurationError,
    DeadlineExceeded,
    ModelNotFound,
    RateLimited,
    ServiceUnavailable,
)
from studiogate.events import Citation, Event, Media, TextDelta
from studiogate.exchange import CHANNEL_EVENTS, Exchange
from studiogate.functions import CallMode
from studiogate.gateway import Gateway
from studiogate.health import Health
from studiogate.models import Model
from studiogate.tools import FunctionDeclaration, ToolPlan, ToolSpec

from .backends import (
    STOP,
    Held,
    ask,
    backend,
    below,
    config,
    exchange_of,
    host,
    living,
    read,
    says,
    text_of,
    until,
    yields,
)


async def end_of(exchange: Exchange) -> ClientError:
    """Read an exchange to the error it ends with."""
    with pytest.raises(ClientError) as failure:
        await read(exchange)
    return failure.value


async def test_a_request_is_answered() -> None:
    """Submitting returns at once; the answer is read from the exchange."""
    async with living({"a": backend(says("Hel", "lo"))}) as gateway:
        exchange = gateway.submit(ask())
        events = await read(exchange)

    assert text_of(events) == "Hello"
    assert exchange.id.startswith("req_")


async def test_an_answer_holds_so_many_media_and_no_more() -> None:
    """What came before stands; then the client is told which setting it was."""
    images = [Media(mime="image/png", data=bytes(size)) for size in (60, 40, 1)]
    async with living({"a": backend(yields(*images, STOP))}, max_media_bytes=100) as gateway:
        exchange = gateway.submit(ask())
        assert [await exchange.next_event(), await exchange.next_event()] == images[:2]
        error = await end_of(exchange)

    assert error.status == 502
    assert "max_media_bytes" in error.message


async def test_every_exchange_has_an_id_of_its_own() -> None:
    """Ids tell requests apart in logs and headers."""
    async with living({"a": backend(says("x"))}) as gateway:
        exchanges = [gateway.submit(ask()) for _ in range(5)]
        for each in exchanges:
            await read(each)

    assert len({each.id for each in exchanges}) == 5


async def test_cancel_closes_the_backend_and_what_the_exchange_opened_in_reverse() -> None:
    """A cancelled exchange ends its backend first and then its stack, last opened first."""
    closed: list[str] = []

    async def opens(exchange: Exchange) -> AsyncGenerator[Event]:
        exchange.stack.callback(closed.append, "tab")
        exchange.stack.callback(closed.append, "folder")
        try:
            yield TextDelta(text="x")
            await asyncio.Event().wait()
        finally:
            closed.append("backend")

    async with living({"a": backend(opens)}) as gateway:
        exchange = gateway.submit(ask())
        await exchange.next_event()
        exchange.cancel()
        error = await end_of(exchange)
        running = gateway.queue.running

    assert isinstance(error, ClientClosed)
    assert closed == ["backend", "folder", "tab"]
    assert running == ()


async def test_cancel_before_the_first_step_still_says_the_end() -> None:
    """An exchange cancelled in the turn it was made has a reader that must not wait forever."""
    async with living({"a": backend(says("x"))}) as gateway:
        exchange = gateway.submit(ask())
        exchange.cancel()
        error = await end_of(exchange)

    assert isinstance(error, ClientClosed)


async def test_cancel_after_the_end_does_nothing() -> None:
    """Whoever comes late to cancel changes nothing."""
    async with living({"a": backend(says("x"))}) as gateway:
        exchange = gateway.submit(ask())
        await read(exchange)
        await until(lambda: not gateway.queue.running)
        exchange.cancel()

    assert not exchange.cancelled


async def test_a_slow_reader_gets_every_event_and_holds_the_backend_back() -> None:
    """The channel is bounded: a backend runs ahead so far and no further, and nothing is lost."""
    count = 2 * CHANNEL_EVENTS
    said = 0

    async def floods(_: Exchange) -> AsyncGenerator[Event]:
        nonlocal said
        for number in range(count):
            said += 1
            yield TextDelta(text=f"{number} ")
        yield STOP

    async with living({"a": backend(floods)}) as gateway:
        exchange = gateway.submit(ask())
        await until(lambda: said > CHANNEL_EVENTS)
        for _ in range(100):
            await asyncio.sleep(0)
        ahead = said
        events = await read(exchange)

    assert ahead == CHANNEL_EVENTS + 1
    assert text_of(events) == "".join(f"{number} " for number in range(count))


async def test_a_cancelled_read_loses_no_event() -> None:
    """The reader may give up waiting and come back, as it does for every keep-alive."""
    held = Held()
    async with living({"a": backend(held)}) as gateway:
        exchange = gateway.submit(ask())
        first = await exchange.next_event()
        waiting = asyncio.create_task(exchange.next_event())
        await asyncio.sleep(0)
        waiting.cancel()
        held.go.set()
        rest = await read(exchange)

    assert text_of([event for event in [first, *rest] if event]) == "firstlast"


async def test_the_deadline_ends_an_exchange() -> None:
    """An answer that isn't complete in time is a 504, and its backend is closed."""
    held = Held()
    async with living({"a": backend(held)}, deadline_s=0.5) as gateway:
        error = await end_of(gateway.submit(ask()))

    assert isinstance(error, DeadlineExceeded)
    assert error.message == "The answer was not complete after 0.5 s."
    assert held.closed.is_set()


async def test_the_deadline_counts_the_wait_for_a_slot() -> None:
    """An exchange that never got a slot ends in time too, and leaves the queue."""
    held = Held()
    async with living({"a": backend(held)}, slots=1, deadline_s=0.1) as gateway, gateway.queue.slot(exchange_of()):
        error = await end_of(gateway.submit(ask()))
        waiting = gateway.queue.waiting

    assert isinstance(error, DeadlineExceeded)
    assert waiting == ()
    assert held.exchanges == []


async def test_a_full_queue_is_said_to_the_client() -> None:
    """More than may wait are refused with 429."""
    held = Held()
    async with living({"a": backend(held)}, slots=1, queue_limit=1) as gateway:
        gateway.submit(ask())
        await held.begun.wait()
        waiting = gateway.submit(ask())
        await until(lambda: gateway.queue.waiting == (waiting,))
        error = await end_of(gateway.submit(ask()))

    assert isinstance(error, RateLimited)


async def test_a_stop_ends_the_running_and_the_waiting_alike() -> None:
    """Leaving the lifespan tells everybody that the gateway stops, and closes what they opened."""
    held = Held()
    async with living({"a": backend(held)}, slots=1) as gateway:
        running, *waiting = exchanges = [gateway.submit(ask()) for _ in range(4)]
        await until(lambda: gateway.queue.waiting == tuple(waiting))
        assert gateway.queue.running == (running,)
    errors = [await end_of(each) for each in exchanges]

    assert {(type(error), error.message) for error in errors} == {(ServiceUnavailable, "The gateway is stopping.")}
    assert held.closed.is_set()


async def test_a_stop_tells_the_one_that_just_came_too() -> None:
    """An exchange whose supervisor hasn't run yet hears of the stop like all others."""
    async with living({"a": backend(says("x"))}) as gateway:
        exchange = gateway.submit(ask())

    assert isinstance(await end_of(exchange), ServiceUnavailable)


async def test_a_stopping_gateway_takes_no_requests_and_isnt_ready() -> None:
    """While running answers end, new ones are refused, and health checks send nobody here."""
    held = Held()
    async with living({"a": backend(held)}) as gateway:
        exchange = gateway.submit(ask())
        await held.begun.wait()
        draining = asyncio.create_task(gateway.drain(60))
        await asyncio.sleep(0)
        with pytest.raises(ServiceUnavailable, match="stopping") as refusal:
            gateway.submit(ask())
        ready = gateway.ready
        held.go.set()
        events = await read(exchange)
        await draining

    assert refusal.value.retry_after_s == 5
    assert not ready
    assert text_of(events) == "firstlast"


def ref(source: str, param: str = "p") -> AttachmentRef:
    """Make a reference."""
    return AttachmentRef(source=source, param=param)


def with_refs(*sources: str) -> ChatRequest:
    """Make a request with attachments."""
    refs = tuple(ref(source, f"messages[0].images[{index}]") for index, source in enumerate(sources))
    return ChatRequest(messages=(Message(role=Role.USER, text="Look.", attachments=refs),))


def takes(prefix: str, offered: list[list[str]], folders: list[Path]) -> type:
    """Make a plugin that resolves references of one kind."""

    class Takes:
        @hookimpl
        async def resolve_attachments(
            self, refs: Sequence[AttachmentRef], workdir: Path
        ) -> Mapping[AttachmentRef, Attachment] | None:
            offered.append([each.source for each in refs])
            folders.append(workdir)
            mine = [each for each in refs if each.source.startswith(prefix)]
            for number, each in enumerate(mine):
                (workdir / f"{prefix}{number}").write_text(each.source)
            return {
                each: Attachment(ref=each, path=workdir / name, mime="text/plain", filename=name, size=1)
                for each, name in ((each, f"{prefix}{number}") for number, each in enumerate(mine))
            } or None

    return Takes


async def test_attachments_are_offered_until_somebody_takes_them() -> None:
    """Each plugin sees what the earlier ones left; the files come in the request's order and go with the exchange."""
    offered: list[list[str]] = []
    folders: list[Path] = []
    there: list[str] = []

    async def looks(exchange: Exchange) -> AsyncGenerator[Event]:
        there.extend(each.path.read_text() for each in exchange.attachments)
        there.append(oct(folders[0].stat().st_mode & 0o777))
        yield STOP

    plugins = {name: takes(name, offered, folders) for name in ("a", "b", "c")}
    async with living({**plugins, "answers": backend(looks)}) as gateway:
        await read(gateway.submit(with_refs("b1", "a1", "b2")))

    assert offered == [["b1", "a1", "b2"], ["b1", "b2"]]
    assert there == ["b1", "a1", "b2", "0o700"]
    assert len(set(folders)) == 1
    assert not folders[0].exists()


async def test_the_same_reference_twice_is_resolved_for_both() -> None:
    """Equal references stand for the same file, which is there once."""
    request = ChatRequest(messages=(Message(role=Role.USER, attachments=(ref("a"), ref("a"))),))
    async with living({"a": takes("a", [], []), "answers": backend(says("x"))}) as gateway:
        exchange = gateway.submit(request)
        await read(exchange)

    assert len(exchange.attachments) == 1


def test_a_file_is_called_as_its_path_ends() -> None:
    """A page takes the name from the path, so a plugin that names a file otherwise is told at once."""
    with pytest.raises(ValueError, match="last part of its path"):
        Attachment(ref=ref("a"), path=Path("/tmp/b"), mime="text/plain", filename="a", size=1)


async def test_a_file_that_several_references_mean_is_there_once() -> None:
    """A plugin may give two references one file: backends get it once, in its first place, and find both."""

    class SharesEvenOnes:
        @hookimpl
        async def resolve_attachments(
            self, refs: Sequence[AttachmentRef], workdir: Path
        ) -> Mapping[AttachmentRef, Attachment]:
            files = [
                Attachment(ref=each, path=workdir / each.source, mime="text/plain", filename=each.source, size=1)
                for each in refs
            ]
            return {each: files[0 if index % 2 == 0 else index] for index, each in enumerate(refs)}

    async with living({"shares": SharesEvenOnes, "answers": backend(says("x"))}) as gateway:
        exchange = gateway.submit(with_refs("a", "b", "c", "d"))
        await read(exchange)

    assert [each.filename for each in exchange.attachments] == ["a", "b", "d"]
    assert [exchange.files[each].filename for each in exchange.request.attachments] == ["a", "b", "a", "d"]


async def test_what_a_client_sent_of_a_file_is_let_go_once_it_is_one() -> None:
    """Requests wait and answers take minutes; meanwhile nothing as big as a file is kept in memory."""
    async with living({"a": takes("a", [], []), "answers": backend(says("x"))}) as gateway:
        exchange = gateway.submit(with_refs("a1", "a2"))
        await read(exchange)

    kept = [*exchange.request.attachments, *exchange.prompt.attachments, *(each.ref for each in exchange.attachments)]
    assert [each.source for each in kept] == [""] * 6
    assert [each.param for each in kept] == ["messages[0].images[0]", "messages[0].images[1]"] * 3


async def test_attachments_of_earlier_messages_can_be_left_out() -> None:
    """`only_collect_current_user_attachments` keeps the last user message's and the whole request's."""
    offered: list[list[str]] = []
    request = ChatRequest(
        messages=(
            Message(role=Role.USER, attachments=(ref("a0", "messages[0].images[0]"),)),
            Message(role=Role.USER, text="Look.", attachments=(ref("a1", "messages[1].images[0]"),)),
            Message(role=Role.TOOL, attachments=(ref("a2", "messages[2].images[0]"), ref("a3", "attachments[0]"))),
        )
    )
    plugins = {"a": takes("a", offered, []), "answers": backend(says("x"))}
    async with living(plugins, only_collect_current_user_attachments=True) as gateway:
        exchange = gateway.submit(request)
        await read(exchange)

    assert offered == [["a1", "a3"]]
    assert [each.ref.param for each in exchange.attachments] == ["messages[1].images[0]", "attachments[0]"]


async def test_where_nobody_takes_attachments_they_are_refused(tmp_path: Path) -> None:
    """Without a plugin for them a reference is a 400, and there is no folder for files."""
    async with living({"answers": backend(says("x"))}, upload_files_dir=str(tmp_path / "files")) as gateway:
        error = await end_of(gateway.submit(with_refs("a")))

    assert isinstance(error, InvalidRequest)
    assert below(tmp_path) == []


async def test_an_attachment_nobody_takes_is_refused_by_its_place() -> None:
    """What no plugin knows is a 400 that names where it stood, and no folder is left."""
    folders: list[Path] = []
    held = Held()
    async with living({"a": takes("a", [], folders), "answers": backend(held)}) as gateway:
        error = await end_of(gateway.submit(with_refs("a", "zzz")))

    assert isinstance(error, InvalidRequest)
    assert error.param == "messages[0].images[1]"
    assert not folders[0].exists()
    assert held.exchanges == []


async def test_a_bad_attachment_is_refused_before_it_waits() -> None:
    """A request that is wrong needs no slot to be told so."""
    held = Held()
    async with living({"answers": backend(held)}, slots=1) as gateway:
        gateway.submit(ask())
        await held.begun.wait()
        error = await end_of(gateway.submit(with_refs("x")))

    assert isinstance(error, InvalidRequest)


def maps(name: str, offered: list[list[str]], **part: Any) -> type:
    """Make a plugin that takes tools of one type."""

    class Maps:
        @hookimpl
        async def map_tools(self, tools: Sequence[ToolSpec], choice: Any, request: ChatRequest) -> ToolPlan | None:
            offered.append([tool.type for tool in tools])
            taken = frozenset(tool.index for tool in tools if tool.type == name)
            return ToolPlan(taken=taken, **part) if taken else None

    return Maps


def with_tools(*types: str) -> ChatRequest:
    """Make a request with tools."""
    return ask(tools=tuple(ToolSpec(index=index, spec={"type": type_}) for index, type_ in enumerate(types)))


async def test_tools_are_offered_until_somebody_takes_them() -> None:
    """Each plugin sees what the earlier ones left, also nothing; the parts make one plan, the earlier one stronger."""
    offered: list[list[str]] = []
    declared = FunctionDeclaration(name="f", description="first")
    plugins = {
        "search": maps("google_search", offered, switches={"google_search": 1}, functions=(declared,)),
        "function": maps(
            "function",
            offered,
            switches={"google_search": 2, "code": 3},
            functions=(FunctionDeclaration(name="f", description="second"),),
        ),
        "late": maps("none", offered),
    }
    async with living({**plugins, "answers": backend(says("x"))}) as gateway:
        exchange = gateway.submit(with_tools("function", "google_search"))
        await read(exchange)

    assert offered == [["function", "google_search"], ["function"], []]
    assert exchange.plan == ToolPlan(
        taken=frozenset({0, 1}), switches={"google_search": 1, "code": 3}, functions=(declared,)
    )


async def test_a_tool_nobody_takes_is_refused_by_its_place() -> None:
    """An unknown type of tool is a 400 that names it."""
    async with living({"search": maps("google_search", []), "answers": backend(says("x"))}) as gateway:
        error = await end_of(gateway.submit(with_tools("google_search", "teleport")))

    assert isinstance(error, InvalidRequest)
    assert error.message == "No plugin of this gateway takes tools of type 'teleport'."
    assert error.param == "tools[1]"


def functions(*names: str) -> tuple[ToolSpec, ...]:
    """Make tools that declare functions."""
    return tuple(
        ToolSpec(index=index, spec={"type": "function", "function": {"name": name}}) for index, name in enumerate(names)
    )


async def test_functions_that_nobody_takes_are_declared() -> None:
    """The client's own come first, in its order and as it declares them; of equal names its own stands."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    full = {"name": "weather", "description": "Tell it.", "parameters": schema, "strict": True}
    sparse = {"name": "time", "description": None, "parameters": None}
    tools = [{"type": "function", "function": full}, {"type": "search"}, {"function": sparse}]
    more = (FunctionDeclaration(name="time", description="another"), FunctionDeclaration(name="added"))
    async with living({"adds": maps("search", [], functions=more), "answers": backend(says("x"))}) as gateway:
        specs = tuple(ToolSpec(index=index, spec=spec) for index, spec in enumerate(tools))
        await read(exchange := gateway.submit(ask(tools=specs)))

    assert exchange.plan.taken == {0, 1, 2}
    assert exchange.plan.functions == (
        FunctionDeclaration(name="weather", description="Tell it.", parameters=schema, strict=True),
        FunctionDeclaration(name="time"),
        FunctionDeclaration(name="added"),
    )


async def test_a_plan_may_have_the_sources_listed() -> None:
    """At the end of the text, whatever backend answers."""
    cited = backend(yields(TextDelta(text="x"), Citation(url="https://a.example", title="A"), STOP))
    async with living({"wants": maps("search", [], list_sources=True), "answers": cited}) as gateway:
        listed = await read(gateway.submit(with_tools("search")))
        plain = await read(gateway.submit(ask()))

    assert text_of(listed).endswith("1. [A](https://a.example)\n")
    assert text_of(plain) == "x"


async def test_the_operators_way_of_calling_functions_reaches_the_backends() -> None:
    """They ask the exchange for it."""
    async with living({"answers": backend(says("x"))}, function_calling="emulated") as gateway:
        await read(exchange := gateway.submit(ask()))

    assert exchange.call_mode is CallMode.EMULATED


async def test_a_function_that_a_plugin_takes_is_not_declared() -> None:
    """Who takes it answers for it, whatever becomes of it."""

    class Takes:
        @hookimpl
        async def map_tools(self, tools: Sequence[ToolSpec]) -> ToolPlan:
            return ToolPlan(taken=frozenset({1}), switches={"search": {}})

    async with living({"takes": Takes, "answers": backend(says("x"))}) as gateway:
        await read(exchange := gateway.submit(ask(tools=functions("a", "b", "c"))))

    assert [function.name for function in exchange.plan.functions] == ["a", "c"]


@pytest.mark.parametrize("name", ["own", "added"])
async def test_a_function_that_somebody_offers_may_be_chosen(name: str) -> None:
    """Whether the client declared it or a plugin added it."""
    own = ToolSpec(index=0, spec={"type": "function", "function": {"name": "own"}})
    choice = {"type": "function", "function": {"name": name}}
    adds = maps("function", [], functions=(FunctionDeclaration(name="added"),))
    async with living({"adds": adds, "answers": backend(says("x"))}) as gateway:
        events = await read(gateway.submit(ask(tools=(own,), tool_choice=choice)))

    assert text_of(events) == "x"


async def test_a_function_that_nobody_offers_is_refused() -> None:
    """The model can't be made to call what isn't there."""
    choice = {"type": "function", "function": {"name": "f"}}
    async with living({"answers": backend(says("x"))}) as gateway:
        error = await end_of(gateway.submit(ask(tool_choice=choice)))

    assert isinstance(error, InvalidRequest)
    assert error.message == "tool_choice.function.name: must be one of the functions among the tools."
    assert error.param == "tool_choice.function.name"


def breaks(error: Exception) -> type:
    """Make a plugin whose map_tools fails."""

    class Breaks:
        @hookimpl
        async def map_tools(self) -> None:
            raise error

    return Breaks


async def test_a_fault_before_the_queue_names_the_plugin(caplog: pytest.LogCaptureFixture) -> None:
    """A bug in a hook outside the chain is that plugin's fault as much as one inside it."""
    async with living({"broken": breaks(ValueError("secret")), "answers": backend(says("x"))}) as gateway:
        error = await end_of(gateway.submit(ask()))

    assert (error.status, error.message) == (502, "broken failed unexpectedly; the gateway's log says where.")
    assert "plugin broken raised ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_plugins_own_timeout_is_not_the_deadline() -> None:
    """A TimeoutError of a plugin says nothing of the exchange's time."""
    async with living({"slow": breaks(TimeoutError()), "answers": backend(says("x"))}) as gateway:
        error = await end_of(gateway.submit(ask()))

    assert error.status == 502


async def test_a_whole_answer_stands_when_its_stack_fails_to_close(caplog: pytest.LogCaptureFixture) -> None:
    """What fails while things are put away is logged, without its message; the next exchange gets the slot."""

    async def leaves_a_mess(exchange: Exchange) -> AsyncGenerator[Event]:
        def fail() -> None:
            raise OSError(exchange.prompt.text)

        exchange.stack.callback(fail)
        yield STOP

    async with living({"a": backend(leaves_a_mess)}, slots=1) as gateway:
        answers = [await read(gateway.submit(ask("a question"))) for _ in range(2)]

    assert answers == [[STOP], [STOP]]
    assert "OSError" in caplog.text
    assert "question" not in caplog.text


@pytest.mark.parametrize(("asked", "name"), [("models/gpt-4o", "gpt-4o"), ("gemini-pro", "gemini-pro")])
async def test_an_exchange_knows_the_name_and_who_answers(asked: str, name: str) -> None:
    """Backends get the model itself, clients see the id they asked by."""
    models = [{"id": "gpt-4o", "target": "gemini-pro"}]
    async with living({"x": backend(says("x"), "gemini-flash", "gemini-pro")}, models=models) as gateway:
        exchange = gateway.submit(ask(model=asked))
        await read(exchange)

    assert exchange.model_name == name
    assert exchange.model == Model(id="gemini-pro", display_name="gemini-pro")


async def test_a_model_that_isnt_there_starts_no_exchange() -> None:
    """It is refused before anything is opened."""
    async with living({"x": backend(says("x"), "a")}) as gateway:
        with pytest.raises(ModelNotFound):
            gateway.submit(ask(model="b"))

        assert not gateway.queue.running


async def test_a_model_that_no_backend_has_is_refused_with_the_nearest() -> None:
    """Where a plugin takes unlisted models it is the backends that find out; the client learns as much as otherwise."""

    class Takes(backend(yields(Declined("not ours", status=422)), "gemini-pro")):  # type: ignore[misc]
        @hookimpl
        def takes_model(self) -> bool:
            return True

    async with living({"x": Takes, "y": backend(yields(Unavailable("has none", status=422)))}) as gateway:
        with pytest.raises(ModelNotFound) as refused:
            await read(gateway.submit(ask(model="gemini-prx")))

    assert refused.value.message == (
        "No backend could answer. x: not ours; y: has none. Nearest: gemini-pro. GET /v1/models lists all."
    )
    assert refused.value.param == "model"


class Slots:
    """Say how many exchanges fit."""

    @hookimpl
    def capacity(self) -> int:
        """Say three."""
        return 3


@pytest.mark.parametrize(
    ("plugins", "settings", "expected"),
    [({}, {}, 8), ({"s": Slots}, {}, 3), ({"s": Slots}, {"slots": 5}, 5), ({}, {"slots": 5}, 5)],
)
async def test_slots_are_the_operators_else_the_first_plugins_else_eight(
    plugins: dict[str, type], settings: dict[str, int], expected: int
) -> None:
    """A plugin knows how much it can carry; the operator knows better."""
    async with living(plugins, **settings) as gateway:
        assert gateway.queue.slots == expected


def lives(name: str, seen: list[str]) -> type:
    """Make a plugin that notes when it comes to life and when it ends."""

    class Lives:
        @hookimpl
        @asynccontextmanager
        async def lifespan(self, gateway: Gateway) -> AsyncGenerator[None]:
            seen.append(f"{name} up {gateway.started.is_set()}")
            try:
                yield
            finally:
                seen.append(f"{name} down")

    return Lives


async def test_lifespans_are_entered_in_order_and_left_in_reverse() -> None:
    """A plugin may rely on those before it from its first moment to its last."""
    seen: list[str] = []
    async with living({"a": lives("a", seen), "b": lives("b", seen)}) as gateway:
        seen.append(f"serving {gateway.started.is_set()}")

    assert seen == ["a up False", "b up False", "serving True", "b down", "a down"]


async def test_exchanges_end_before_the_plugins_do() -> None:
    """What an exchange uses is still there while it closes."""
    seen: list[str] = []

    async def answers(_: Exchange) -> AsyncGenerator[Event]:
        try:
            yield TextDelta(text="x")
            await asyncio.Event().wait()
        finally:
            seen.append("backend closed")

    async with living({"a": lives("a", seen), "b": backend(answers)}) as gateway:
        await gateway.submit(ask()).next_event()

    assert seen == ["a up False", "backend closed", "a down"]


async def test_a_plugin_that_cant_start_ends_those_that_did() -> None:
    """An error on the way up is told after everything that was up is down."""
    seen: list[str] = []

    class Fails:
        @hookimpl
        @asynccontextmanager
        async def lifespan(self) -> AsyncGenerator[None]:
            raise OSError("no browser")
            yield

    with pytest.raises(ConfigurationError, match=r"^plugin b: can't start: OSError: no browser\.$"):
        async with living({"a": lives("a", seen), "b": Fails}):
            pass

    assert seen == ["a up False", "a down"]


def ill(kind: type) -> type:
    """Make a plugin of a kind that reports trouble."""

    @hookimpl
    def health(_: object) -> Health:
        return Health(ready=False, status="signed out", advice="Sign in.")

    return type("Ill", (kind,), {"health": health})


def needing(kind: type, *needs: str) -> type:
    """Make a plugin of a kind that requires others."""
    return type("Needing", (kind,), {"requires": needs})


async def test_the_gateway_is_ready_when_a_backend_is() -> None:
    """A backend counts as ready with all that it requires; one that isn't leaves it to the next."""
    fine = backend(says("x"))

    async def ready(**plugins: type) -> bool:
        async with living(plugins) as gateway:
            return gateway.ready

    assert await ready(a=fine)
    assert await ready(a=ill(fine), b=fine)
    assert await ready(a=fine, unneeded=ill(object))
    assert not await ready(a=ill(fine))
    assert not await ready(deep=ill(object), middle=needing(object, "deep"), a=needing(fine, "middle"))
    assert not await ready()


async def test_an_exchange_may_be_given_its_id() -> None:
    """Whoever takes requests in has one from their arrival on; else the gateway makes one."""
    async with living({"a": backend(says("x"))}) as gateway:
        given, made = gateway.submit(ask(), exchange_id="req_given"), gateway.submit(ask())
        await read(given)
        await read(made)

    assert given.id == "req_given"
    assert made.id.startswith("req_")


async def test_a_capacity_of_nothing_is_refused() -> None:
    """A queue without slots would admit nobody; the plugin is named."""

    class Tiny:
        @hookimpl
        def capacity(self) -> int:
            return 0

    with pytest.raises(ConfigurationError, match=r"plugin tiny: capacity must be at least 1"):
        Gateway(config("tiny"), host({"tiny": Tiny}))
