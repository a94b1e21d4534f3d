"""The chain: backends in order, until one answers.

What a backend can say before its first event is kept apart: *declined* (not mine) and *unavailable* (cannot now) let
the next one try; anything else is a *fault* of that plugin and ends the exchange. After the first event every error is
final, since the client has seen part of the answer. A client's cancel and the exchange's deadline end the chain where
it is: they start no other backend.

A backend that failed several times in a row goes behind the others for a while (`breaker.py`). It is still asked when
none of them could answer: a late answer is better than none.
"""

import asyncio
import logging
import math
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import aclosing
from typing import Any, get_args

import attrs

from studiogate.breaker import Breaker
from studiogate.config import suggest
from studiogate.crash import log_fault
from studiogate.defaults import Defaults, forget_unasked
from studiogate.errors import (
    ClientError,
    ConfigurationError,
    DeadlineExceeded,
    Declined,
    PluginFault,
    Unavailable,
    UpstreamFailed,
    chain_exhausted,
    error_for_status,
)
from studiogate.events import Event, Finish, Usage
from studiogate.exchange import Attempt, Exchange
from studiogate.params import Params
from studiogate.plugins import Implementation, PluginHost
from studiogate.settings import GatewaySettings, Timeouts
from studiogate.strict_calls import StrictCalls

log = logging.getLogger(__name__)

_EVENTS: tuple[type, ...] = get_args(Event.__value__)
AFTER_FINISH_S = 5.0
"""Seconds a backend gets to end after its finish: the answer is whole, only token counts may still come."""


@attrs.frozen(kw_only=True)
class Patience:
    """Say how long a backend may take."""

    first_event_s: float
    """Seconds to its first event."""
    silence_s: float
    """Seconds between any two later ones."""
    total_s: float = math.inf
    """Seconds to the end of its answer."""


class Chain:
    """Try the backends of a host in order."""

    def __init__(self, host: PluginHost, settings: GatewaySettings, defaults: Defaults | None = None) -> None:
        """Chain the host's backends.

        :param defaults: what requests get that don't say otherwise; None for what they are out of the box.
        :raises ConfigurationError: there are timeouts for what is no plugin.
        """
        self._host = host
        self._defaults = defaults or Defaults()
        self.backends = host.implementations("fetch_response")
        names = [backend.plugin for backend in self.backends]
        _refuse_strange(settings.timeouts, {*names, *host.installed}, host.config.path.name)
        self._patience = {name: _patience(settings, name) for name in names}
        self.breakers = {
            name: Breaker(failures_allowed=settings.breaker_failures, pause_s=settings.breaker_pause_s)
            for name in names
        }

    def take_over(self, breakers: Mapping[str, Breaker]) -> None:
        """Go on with breakers of a chain before this one, whose backends are these; by this chain's settings."""
        for name, breaker in breakers.items():
            mine = self.breakers[name]
            breaker.failures_allowed, breaker.pause_s = mine.failures_allowed, mine.pause_s
            self.breakers[name] = breaker

    async def answer(self, exchange: Exchange) -> AsyncGenerator[Event]:
        """Yield the events of the first backend that answers; close it with `aclose`.

        :raises ClientError: no backend could, or the one that began failed.
        """
        failures: list[tuple[str, Declined | Unavailable]] = []
        for backend in self._in_turn():
            attempt = _begun(exchange, backend.plugin)
            silence = attempt.span.child("first_event")
            breaker = self.breakers[backend.plugin]
            try:
                exchange.params = self._params(exchange, backend.plugin)
                async with aclosing(self._attempt(backend, exchange)) as events:
                    async for event in events:
                        if attempt.first_event is None:
                            attempt.first_event = time.monotonic()
                            silence.end()
                        yield event
                attempt.outcome = "ok"
                breaker.answered()
            except (Declined, Unavailable) as verdict:
                if _cancelled():
                    attempt.outcome = "cancelled"
                    breaker.ended(cancellation := asyncio.CancelledError())
                    raise cancellation from verdict
                attempt.outcome = f"{'declined' if isinstance(verdict, Declined) else 'unavailable'}: {verdict.reason}"
                failures.append((backend.plugin, verdict))
                breaker.ended(verdict)
            except ClientError as error:
                attempt.outcome, attempt.fault = f"failed: {error.message}", isinstance(error, PluginFault)
                breaker.ended(error)
                raise
            except BaseException as error:
                attempt.outcome = "cancelled"
                breaker.ended(error)
                raise
            else:
                return
            finally:
                silence.end()
                backend.usage.add(_over(attempt))
        raise chain_exhausted(failures)

    def _in_turn(self) -> Iterator[Implementation]:
        """Yield the backends in order, those whose breaker is open after all others."""
        later: list[Implementation] = []
        for backend in self.backends:
            if self.breakers[backend.plugin].admits():
                yield backend
            else:
                later.append(backend)
        yield from later

    async def _attempt(self, backend: Implementation, exchange: Exchange) -> AsyncGenerator[Event]:
        """Yield one backend's events; `Declined` and `Unavailable` come only before the first."""
        begun = finished = False
        strict = StrictCalls(exchange)
        patience = self._patience[backend.plugin]
        over_at = asyncio.get_running_loop().time() + patience.total_s
        async with aclosing(backend(exchange=exchange)) as events:
            while True:
                try:
                    event = await _next(events, patience, over_at, begun=begun, finished=finished)
                except StopAsyncIteration:
                    break
                except (Declined, Unavailable) as verdict:
                    if not begun:
                        raise
                    raise _too_late(backend.plugin, verdict) from verdict
                except ClientError:
                    raise
                except Exception as error:  # the plugin boundary: whatever it is, it is this plugin's fault
                    raise fault(backend, exchange, error) from error
                if finished and not isinstance(event, Usage):
                    log.warning(
                        "%s: plugin %s goes on after its finish; the rest is dropped", exchange.id, backend.plugin
                    )
                    break
                begun = True
                finished = finished or isinstance(event, Finish)
                yield strict.add(event)
        if not begun:
            raise Unavailable("ended without an answer")
        if not finished:
            raise UpstreamFailed(f"{backend.plugin}: the answer broke off before its end.")

    def _params(self, exchange: Exchange, backend: str) -> Params:
        """Fit the client's parameters to a backend: defaults, every other plugin's say in order, the backend's own."""
        backends = {each.plugin for each in self.backends}
        hooks = self._host.implementations("apply_params")
        own = [hook for hook in hooks if hook.plugin == backend]
        asked = exchange.request.params
        params = self._defaults.fill(asked, exchange.model)
        for hook in [*(hook for hook in hooks if hook.plugin not in backends), *own]:
            try:
                fitted = hook(params=params, model=exchange.model, backend=backend)
                params = returned(fitted, Params) or params
            except ClientError:
                raise
            except Exception as error:  # the plugin boundary
                raise fault(hook, exchange, error) from error
        for name in params.other:
            params = params.drop(name, f"not supported by {backend}")
        return forget_unasked(params, asked)


def _begun(exchange: Exchange, backend: str) -> Attempt:
    """Note a new attempt of an exchange, and begin its span."""
    attempt = Attempt(backend=backend, outcome="running", span=exchange.span.child("attempt", backend=backend))
    exchange.attempts.append(attempt)
    return attempt


def _over(attempt: Attempt) -> float:
    """Note the end of an attempt, and end its span; returns the seconds that it took."""
    attempt.ended = time.monotonic()
    attempt.span.say(outcome=attempt.verdict)
    if attempt.verdict not in {"ok", "declined"}:
        attempt.span.fail(attempt.verdict)
    attempt.span.end()
    return attempt.ended - attempt.began


def _cancelled() -> bool:
    """Tell whether the exchange is being ended, by its client or its deadline, although a backend said otherwise.

    What a backend makes of its cancellation may look like a failure of its own; the next one must not start for that.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _next(
    events: AsyncGenerator[Event], patience: Patience, over_at: float, *, begun: bool, finished: bool
) -> Event:
    wait_s = patience.silence_s if begun else patience.first_event_s
    if finished:
        wait_s = min(wait_s, AFTER_FINISH_S)
    now = asyncio.get_running_loop().time()
    limit = asyncio.timeout_at(min(now + wait_s, over_at))
    try:
        async with limit:
            return _known(await anext(events))
    except TimeoutError:
        if not limit.expired():
            raise
        if finished:
            raise StopAsyncIteration from None
        late = over_at <= now + wait_s
        reason = f"no end came in {patience.total_s:g} s" if late else f"nothing came for {wait_s:g} s"
        if begun:
            raise DeadlineExceeded(f"The answer stopped: {reason}.") from None
        raise Unavailable(reason, status=DeadlineExceeded.status) from None


def _known(event: Event) -> Event:
    """Return an event, as whatever else a backend yields is its fault.

    :raises TypeError: it is none.
    """
    if not isinstance(event, _EVENTS):
        raise TypeError(f"a backend yielded {type(event).__name__}")
    return event


def _patience(settings: GatewaySettings, backend: str) -> Patience:
    own = settings.timeouts.get(backend, Timeouts())
    return Patience(
        first_event_s=own.first_event_s or settings.first_event_s,
        silence_s=own.silence_s or settings.silence_s,
        total_s=own.total_s or math.inf,
    )


def _refuse_strange(timeouts: Iterable[str], known: Collection[str], file: str) -> None:
    """Refuse times for what is no plugin; one that is installed and not listed is left alone, as its table is."""
    for name in timeouts:
        if name not in known:
            raise ConfigurationError(
                f"{file}: [gateway] timeouts.{name}: no plugin has this name.{suggest(name, known)}"
            )


def _too_late(backend: str, verdict: Declined | Unavailable) -> ClientError:
    message = f"{backend}: {verdict.reason}"
    if isinstance(verdict, Unavailable):
        return error_for_status(verdict.status, message, retry_after_s=verdict.retry_after_s)
    return UpstreamFailed(message)


def told[T, O](hook: Implementation, otherwise: O, read: Callable[[Any], T], /, **arguments: Any) -> T | O:
    """Call a hook that only tells; one that fails is logged and costs no request.

    :param read: makes of the hook's result what is needed; what it raises is the plugin's fault as well.
    """
    try:
        return read(hook(**arguments))
    except Exception as error:  # noqa: BLE001 - the plugin boundary: whatever it is, it is this plugin's fault
        hook.usage.faults += 1
        log_fault(f"plugin {hook.plugin}", error)
        return otherwise


def returned[T](result: Any, *kinds: type[T]) -> T | None:
    """Return what a hook has returned, None or of one of `kinds`; anything else is a fault.

    :raises TypeError: it is something else.
    """
    if result is not None and not isinstance(result, kinds):
        raise TypeError(f"a hook returned {type(result).__name__}")
    return result


def fault(hook: Implementation, exchange: Exchange, error: Exception) -> PluginFault:
    """Log and count what escaped a plugin, and return what the client is told of it."""
    hook.usage.faults += 1
    log_fault(f"{exchange.id}: plugin {hook.plugin}", error)
    return PluginFault(f"{hook.plugin} failed unexpectedly; the gateway's log says where.")
