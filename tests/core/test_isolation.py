"""A broken plugin of each kind: what the operator sees, what the client sees, and that nobody else's request suffers.

What fails before a plugin is made is in test_left_out.py.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import Mock

import pytest
import rich_click as click

import studiogate.hookspecs
from studiogate import ConfigurationError, hookimpl
from studiogate.attachments import AttachmentRef
from studiogate.chat import ChatRequest, Message, Role
from studiogate.cli import studiogate as command_line
from studiogate.errors import PluginFault, PluginRefused

from .backends import CHAT_PATH, HELLO, ask, backend, host, living, read, says, serving, text_of
from .test_hooks import signatures

SECRET = "sk-secret of somebody"


def plugin(hook: str, does: Callable[..., Any]) -> type:
    """Make a plugin class that implements one hook, without arguments."""
    return type("Broken", (), {hook: hookimpl(does)})


def raises() -> Callable[..., Any]:
    """Make a sync hook that raises."""

    def hook(self: Any) -> Any:
        raise RuntimeError(SECRET)

    return hook


def fails() -> Callable[..., Any]:
    """Make an async hook that raises."""

    async def hook(self: Any) -> Any:
        raise RuntimeError(SECRET)

    return hook


def returns(what: Any) -> Callable[..., Any]:
    """Make a sync hook that returns what it shouldn't."""

    def hook(self: Any) -> Any:
        return what

    return hook


def gives(what: Any) -> Callable[..., Any]:
    """Make an async hook that returns what it shouldn't."""

    async def hook(self: Any) -> Any:
        return what

    return hook


def hangs() -> Callable[..., Any]:
    """Make an async hook that never ends."""

    async def hook(self: Any) -> Any:
        await asyncio.Event().wait()

    return hook


def yielding(*what: Any) -> Callable[..., Any]:
    """Make a backend's hook."""

    async def hook(self: Any, exchange: Any) -> AsyncGenerator[Any]:
        for each in what:
            if isinstance(each, Exception):
                raise each
            if each == "hang":
                await asyncio.Event().wait()
            yield each

    return hook


def entering(step: Callable[[], Awaitable[None]]) -> Callable[..., Any]:
    """Make a lifespan that does something before it is entered."""

    @asynccontextmanager
    async def hook(self: Any) -> AsyncGenerator[None]:
        await step()
        yield

    return hook


async def broken() -> None:
    """Fail."""
    raise RuntimeError(SECRET)


async def misconfigured() -> None:
    """Fail as a plugin does that can't start."""
    raise ConfigurationError("[x] port: is taken.")


async def forever() -> None:
    """Never end."""
    await asyncio.Event().wait()


TOLD = [
    ("list_models", raises()),
    ("list_models", returns(["gemini"])),
    ("list_models", returns(7)),
    ("takes_model", raises()),
    ("health", raises()),
    ("health", returns("fine")),
    ("metrics", raises()),
    ("metrics", returns(7)),
]


@pytest.mark.parametrize(("hook", "does"), TOLD)
async def test_what_only_tells_costs_no_request(
    hook: str, does: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A hook that is asked on every request's way answers for nobody else; the log names the plugin, not its words."""
    async with serving({"x": plugin(hook, does), "a": backend(says("Hello"), "test-model")}) as served:
        answer = await served.http.post(CHAT_PATH, json=HELLO)
        unknown = await served.http.post(CHAT_PATH, json={**HELLO, "model": "unheard-of"})
        health = await served.http.get("/health")
        models = await served.http.get("/v1/models")
        metrics = await served.http.get("/metrics")

    assert (answer.status_code, unknown.status_code) == (200, 422)
    assert (models.status_code, metrics.status_code) == (200, 200)
    assert "plugin x" in caplog.text
    assert SECRET not in caplog.text + health.text
    if hook == "health":
        assert health.json()["plugins"]["x"]["status"] == "failed"


ASKED = [
    ("map_tools", fails()),
    ("map_tools", gives("tools")),
    ("resolve_attachments", fails()),
    ("resolve_attachments", gives({"a": "b"})),
    ("resolve_attachments", gives(7)),
    ("apply_params", raises()),
    ("apply_params", returns({"temperature": 1})),
    ("fetch_response", yielding(RuntimeError(SECRET))),
    ("fetch_response", yielding("text")),
]


@pytest.mark.parametrize(("hook", "does"), ASKED)
async def test_a_fault_is_told_by_the_plugins_name(
    hook: str, does: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets a 502 that names the plugin; the log has the place."""
    reference = AttachmentRef(source="https://x.example/a.png", param="messages[0]")
    request = ChatRequest(messages=(Message(role=Role.USER, text="Hi", attachments=(reference,)),))
    async with living({"x": plugin(hook, does), "a": backend(says("Hello"))}) as gateway:
        exchange = gateway.submit(request if hook == "resolve_attachments" else ask())
        with pytest.raises(PluginFault) as fault:
            await read(exchange)

    assert str(fault.value) == "x failed unexpectedly; the gateway's log says where."
    assert "plugin x raised" in caplog.text
    assert SECRET not in caplog.text
    if hook in {"fetch_response", "apply_params"}:
        assert exchange.attempts[0].verdict == "fault"


HANGING = [
    ("map_tools", hangs(), "map_tools"),
    ("resolve_attachments", hangs(), "resolve_attachments"),
]


@pytest.mark.parametrize(("hook", "does", "named"), HANGING)
async def test_a_hook_that_hangs_ends_with_the_deadline(
    hook: str, does: Callable[..., Any], named: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets a 504, and the log says whose hook it was."""
    image = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    content = [{"type": "text", "text": "Hi"}, *([image] if hook == "resolve_attachments" else [])]
    async with serving({"x": plugin(hook, does), "a": backend(says("Hello"))}, deadline_s=0.05) as served:
        answer = await served.chat(messages=[{"role": "user", "content": content}])

    assert answer.status_code == 504
    assert f"plugin x: {named} was not over by the deadline" in caplog.text


async def test_a_backend_that_hangs_is_passed_over() -> None:
    """After its time to the first event the next one is asked."""
    plugins = {"x": plugin("fetch_response", yielding("hang")), "a": backend(says("Hello"))}
    async with living(plugins, timeouts={"x": {"first_event_s": 0.02}}) as gateway:
        exchange = gateway.submit(ask())
        events = await read(exchange)

    assert text_of(events) == "Hello"
    assert exchange.attempts[0].outcome == "unavailable: nothing came for 0.02 s"


STARTS = {
    "raises": (raises(), "plugin x: can't start: RuntimeError: sk-secret of somebody", "can't start"),
    "no context": (returns(7), "plugin x: can't start: TypeError: ", "can't start"),
    "breaks": (entering(broken), "plugin x: can't start: RuntimeError: sk-secret of somebody", "can't start"),
    "refuses": (entering(misconfigured), "[x] port: is taken.", "can't start"),
    "hangs": (entering(forever), "plugin x: has not started after 0.05 s.", "did not start in time"),
}


@pytest.mark.parametrize("kind", STARTS)
async def test_a_plugin_that_cant_start_stops_the_start(kind: str) -> None:
    """With one message that names it."""
    does, message, in_short = STARTS[kind]

    with pytest.raises(PluginRefused) as refusal:
        async with living({"x": plugin("lifespan", does), "a": backend(says("x"))}, lifespan_s=0.05):
            pass

    assert str(refusal.value).startswith(message)
    assert (refusal.value.plugin, refusal.value.in_short) == ("x", in_short)


@pytest.mark.parametrize("kind", STARTS)
async def test_a_plugin_that_cant_start_is_left_out(kind: str) -> None:
    """With `skip`: it answers nothing, nor does what requires it, and `/health` says so."""
    does, _, in_short = STARTS[kind]
    broken_backend = type("Broken", (backend(says("broken")),), {"lifespan": hookimpl(does)})
    above = type("Above", (backend(says("above")),), {"requires": ("x",)})
    plugins = {"x": broken_backend, "above": above, "a": backend(says("Hello"))}
    async with serving(plugins, on_error="skip", lifespan_s=0.05) as served:
        answer = await served.chat()
        health = (await served.http.get("/health")).json()

    assert answer.headers["x-studiogate-attempts"] == "a=ok"
    assert health["backends"] == ["a"]
    assert health["plugins"]["x"]["advice"] == f"It {in_short}. The gateway's log says more."
    assert health["plugins"]["above"]["advice"] == "It requires x, which is left out. The gateway's log says more."
    assert list(health["breakers"]) == ["a"]


@pytest.mark.parametrize("does", [raises(), returns(0), returns("many")])
async def test_a_capacity_that_isnt_one(does: Callable[..., Any]) -> None:
    """It stops the start, or its plugin is left out and the next one has its say."""
    plugins = {"x": plugin("capacity", does), "y": plugin("capacity", returns(3)), "a": backend(says("x"))}

    with pytest.raises(PluginRefused, match=r"^plugin x: capacity "):
        async with living(plugins):
            pass
    async with living(plugins, on_error="skip") as gateway:
        assert (gateway.slots, list(gateway.plugins.left_out)) == (3, ["x"])


@pytest.mark.parametrize("step", [broken, forever])
async def test_an_end_that_fails_is_logged(
    step: Callable[[], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    """The other plugins end all the same, and the gateway stops."""
    ended: list[str] = []

    class Leaves:
        @hookimpl
        @asynccontextmanager
        async def lifespan(self) -> AsyncGenerator[None]:
            yield
            await step()

    class Ends:
        @hookimpl
        @asynccontextmanager
        async def lifespan(self) -> AsyncGenerator[None]:
            yield
            ended.append("first")

    async with living({"first": Ends, "x": Leaves, "a": backend(says("x"))}, lifespan_s=0.05):
        pass

    assert ended == ["first"]
    assert "plugin x: " in caplog.text
    assert SECRET not in caplog.text


async def test_a_fault_in_a_hook_of_a_plugins_own_is_named() -> None:
    """Whoever calls such a hook gets an error of the gateway's with the plugin's name."""
    made = host({"x": plugin("capacity", raises())})

    with pytest.raises(PluginFault, match=r"^x failed unexpectedly"):
        made.call("capacity")


def test_commands_that_fail_leave_the_others(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The other plugins' commands are there; the log says whose are missing."""

    class Greets:
        @hookimpl
        def register_cli(self, group: click.RichGroup) -> None:
            @group.command()
            def greet() -> None: ...

    made = host({"x": plugin("register_cli", raises()), "y": Greets})
    monkeypatch.setattr("studiogate.plugins.PluginHost", Mock(return_value=made))
    monkeypatch.setattr("studiogate.cli.read_config", Mock())

    assert isinstance(command_line, click.RichGroup)
    assert "greet" in command_line.list_commands(click.Context(command_line))
    assert "plugin x: register_cli raised RuntimeError" in caplog.text


async def test_two_requests_at_once_suffer_alone() -> None:
    """A fault within one answer leaves the other alone."""

    async def either(self: Any, exchange: Any) -> AsyncGenerator[Any]:
        if exchange.prompt.text == "break":
            raise RuntimeError(SECRET)
        async for event in says("Hello")(exchange):
            yield event

    async with living({"x": plugin("fetch_response", either)}) as gateway:
        bad, good = gateway.submit(ask("break")), gateway.submit(ask("fine"))
        told = await asyncio.gather(read(bad), read(good), return_exceptions=True)

    assert isinstance(told[0], PluginFault)
    assert isinstance(told[1], list)
    assert text_of(told[1]) == "Hello"


def test_every_hook_is_in_a_table_here() -> None:
    """A hook that is added needs a line on what becomes of its faults."""
    tabled = {hook for hook, *_ in [*TOLD, *ASKED, *HANGING]} | {"lifespan", "capacity", "register_cli", "check"}

    assert tabled == set(signatures(studiogate.hookspecs))
