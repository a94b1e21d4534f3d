"""What every contract class has: the plugin and how it is set, the loop that its rules run in, and the common rules."""

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar, cast

import attrs

from studiogate.config import Table
from studiogate.errors import ConfigurationError
from studiogate.gateway import Gateway
from studiogate.health import Health
from studiogate.models import Model, bare_id
from studiogate.plugins import PluginHost
from studiogate.testing.holdings import holdings, unclosed
from studiogate.testing.rules import RuleBroken, rule
from studiogate.testing.stage import available_plugins, config, installed, name_of, running

_NO_SETTING = dt.time(1, 2)
"""A value that TOML knows and no setting takes."""
MARK = "studiogate-testing-secret-7f3a"
"""Stands in what clients say; may stand in no log."""


class Contract:
    """Hold a plugin to the rules that go for all; the classes for each kind of plugin add their own.

    A test names the plugin, and more only where the plugin needs it:

        class TestContract(BackendContract):
            plugin = MyBackend

    All rules of a class run in one event loop, one after the other, each with a gateway of its own.
    """

    plugin: ClassVar[type]
    """The plugin's class."""
    name: ClassVar[str] = ""
    """What it is listed as; empty for its entry point's name, or else its class's in small letters."""
    settings: ClassVar[Table] = {}
    """The plugin's table."""
    others: ClassVar[Mapping[str, type]] = {}
    """Classes of plugins that it requires, by name, in place of those that are installed."""
    tables: ClassVar[Mapping[str, Table]] = {}
    """Tables of the plugins that it requires."""
    gateway: ClassVar[Table] = {}
    """The `[gateway]` table."""
    patience_s: ClassVar[float] = 10.0
    """Seconds that anything may take before it counts as never; spent in full only where a rule is broken."""
    blocked_s: ClassVar[float] = 1.0
    """Seconds of work or of standing still between two awaits that hold up the event loop. Calls that are known to
    wait, such as `time.sleep`, are found however short they are."""

    _runner: ClassVar[asyncio.Runner]
    _over: ClassVar[asyncio.Event]
    _sharing: ClassVar["asyncio.Task[None]"]

    @classmethod
    @asynccontextmanager
    async def shared(cls) -> AsyncGenerator[None]:
        """Hold what all rules share and takes long to start, such as a browser; override it where there is such."""
        yield

    @classmethod
    def setup_class(cls) -> None:
        """Open the event loop and what is shared; pytest and `studiogate plugins check` call it before the rules."""
        cls._runner = asyncio.Runner()
        try:
            cls._runner.run(cls._open())
        except BaseException:
            cls._runner.close()
            raise

    @classmethod
    def teardown_class(cls) -> None:
        """Close what is shared, and the event loop."""
        try:
            cls._runner.run(cls._close())
        finally:
            cls._runner.close()

    @classmethod
    async def _open(cls) -> None:
        ready = asyncio.Event()
        cls._over = asyncio.Event()

        async def share() -> None:
            # One task enters and leaves, as timeouts and task groups want it.
            async with cls.shared():
                ready.set()
                await cls._over.wait()

        cls._sharing = asyncio.create_task(share(), name="shared")
        opened = asyncio.create_task(ready.wait())
        await asyncio.wait([cls._sharing, opened], return_when=asyncio.FIRST_COMPLETED)
        if not opened.done():
            opened.cancel()
            await cls._sharing

    @classmethod
    async def _close(cls) -> None:
        cls._over.set()
        await cls._sharing

    def run[T](self, tried: Coroutine[Any, Any, T]) -> T:
        """Run something in the event loop of the rules."""
        return self._runner.run(tried)

    @property
    def listed_as(self) -> str:
        """Return the name that the plugin is listed under."""
        return self.name or name_of(self.plugin)

    def living(
        self,
        settings: Table | None = None,
        kind: type | None = None,
        *,
        after: Mapping[str, type] | None = None,
        bare: bool = False,
        **more: Any,
    ) -> AbstractAsyncContextManager[Gateway]:
        """Run a gateway around the plugin.

        :param settings: more settings of the plugin.
        :param kind: a class that stands for the plugin's, such as one that is recorded.
        :param after: plugins that are listed after it.
        :param bare: without any settings.
        :param more: more keys of `[gateway]`.
        """
        tables = {} if bare else {**self.tables, self.listed_as: {**self.settings, **(settings or {})}}
        return running(
            {self.listed_as: kind or self.plugin, **(after or {})},
            tables={name: table for name, table in tables.items() if table},
            available=self.others,
            **{**self.gateway, **more},
        )

    async def use(self) -> None:
        """Have the plugin do once what it is for, in a gateway of its own."""
        async with self.living():
            pass

    def host(self, *, bare: bool = False) -> PluginHost:
        """Load the plugin, without a gateway.

        :param bare: without any table.
        """
        tables = {} if bare else {**self.tables, self.listed_as: self.settings}
        made = config(self.listed_as, tables={name: table for name, table in tables.items() if table})
        return PluginHost(made, {**available_plugins(), **installed({**self.others, self.listed_as: self.plugin})})

    @rule("The gateway loads it: its hooks have the names, arguments and colours of the contract.")
    async def test_loads(self) -> None:
        """Load it as plugins.toml would."""
        try:
            host = self.host()
        except ConfigurationError as error:
            raise RuleBroken(str(error), "the gateway loads it") from error
        if not any(_hooks_of(host, self.listed_as)):
            raise RuleBroken("no hook is implemented", "methods named like hooks are marked with @hookimpl")

    @rule("Every setting has a default: a listed plugin that lacks a setting is inactive and says so.")
    async def test_settings_default(self) -> None:
        """Load it without a table."""
        try:
            self.host(bare=True)
        except ConfigurationError as error:
            raise RuleBroken(
                f"without a table of its own: {error}", "a default for every setting; Declined while one is missing"
            ) from error

    @rule("Settings are checked: an unknown key and a value of the wrong type are refused.")
    async def test_settings_checked(self) -> None:
        """Give every setting a value that it can't take."""
        kind: type | None = getattr(self.plugin, "settings", None)
        if kind is None:
            return
        if not attrs.has(kind):
            raise RuleBroken(f"settings is {kind!r}", "settings is an attrs class")
        fields = [field.name for field in attrs.fields(attrs.resolve_types(kind)) if field.init]
        for key in [*fields, "studiogate_testing_unknown"]:
            table = {**self.settings, key: _NO_SETTING}
            try:
                config(tables={self.listed_as: table}).settings(self.listed_as, kind)
            except ConfigurationError:
                continue
            except Exception as error:
                raise RuleBroken(
                    f"{key} = {_NO_SETTING} raises {type(error).__name__}: {error}", "validators raise ValueError"
                ) from error
            raise RuleBroken(f"{key} = {_NO_SETTING}, a time of day, is taken", f"{key} has a type that refuses it")

    @rule(
        "What it tells of itself (health, models, capacity) it tells at any time, from memory, in the contract's types."
    )
    async def test_tells(self) -> None:
        """Ask it before it lives, while it does and afterwards."""
        _check_told(self.host(), self.listed_as, "before its lifespan")
        async with self.living() as gateway:
            _check_told(gateway.plugins, self.listed_as, "while the gateway runs")
        _check_told(gateway.plugins, self.listed_as, "after its lifespan")

    @rule("What it opens it closes: when the gateway has ended nothing is left, and it can start again.")
    async def test_closes(self) -> None:
        """Run three gateways after one another and look at what each leaves behind."""
        # What a process opens once, such as a library's own descriptors, comes with the first.
        await self.use()
        first = holdings()
        with unclosed() as left:
            await self.use()
            second = holdings()
            await self.use()
            third = holdings()
        again = set(third.more_than(second))
        grown = [each for each in second.more_than(first) if each in again]
        if grown or left:
            raise RuleBroken(
                f"left behind by each gateway: {'; '.join([*grown, *sorted(set(left))])}",
                "tasks are awaited, files and connections closed, in `finally` or on the way out of the lifespan",
            )


def _hooks_of(host: PluginHost, name: str) -> Iterator[str]:
    for hook in ("fetch_response", "map_tools", "resolve_attachments", "apply_params", "lifespan", "list_models"):
        if any(each.plugin == name for each in host.implementations(hook)):
            yield hook
    for hook in _TOLD:
        if any(each.plugin == name for each in host.implementations(hook)):
            yield hook


def _is_health(told: object) -> bool:
    return isinstance(told, Health)


def _is_bool(told: object) -> bool:
    return isinstance(told, bool)


def _is_capacity(told: object) -> bool:
    return isinstance(told, int) and told >= 1


def _is_list_of_models(told: object) -> bool:
    if not isinstance(told, Sequence) or isinstance(told, str):
        return False
    models = cast("Sequence[object]", told)
    ids = [model.id for model in models if isinstance(model, Model)]
    return len(ids) == len(models) == len(set(ids)) and all(each and each == bare_id(each) for each in ids)


_TOLD: dict[str, tuple[Callable[[object], bool], str]] = {
    "health": (_is_health, "a Health or None"),
    "list_models": (_is_list_of_models, "Models with different ids, none with `models/` before it, or None"),
    "takes_model": (_is_bool, "True, False or None"),
    "capacity": (_is_capacity, "a whole number from 1, or None"),
}
"""The hooks that only tell: what they may return."""


def _check_told(host: PluginHost, name: str, when: str) -> None:
    for hook, (fits, right) in _TOLD.items():
        for each in host.implementations(hook):
            if each.plugin != name:
                continue
            try:
                told: object = each(model="studiogate-testing-no-such-model")
            except Exception as error:
                raise RuleBroken(
                    f"{hook} raised {type(error).__name__}: {error} {when}", f"{hook} returns {right}"
                ) from error
            if told is not None and not fits(told):
                raise RuleBroken(f"{hook} returned {told!r} {when}", f"{hook} returns {right}")
