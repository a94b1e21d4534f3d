"""The gateway: takes chat requests in, supervises their exchanges, lends the plugins what they share.

    submit -> supervisor task: resolve_attachments, map_tools -> queue -> tool loop (chain) -> the exchange's channel

The HTTP side holds no resources: whatever an exchange opens is on its stack, and the supervisor closes it.
"""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import attrs

from studiogate import scrape
from studiogate.attachments import Attachment, AttachmentRef
from studiogate.catalogue import Catalogue
from studiogate.chain import Chain, fault, returned, told
from studiogate.chat import ChatRequest
from studiogate.config import Config
from studiogate.counts import Counts
from studiogate.crash import log_fault
from studiogate.errors import (
    ClientClosed,
    ClientError,
    ConfigurationError,
    DeadlineExceeded,
    InternalError,
    InvalidRequest,
    ModelNotFound,
    PluginRefused,
    ServiceUnavailable,
    UpstreamFailed,
)
from studiogate.events import Media
from studiogate.exchange import Caller, Exchange, new_id
from studiogate.functions import CallMode
from studiogate.generations import Generations
from studiogate.health import Health
from studiogate.plugins import Implementation, InstalledPlugins, PluginHost
from studiogate.prompt import build_prompt
from studiogate.queue import ExchangeQueue
from studiogate.settings import GatewaySettings, fixed_by
from studiogate.source_list import SourceList
from studiogate.strict import shown_name
from studiogate.strict_calls import report_unchecked
from studiogate.tool_loop import ToolLoop
from studiogate.tools import ToolPlan
from studiogate.tracing import Tracing, stage, tracing_from

log = logging.getLogger(__name__)

DEFAULT_SLOTS = 8
"""Exchanges at once when neither the operator nor a plugin says."""


class Gateway:
    """Run exchanges over the plugins of one configuration."""

    def __init__(self, config: Config, plugins: PluginHost, before: "Gateway | None" = None) -> None:
        """Make a gateway of a configuration's plugins.

        :param before: the gateway that this one is to follow (`reload`).
        """
        self.config = config
        self.settings: GatewaySettings = config.gateway if before is None else fixed_by(before.settings, config.gateway)
        self.plugins = plugins
        self.follows = before is not None
        """Whether it was made to follow one that still runs, and holds for example its ports."""
        self.catalogue = Catalogue(config, plugins)
        self.started = asyncio.Event()
        """Set once every plugin's lifespan is entered."""
        self.slots = self.settings.slots or _capacity(plugins)
        """How many exchanges its plugins can carry at once."""
        self.chain = Chain(plugins, self.settings, config.defaults)
        self.counts: Counts = Counts() if before is None else before.counts
        """What all generations count as they go."""
        self.tool_loop = ToolLoop(self.chain, self.settings, self.counts)
        self.generations: Generations = (
            Generations(self, self.settings, self.slots) if before is None else before.generations
        )
        """This gateway and those before and after it, with what they share."""
        self._running: dict[asyncio.Task[None], Exchange] = {}
        self.tracing: Tracing = _tracing(config) if before is None else before.tracing
        """Where the traces of all generations begin."""
        if before is None:
            scrape.prepare(self)

    @property
    def queue(self) -> ExchangeQueue:
        """Return the queue, one for all generations."""
        return self.generations.queue

    @property
    def created(self) -> int:
        """Return when the first generation was made, Unix time in seconds."""
        return self.generations.created

    @property
    def current(self) -> "Gateway":
        """Return the generation that takes requests now: this one, until a reload has replaced it."""
        return self.generations.current

    @property
    def supervisors(self) -> tuple["asyncio.Task[None]", ...]:
        """Return the tasks of the exchanges that wait or run on this generation."""
        return tuple(self._running)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Return the exchanges that wait or run on this generation."""
        return tuple(self._running.values())

    @property
    def kept_backends(self) -> tuple[str, ...]:
        """Return the backends that go on from the generation before."""
        return tuple(name for name in self.chain.breakers if name in self.plugins.kept)

    @property
    def _stopping(self) -> bool:
        return self.generations.stopping

    def plugin[T](self, kind: type[T]) -> T:
        """Return the loaded plugin of a class; a plugin reaches what it requires with this."""
        return self.plugins.plugin(kind)

    def leave_out(self, refusal: PluginRefused) -> None:
        """Leave out a plugin that can't start, and those that require it.

        :raises PluginRefused: it, where that stops the start.
        """
        self.plugins.leave_out(refusal)
        self.chain = Chain(self.plugins, self.settings, self.config.defaults)
        self.tool_loop = ToolLoop(self.chain, self.settings, self.counts)

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Enter every plugin's lifespan in order; at the end cancel what still runs and leave them in reverse."""
        self._tell_off()
        try:
            async with self.generations.living():
                yield
        finally:
            await asyncio.to_thread(self.tracing.close)

    async def reload(self, config: Config, installed: InstalledPlugins | None = None) -> "Gateway":
        """Follow a changed configuration: what runs and waits ends as it began, new requests go to what is returned.

        Plugins for which nothing has changed go on; the others start before the change and end after the last exchange
        that may need them. One reload at a time; another one waits.

        :param installed: as `PluginHost` takes it.
        :raises ConfigurationError: the configuration or a plugin can't be used; everything is as it was.
        """
        async with self.generations.changing:
            before = self.current
            if self._stopping:
                raise ConfigurationError("The gateway is stopping.")
            following = Gateway(config, PluginHost(config, installed, before.plugins), before)
            following._tell_off()
            await self.generations.hand_over(following)
        return following

    def submit(
        self,
        request: ChatRequest,
        caller: Caller | None = None,
        *,
        exchange_id: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Exchange:
        """Start an exchange and return it at once; read its answer with `exchange.events()`.

        :param caller: who asks; None for nobody in particular.
        :param exchange_id: as `studiogate.exchange.new_id` makes them; a new one when None.
        :param headers: the request's, by lower-case names: with `traceparent` its client's trace goes on.
        :raises ModelNotFound: the model isn't among those on offer.
        :raises ServiceUnavailable: the gateway is stopping.
        """
        if self.current is not self:
            # Replaced while the request was read; what this one had may have ended.
            return self.current.submit(request, caller, exchange_id=exchange_id, headers=headers)
        if self._stopping:
            raise ServiceUnavailable("The gateway is stopping.", retry_after_s=5)
        if self.settings.only_collect_current_user_attachments:
            request = request.with_current_attachments()
        choice = self.catalogue.choose(request.model)
        number = exchange_id or new_id()
        exchange = Exchange(
            id=number,
            request=request,
            caller=caller or Caller(),
            model=choice.model,
            model_name=choice.name,
            prompt=build_prompt(request.messages),
            call_mode=CallMode(self.settings.function_calling),
            deadline=asyncio.get_running_loop().time() + self.settings.deadline_s,
            span=self.tracing.begin("chat", headers or {}, request_id=number, stream=request.stream),
        )
        task = asyncio.create_task(self._supervise(exchange), name=exchange.id)
        exchange.supervised_by(task)
        self._running[task] = exchange
        task.add_done_callback(self._forget)
        return exchange

    def cancel(self, exchange_id: str) -> bool:
        """End an exchange, waiting or running, as its client's leaving would; returns False if none has that id.

        Never blocks: the exchange closes what it opened a moment later.
        """
        for exchange in (each for generation in self.generations.alive for each in generation.exchanges):
            if exchange.id == exchange_id:
                exchange.cancel()
                return True
        return False

    def health(self) -> dict[str, Health]:
        """Return how each plugin that says anything fares, in order; one that can't even say has failed."""
        failed = Health(ready=False, status="failed", advice="The gateway's log says where.")
        states: dict[str, Health | None] = {
            hook.plugin: told(hook, failed, _as_health) for hook in self.plugins.implementations("health")
        }
        states |= dict.fromkeys(self.generations.broken(self), failed)
        left_out = {name: _left_out(why) for name, why in self.plugins.left_out.items()}
        return {name: health for name, health in states.items() if health is not None} | left_out

    @property
    def working(self) -> bool:
        """Whether exchanges are taken: the gateway has started and isn't stopping."""
        return self.started.is_set() and not self._stopping

    @property
    def ready(self) -> bool:
        """Whether a request could be answered now: some backend, and all it requires, reports no trouble."""
        return self.trouble(self.health()) is None

    def trouble(self, health: Mapping[str, Health]) -> str | None:
        """Return why no request can be answered now and what to do about it; None if one can.

        :param health: what `health` has returned.
        """
        if not self.working:
            return "The gateway is stopping." if self._stopping else "The gateway is starting."
        if not self.chain.backends:
            off = "".join(f" {name} is switched off ({source})." for name, source in self.plugins.off.items())
            left_out = "".join(f" {name} is left out: it {why}." for name, why in self.plugins.left_out.items())
            return f"No backend is enabled in plugins.toml.{off}{left_out}"
        unready: dict[str, Health] = {}
        for backend in self.chain.backends:
            found = {name: health[name] for name in self.plugins.needs(backend.plugin) if name in health}
            lacking = {name: state for name, state in found.items() if not state.ready}
            if not lacking:
                return None
            unready |= lacking
        return "No backend can answer. " + " ".join(
            f"{name}: {state.status}.{f' {state.advice}' if state.advice else ''}" for name, state in unready.items()
        )

    async def drain(self, grace_s: float) -> None:
        """Take no more requests and wait for the running ones, at most `grace_s` seconds."""
        self.generations.stopping = True
        await self.generations.exchanges_over(grace_s)

    async def end_exchanges(self) -> None:
        """Take no more requests, cancel the running ones and wait until they have closed what they opened."""
        await self.generations.end_exchanges()

    def _tell_off(self) -> None:
        for name, source in self.plugins.off.items():
            log.info("plugin %s is switched off (%s): it counts as not listed", name, source)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        exchange = self._running.pop(task)
        if task.cancelled():
            # Cancelled before its first step, when no code of the supervisor ran.
            exchange.close(self._why_cancelled())
        self.counts.exchange(exchange)
        _end_span(exchange)

    def _why_cancelled(self) -> ClientError:
        if self._stopping:
            return ServiceUnavailable("The gateway is stopping.", retry_after_s=5)
        return ClientClosed("The request was cancelled.")

    async def _supervise(self, exchange: Exchange) -> None:
        error: ClientError | None = None
        answered = False
        media_bytes, sources = 0, SourceList(exchange)
        try:
            async with asyncio.timeout_at(exchange.deadline), exchange.stack:
                await self._prepare(exchange)
                with stage(exchange.span, "queue"):
                    await exchange.stack.enter_async_context(self.queue.slot(exchange, self.slots))
                exchange.stack.push_async_callback(exchange.close_round)
                async with aclosing(self.tool_loop.answer(exchange)) as events:
                    async for event in events:
                        if isinstance(event, Media):
                            media_bytes += len(event.data)
                            self._check_media(media_bytes)
                        for each in sources.add(event):
                            await exchange.emit(each)
                answered = True
        except ModelNotFound as unknown:
            error = self._with_nearest(unknown, exchange)
        except ClientError as known:
            error = known
        except TimeoutError:
            error = DeadlineExceeded(f"The answer was not complete after {self.settings.deadline_s:g} s.")
        except asyncio.CancelledError:
            error = self._why_cancelled()
        except Exception as bug:  # noqa: BLE001 - a bug of the gateway, or of a hook outside the chain: the client still gets an end
            log_fault(f"{exchange.id}: the gateway", bug)
            error = InternalError("The gateway failed unexpectedly; its log says where.")
        finally:
            if answered:
                # What fails while things are put away is no fault of an answer that is whole.
                error = None
            exchange.close(error)

    def _with_nearest(self, error: ModelNotFound, exchange: Exchange) -> ModelNotFound:
        """Name the nearest models, which backends don't know, in what they say of one that none of them has."""
        message = f"{error.message.removesuffix('.')}.{self.catalogue.nearest(exchange.model_name)}"
        return ModelNotFound(message, param="model", retry_after_s=error.retry_after_s)

    def _check_media(self, size: int) -> None:
        """Raise UpstreamFailed where an answer's media outgrow what it may hold: all of it waits for the client."""
        limit = self.settings.max_media_bytes
        if size > limit:
            raise UpstreamFailed(
                f"The answer's images and sounds are more than {limit} bytes; the operator can raise "
                "[gateway] max_media_bytes."
            )

    async def _prepare(self, exchange: Exchange) -> None:
        """Refuse bad attachments and tools before the exchange waits for a slot."""
        if exchange.request.attachments:
            with stage(exchange.span, "resolve_attachments"):
                await self._resolve(exchange)
        with stage(exchange.span, "map_tools"):
            exchange.plan = await self._plan(exchange)
        params = report_unchecked(exchange.request.params, exchange.plan.functions)
        exchange.request = attrs.evolve(exchange.request, params=params)

    async def _resolve(self, exchange: Exchange) -> None:
        found: dict[AttachmentRef, Attachment] = {}
        refs = exchange.request.attachments
        hooks = self.plugins.implementations("resolve_attachments")
        if not hooks:
            raise InvalidRequest("This gateway takes no attachments.", param=refs[0].param)
        workdir = await exchange.stack.enter_async_context(self.generations.workdirs.folder(exchange.id))
        for hook in hooks:
            left = [ref for ref in refs if ref not in found]
            if left:
                found |= await _asked(hook, exchange, _as_files, refs=left, workdir=workdir)
        for ref in refs:
            if ref not in found:
                raise InvalidRequest("No plugin of this gateway takes such an attachment.", param=ref.param)
        exchange.files = {ref.settled(): attrs.evolve(found[ref], ref=found[ref].ref.settled()) for ref in refs}
        exchange.attachments = tuple(dict.fromkeys(exchange.files.values()))
        # The sources may be as big as the files, and are needed no more.
        exchange.request = exchange.request.with_attachments(lambda message: (r.settled() for r in message.attachments))
        exchange.prompt = attrs.evolve(exchange.prompt, attachments=exchange.request.attachments)

    async def _plan(self, exchange: Exchange) -> ToolPlan:
        request, plan = exchange.request, ToolPlan()
        for hook in self.plugins.implementations("map_tools"):
            left = [tool for tool in request.tools if tool.index not in plan.taken]
            part = await _asked(
                hook, exchange, _as_plan, tools=left, choice=request.tool_choice, request=request, stack=exchange.stack
            )
            plan = plan if part is None else plan.merged(part)
        plan = _own_functions(request, plan).merged(plan)
        for tool in request.tools:
            if tool.index not in plan.taken:
                raise InvalidRequest(
                    f"No plugin of this gateway takes tools of type '{shown_name(tool.type)}'.",
                    param=f"tools[{tool.index}]",
                )
        _check_choice(request, plan)
        return plan


def _as_health(result: Any) -> Health | None:
    return returned(result, Health)


def _as_plan(result: Any) -> ToolPlan | None:
    return returned(result, ToolPlan)


def _as_files(result: Any) -> dict[AttachmentRef, Attachment]:
    files: dict[Any, Any] = dict(result or {})
    for ref, file in files.items():
        if not isinstance(ref, AttachmentRef) or not isinstance(file, Attachment):
            raise TypeError("a hook returned files that are none")
    return files


def _left_out(why: str) -> Health:
    return Health(ready=False, status="left out", advice=f"It {why}. The gateway's log says more.")


def _end_span(exchange: Exchange) -> None:
    span, error = exchange.span, exchange.error
    if exchange.backend is not None:
        span.say(backend=exchange.backend)
    if error is not None:
        span.say(status=error.status)
        span.fail(error.type)
    span.end()


def _own_functions(request: ChatRequest, plan: ToolPlan) -> ToolPlan:
    """Return the client's functions that no plugin took, as a part of the plan."""
    left = {tool.index: tool.declaration for tool in request.tools if tool.index not in plan.taken}
    functions = {index: declared for index, declared in left.items() if declared is not None}
    return ToolPlan(taken=frozenset(functions), functions=tuple(functions.values()))


def _check_choice(request: ChatRequest, plan: ToolPlan) -> None:
    """Refuse the choice of a function that neither the client nor a plugin offers."""
    offered = {*(tool.function for tool in request.tools), *(function.name for function in plan.functions)}
    if request.chosen_function not in {None, *offered}:
        place = "tool_choice.function.name"
        raise InvalidRequest(f"{place}: must be one of the functions among the tools.", param=place)


def _tracing(config: Config) -> Tracing:
    # OpenTelemetry reads the process's environment itself; what only a `.env` says would be half of it.
    return tracing_from({name: text for name, text in os.environ.items() if name in config.environ})


def _capacity(plugins: PluginHost) -> int:
    for hook in plugins.implementations("capacity"):
        try:
            slots = returned(hook(), int)
        except Exception as error:  # noqa: BLE001 - the plugin boundary
            hook.usage.faults += 1
            log_fault(f"plugin {hook.plugin}: capacity", error)
            message = f"plugin {hook.plugin}: capacity failed; the log says where."
            plugins.leave_out(PluginRefused(hook.plugin, message, "can't say its capacity"))
            continue
        if slots is not None and slots < 1:
            message = f"plugin {hook.plugin}: capacity must be at least 1, not {slots}."
            plugins.leave_out(PluginRefused(hook.plugin, message, "has no capacity"))
            continue
        if slots is not None:
            return slots
    return DEFAULT_SLOTS


async def _asked[T](hook: Implementation, exchange: Exchange, read: Callable[[Any], T], /, **arguments: Any) -> T:
    """Await a hook outside the chain.

    :param read: makes of the hook's result what is needed; what it raises is the plugin's fault as well.
    """
    try:
        return read(await hook(**arguments))
    except ClientError:
        raise
    except asyncio.CancelledError:
        if asyncio.get_running_loop().time() >= exchange.deadline:
            log.warning("%s: plugin %s: %s was not over by the deadline", exchange.id, hook.plugin, hook.usage.hook)
        raise
    except Exception as error:  # the plugin boundary: whatever it is, it is this plugin's fault
        raise fault(hook, exchange, error) from error
