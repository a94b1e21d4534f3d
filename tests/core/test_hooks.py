"""docs/hooks.md keeps up with the hooks: a section under the exact signature, an example that runs, a test of it."""

import ast
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import rich_click as click

import studiogate.hookspecs
import studiogate_studio.hookspecs
from studiogate.attachments import AttachmentRef
from studiogate.chat import ChatRequest, Message, Role
from studiogate.checks import checks
from studiogate.errors import ModelNotFound
from studiogate.models import Model
from studiogate.params import Params
from studiogate.scrape import exposition
from studiogate.tools import ToolSpec
from studiogate_studio.launch import BrowserLaunch
from studiogate_studio.proxies import interceptor_of

from .backends import ask, backend, config, host, installed, living, read, says, text_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "hooks.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", PAGE, re.MULTILINE))
SPECS: list[ModuleType] = [studiogate.hookspecs, studiogate_studio.hookspecs]


def signatures(module: ModuleType) -> dict[str, str]:
    """Return the hooks that a module specifies: name -> `[async ]name(argument: Type, ...) -> Type`, as written."""
    found: dict[str, str] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.decorator_list and node.returns:
            colour = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
            text = f"{colour}{node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"
            # A type that would be a circular import stands in quotes; a reader doesn't care.
            found[node.name] = re.sub(r"'([\w.]+)'", r"\1", text)
    return found


HOOKS = {name: text for module in SPECS for name, text in signatures(module).items()}


def example(hook: str) -> type:
    """Return the plugin class of a hook's section."""
    (code,) = re.findall(r"```python\n(.+?)```", SECTIONS[HOOKS[hook]], re.DOTALL)
    namespace: dict[str, Any] = {"__name__": f"example_{hook}"}
    exec(compile(code, f"docs/hooks.md: {hook}", "exec"), namespace)
    kinds = [each for each in namespace.values() if isinstance(each, type) and each.__module__ == namespace["__name__"]]
    (kind,) = kinds
    return kind


def test_all_hooks_are_found() -> None:
    """The signatures below are those of every specification that pluggy sees."""
    marked = {name for module in SPECS for name in vars(module) if hasattr(vars(module)[name], "studiogate_spec")}

    assert marked == set(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_its_section(hook: str) -> None:
    """The heading is the exact signature; the section names every argument and has an example."""
    assert HOOKS[hook] in SECTIONS
    section = SECTIONS[HOOKS[hook]]
    arguments = re.findall(r"(\w+):", HOOKS[hook].partition("->")[0])
    assert [each for each in arguments if f"- `{each}`" not in section] == []
    assert "Called" in section
    assert "```python" in section


def test_no_section_is_of_a_hook_that_is_gone() -> None:
    """Every heading that looks like a signature is one."""
    assert {heading for heading in SECTIONS if "(" in heading} == set(HOOKS.values())


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_its_test(hook: str) -> None:
    """A test below has the hook's name and runs the page's example."""
    assert inspect.isfunction(globals().get(f"test_{hook}"))


async def test_resolve_attachments() -> None:
    """The example takes what is its own, and the file is there while the exchange runs."""
    ref = AttachmentRef(source="text:Hello", param="messages[0].files[0]")
    request = ChatRequest(messages=(Message(role=Role.USER, attachments=(ref,)),))
    async with living({"x": example("resolve_attachments"), "a": backend(says("x"))}) as gateway:
        exchange = gateway.submit(request)
        await read(exchange)

    (found,) = exchange.attachments
    assert (found.ref, found.size, found.filename) == (ref.settled(), 5, "0.txt")


async def test_map_tools() -> None:
    """The example takes its tool and leaves the exchange without one alone."""
    async with living({"x": example("map_tools"), "a": backend(says("x"))}) as gateway:
        with_tool = gateway.submit(ask(tools=(ToolSpec(index=0, spec={"type": "search"}),)))
        without = gateway.submit(ask())
        await read(with_tool)
        await read(without)

    assert with_tool.plan.switches == {"search": {}}
    assert without.plan.switches == {}


async def test_apply_params() -> None:
    """The example drops what its models can't have, with a reason."""
    hot = Params(temperature=1.0)
    async with living({"x": example("apply_params"), "a": backend(says("x"), "cold-1", "warm-1")}) as gateway:
        cold, warm = (gateway.submit(ask(model=model, params=hot)) for model in ("cold-1", "warm-1"))
        await read(cold)
        await read(warm)

    assert (cold.params.temperature, cold.params.ignored) == (None, {"temperature": "cold-1 has none"})
    assert (warm.params.temperature, warm.params.ignored) == (1.0, {})


async def test_fetch_response() -> None:
    """The example answers."""
    async with living({"x": example("fetch_response")}) as gateway:
        events = await read(gateway.submit(ask("Polly?")))

    assert text_of(events) == "Polly?"


async def test_lifespan() -> None:
    """The example lives as long as the gateway."""
    kind: Any = example("lifespan")
    async with living({"x": kind}) as gateway:
        plugin = gateway.plugin(kind)
        assert plugin.connected

    assert not plugin.connected


async def test_capacity() -> None:
    """The example makes a queue of one slot."""
    async with living({"x": example("capacity")}) as gateway:
        assert gateway.queue.slots == 1


def test_check() -> None:
    """The example's line stands under its plugin's name."""
    plugins = {"x": example("check")}

    assert [each.what for each in checks(config("x"), installed(plugins))][-1] == "x: git"


async def test_list_models() -> None:
    """The example's model is listed."""
    async with living({"x": example("list_models")}) as gateway:
        assert gateway.catalogue.models == (Model(id="parrot-1", display_name="Parrot", owned_by="example"),)


async def test_takes_model() -> None:
    """The example's backend is asked for what nobody lists, and only for that."""
    plugins = {"x": example("takes_model"), "a": backend(says("Hi"), "gemini-pro")}
    async with living(plugins) as gateway:
        assert text_of(await read(gateway.submit(ask(model="parrot-2")))) == "Hi"
        with pytest.raises(ModelNotFound):
            gateway.submit(ask(model="gemini-prx"))


async def test_health() -> None:
    """The example's trouble is shown."""
    async with living({"x": example("health"), "a": backend(says("x"))}) as gateway:
        assert gateway.health()["x"].advice == "Make coffee."


async def test_metrics() -> None:
    """The example's numbers are shown under its name."""
    async with living({"kettle": example("metrics"), "a": backend(says("x"))}) as gateway:
        shown = exposition(gateway, "")[0].decode()

    assert "\nstudiogate_kettle_warm 1.0\n" in shown
    assert '\nstudiogate_kettle_cups_total{drink="tea"} 2.0\n' in shown


def test_register_cli() -> None:
    """The example's command is there."""
    group = click.RichGroup()
    host({"x": example("register_cli")}).call("register_cli", group=group)

    assert list(group.commands) == ["greet"]


async def test_configure_browser() -> None:
    """The example changes the launch it is given."""
    studio = type("Studio", (), {"hookspecs": studiogate_studio.hookspecs})
    launch = BrowserLaunch()
    await host({"studio": studio, "x": example("configure_browser")}).call_async("configure_browser", launch=launch)

    assert launch.proxy == "http://127.0.0.1:3128"


def test_what_is_required_may_depend_on_settings() -> None:
    """The page's example of a class with settings says so."""
    (code,) = re.findall(r"```python\n(import attrs\n.+?)```", PAGE, re.DOTALL)
    namespace: dict[str, Any] = {"__name__": "example_requires"}
    exec(compile(code, "docs/hooks.md: requires", "exec"), namespace)
    reader, settings = namespace["Reader"], namespace["ReaderSettings"]

    assert reader.requires(settings()) == ("studio",)
    assert reader.requires(settings(in_page=False)) == ()
    assert host({"reader": reader, "studio": type("Studio", (), {})}).names == ("studio", "reader")


def test_foreign_interceptor() -> None:
    """The example's proxy is the one that is found."""
    studio = type("Studio", (), {"hookspecs": studiogate_studio.hookspecs})
    found = interceptor_of(host({"studio": studio, "x": example("foreign_interceptor")}))

    assert found is not None
    assert found.url == "http://127.0.0.1:3121"
