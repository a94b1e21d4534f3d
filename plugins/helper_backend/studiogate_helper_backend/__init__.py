"""Answers from another service: an OpenAI-compatible one, or a helper that reads along with AI Studio's page."""

import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from studiogate.errors import Declined
from studiogate.events import Event
from studiogate.functions import PARALLEL
from studiogate.health import Health
from studiogate.hookspecs import hookimpl
from studiogate.models import Model
from studiogate.params import Params
from studiogate_helper_backend.errors import ServiceError
from studiogate_helper_backend.settings import HELPER, OPENAI, HelperBackendSettings

if TYPE_CHECKING:
    from studiogate.exchange import Exchange
    from studiogate.gateway import Gateway
    from studiogate_helper_backend.account import ProfileCookie
    from studiogate_studio.proxies import ForeignInterceptor

type Answer = "Callable[[Exchange], AsyncGenerator[Event]]"

__all__ = ["HelperBackend", "HelperBackendSettings"]

log = logging.getLogger(__name__)

NO_COOKIE = "The profile has no cookie SAPISID, by which the helper service knows the account: sign in again."
"""Why the plugin is inactive although it is set up."""
_ASKERS_FAULT = (400, 413, 422)
"""Statuses that tell nothing of how the service fares."""


class HelperBackend:
    """The backend `helper_backend`: another service answers."""

    settings: ClassVar[type[HelperBackendSettings]] = HelperBackendSettings

    def __init__(self, settings: HelperBackendSettings) -> None:
        self.options = settings
        """This plugin's settings; `settings` is their class."""
        self._answer: Answer | None = None
        self._cookie: ProfileCookie | None = None
        self._last_failure: dict[str, str | int] | None = None

    @staticmethod
    def requires(settings: HelperBackendSettings) -> tuple[str, ...]:
        """Return the plugins that are needed: a browser where the prompt is submitted in the page."""
        return ("studio",) if settings.protocol == HELPER and settings.endpoint is not None else ()

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, gateway: "Gateway") -> AsyncGenerator[None]:
        """Hold the connections to the service."""
        if self.options.address is None:
            log.info("helper_backend is inactive: no %s is set", self.options.missing)
            yield
            return
        async with self._answering(gateway) as answer:
            self._answer = answer
            try:
                yield
            finally:
                self._answer = self._cookie = None

    @asynccontextmanager
    async def _answering(self, gateway: "Gateway") -> "AsyncGenerator[Answer]":
        # aiohttp and Playwright are needed by who serves only.
        environ = gateway.config.environ
        if self.options.protocol == HELPER:
            from studiogate_helper_backend.account import ProfileCookie  # noqa: PLC0415
            from studiogate_helper_backend.helping import Helping  # noqa: PLC0415
            from studiogate_helper_backend.listening import reaching  # noqa: PLC0415
            from studiogate_studio import Studio  # noqa: PLC0415

            studio = gateway.plugin(Studio)
            self._cookie = ProfileCookie(studio.options.profile)
            async with reaching(self.options, environ) as endpoint:
                yield Helping(endpoint=endpoint, studio=studio).answer
        else:
            from studiogate_helper_backend.asking import answer  # noqa: PLC0415
            from studiogate_helper_backend.service import connected  # noqa: PLC0415

            async with connected(self.options, environ) as service:
                yield partial(answer, service=service)

    @hookimpl(optionalhook=True)
    def foreign_interceptor(self) -> "ForeignInterceptor | None":
        """Name the helper service's proxy, which reads AI Studio's traffic where it passes."""
        options = self.options
        if options.protocol != HELPER or options.address is None or options.proxy is None:
            return None
        from studiogate_studio.proxies import ForeignInterceptor, parse_host_port  # noqa: PLC0415

        host, port = parse_host_port(options.proxy)
        return ForeignInterceptor(host=host, port=port, ca=options.proxy_ca, plugin="helper_backend")

    @hookimpl
    def apply_params(self, params: Params, model: Model | None) -> Params | None:
        """Keep what the service can be given, or what the page has a control for."""
        if self.options.protocol == HELPER:
            from studiogate_studio.params import fit  # noqa: PLC0415

            _, params = params.take(PARALLEL)
            params = fit(params, model)
            return params if params.seed is None else params.drop("seed", "the page has no control for it")
        from studiogate_helper_backend.request import pass_on  # noqa: PLC0415

        return pass_on(params)

    @hookimpl
    async def fetch_response(self, exchange: "Exchange") -> AsyncGenerator[Event]:
        """Have the service answer and yield what it says."""
        if self._answer is None:
            raise Declined(f"no {self.options.missing} is set")
        if self._cookie is not None and self._cookie.missing:
            raise Declined(NO_COOKIE)
        try:
            async with aclosing(self._answer(exchange)) as events:
                async for event in events:
                    yield event
        except ServiceError as error:
            if error.status not in _ASKERS_FAULT:
                self._last_failure = {"what": error.meaning, "at": int(time.time())}
            raise

    @hookimpl
    def list_models(self) -> Sequence[Model]:
        """Return the models that the operator maps; the page's are the studio's to list."""
        if self.options.protocol == HELPER:
            return []
        return [
            Model(id=ours, display_name=theirs, owned_by="helper_backend")
            for ours, theirs in self.options.models.items()
        ]

    @hookimpl
    def takes_model(self) -> bool:
        """Take any model that is asked of an OpenAI-compatible service: its list isn't known here."""
        return self.options.protocol == OPENAI and self.options.base_url is not None

    @hookimpl
    def health(self) -> Health:
        """Return whether there is a service to ask, and what last went wrong with it."""
        if self.options.address is None:
            advice = f"Set {self.options.missing} in [helper_backend], or take helper_backend off the plugins."
            return Health(ready=False, status="inactive", advice=advice)
        if self._cookie is not None and self._cookie.missing:
            return Health(ready=False, status="inactive", advice=NO_COOKIE)
        details = {"protocol": self.options.protocol, "last_failure": self._last_failure}
        return Health(ready=True, status="ready", details=details)
