"""The chain: backends in order, until one answers.

What a backend can say before its first event is kept apart: *declined* (not mine) and *unavailable* (cannot now) let
the next one try; anything else is a *fault* of that plugin and ends the exchange. After the first event every error is
final, since the client has seen part of the answer.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import attrs

from studiogate.crash import crash_report
from studiogate.defaults import Defaults, forget_unasked
from studiogate.errors import (
    ClientError,
    DeadlineExceeded,
    Declined,
    Unavailable,
    UpstreamFailed,
    chain_exhausted,
    error_for_status,
)
from studiogate.events import Event, Finish, Usage
from studiogate.exchange import Attempt, Exchange
from studiogate.params import Params
from studiogate.plugins import Implementation, PluginHost

log = logging.getLogger(__name__)

AFTER_FINISH_S = 5.0
"""Seconds a backend gets to end after its finish: the answer is whole, only token counts may still come."""


@attrs.frozen(kw_only=True)
class Patience:
    """Say how long a backend may take."""

    first_event_s: float
    """Seconds to its first event."""
    silence_s: float
    """Seconds between any two later ones."""


class Chain:
    """Try the backends of a host in order."""

    def __init__(self, host: PluginHost, patience: Patience, defaults: Defaults | None = None) -> None:
        """Chain the host's backends.

        :param defaults: what requests get that don't say otherwise; None for what they are out of the box.
        """
        self._host = host
        self._patience = patience
        self._defaults = defaults or Defaults()
        self.backends = host.implementations("fetch_response")

    async def answer(self, exchange: Exchange) -> AsyncGenerator[Event]:
        """Yield the events of the first backend that answers; close it with `aclose`.

        :raises ClientError: no backend could, or the one that began failed.
        """
        failures: list[tuple[str, Declined | Unavailable]] = []
        for backend in self.backends:
            attempt = Attempt(backend=backend.plugin, outcome="running")
            exchange.attempts.append(attempt)
            try:
                exchange.params = self._params(exchange, backend.plugin)
                async with aclosing(self._attempt(backend, exchange)) as events:
                    async for event in events:
                        yield event
                attempt.outcome = "ok"
            except Declined as verdict:
                attempt.outcome = f"declined: {verdict.reason}"
                failures.append((backend.plugin, verdict))
            except Unavailable as verdict:
                attempt.outcome = f"unavailable: {verdict.reason}"
                failures.append((backend.plugin, verdict))
            except ClientError as error:
                attempt.outcome = f"failed: {error.message}"
                raise
            except BaseException:
                attempt.outcome = "cancelled"
                raise
            else:
                return
        raise chain_exhausted(failures)

    async def _attempt(self, backend: Implementation, exchange: Exchange) -> AsyncGenerator[Event]:
        """Yield one backend's events; `Declined` and `Unavailable` come only before the first."""
        begun = finished = False
        async with aclosing(backend(exchange=exchange)) as events:
            while True:
                try:
                    event = await self._next(events, begun=begun, finished=finished)
                except StopAsyncIteration:
                    break
                except (Declined, Unavailable) as verdict:
                    if not begun:
                        raise
                    raise _too_late(backend.plugin, verdict) from verdict
                except ClientError:
                    raise
                except Exception as error:  # the plugin boundary: whatever it is, it is this plugin's fault
                    raise fault(backend.plugin, exchange, error) from error
                if finished and not isinstance(event, Usage):
                    log.warning(
                        "%s: plugin %s goes on after its finish; the rest is dropped", exchange.id, backend.plugin
                    )
                    break
                begun = True
                finished = finished or isinstance(event, Finish)
                yield event
        if not begun:
            raise Unavailable("ended without an answer")
        if not finished:
            raise UpstreamFailed(f"{backend.plugin}: the answer broke off before its end.")

    async def _next(self, events: AsyncGenerator[Event], *, begun: bool, finished: bool) -> Event:
        patience = self._patience.silence_s if begun else self._patience.first_event_s
        limit = asyncio.timeout(min(patience, AFTER_FINISH_S) if finished else patience)
        try:
            async with limit:
                return await anext(events)
        except TimeoutError:
            if not limit.expired():
                raise
            if finished:
                raise StopAsyncIteration from None
            reason = f"nothing came for {patience:g} s"
            if begun:
                raise DeadlineExceeded(f"The answer stopped: {reason}.") from None
            raise Unavailable(reason, status=DeadlineExceeded.status) from None

    def _params(self, exchange: Exchange, backend: str) -> Params:
        """Fit the client's parameters to a backend: defaults, every other plugin's say in order, the backend's own."""
        backends = {each.plugin for each in self.backends}
        hooks = self._host.implementations("apply_params")
        own = [hook for hook in hooks if hook.plugin == backend]
        asked = exchange.request.params
        params = self._defaults.fill(asked, exchange.model)
        for hook in [*(hook for hook in hooks if hook.plugin not in backends), *own]:
            try:
                params = hook(params=params, model=exchange.model, backend=backend) or params
            except ClientError:
                raise
            except Exception as error:  # the plugin boundary
                raise fault(hook.plugin, exchange, error) from error
        for name in params.other:
            params = params.drop(name, f"not supported by {backend}")
        return forget_unasked(params, asked)


def _too_late(backend: str, verdict: Declined | Unavailable) -> ClientError:
    message = f"{backend}: {verdict.reason}"
    if isinstance(verdict, Unavailable):
        return error_for_status(verdict.status, message, retry_after_s=verdict.retry_after_s)
    return UpstreamFailed(message)


def log_fault(whose: str, error: Exception) -> None:
    """Log an unexpected error by place and kind."""
    log.error("%s raised %s\n%s", whose, type(error).__name__, crash_report(error))


def told[T](hook: Implementation, otherwise: T) -> Any | T:
    """Call a hook that only tells; one that fails is logged and costs no request."""
    try:
        return hook()
    except Exception as error:  # noqa: BLE001 - the plugin boundary: whatever it is, it is this plugin's fault
        log_fault(f"plugin {hook.plugin}", error)
        return otherwise


def fault(plugin: str, exchange: Exchange, error: Exception) -> UpstreamFailed:
    """Log what escaped a plugin, and return what the client is told of it."""
    log_fault(f"{exchange.id}: plugin {plugin}", error)
    return UpstreamFailed(f"{plugin} failed unexpectedly; the gateway's log says where.")
