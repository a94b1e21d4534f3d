"""Answers from another service: the whole request goes to any OpenAI-compatible one."""

import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, ClassVar

from studiogate.errors import Declined
from studiogate.events import Event
from studiogate.health import Health
from studiogate.hookspecs import hookimpl
from studiogate.models import Model
from studiogate.params import Params
from studiogate_helper_backend.errors import ServiceError
from studiogate_helper_backend.settings import HelperBackendSettings

if TYPE_CHECKING:
    from studiogate.exchange import Exchange
    from studiogate.gateway import Gateway
    from studiogate_helper_backend.service import Service

__all__ = ["HelperBackend", "HelperBackendSettings"]

log = logging.getLogger(__name__)

_ASKERS_FAULT = (400, 413, 422)
"""Statuses that tell nothing of how the service fares."""


class HelperBackend:
    """The backend `helper_backend`: another service answers."""

    settings: ClassVar[type[HelperBackendSettings]] = HelperBackendSettings

    def __init__(self, settings: HelperBackendSettings) -> None:
        self.options = settings
        """This plugin's settings; `settings` is their class."""
        self._service: Service | None = None
        self._last_failure: dict[str, str | int] | None = None

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, gateway: "Gateway") -> AsyncGenerator[None]:
        """Hold the connections to the service."""
        from studiogate_helper_backend.service import connected  # noqa: PLC0415 - aiohttp, needed by who serves only

        if self.options.base_url is None:
            log.info("helper_backend is inactive: no base_url is set")
        async with connected(self.options, gateway.config.environ) as service:
            self._service = service
            try:
                yield
            finally:
                self._service = None

    @hookimpl
    def apply_params(self, params: Params) -> Params | None:
        """Keep every parameter that the service can be given."""
        from studiogate_helper_backend.request import pass_on  # noqa: PLC0415 - see lifespan

        return pass_on(params)

    @hookimpl
    async def fetch_response(self, exchange: "Exchange") -> AsyncGenerator[Event]:
        """Ask the service and yield what it says."""
        from studiogate_helper_backend.asking import answer  # noqa: PLC0415 - see lifespan

        if self._service is None:
            raise Declined("no base_url is set")
        try:
            async with aclosing(answer(exchange, self._service)) as events:
                async for event in events:
                    yield event
        except ServiceError as error:
            if error.status not in _ASKERS_FAULT:
                self._last_failure = {"what": error.meaning, "at": int(time.time())}
            raise

    @hookimpl
    def list_models(self) -> Sequence[Model]:
        """Return the models that the operator maps."""
        return [
            Model(id=ours, display_name=theirs, owned_by="helper_backend")
            for ours, theirs in self.options.models.items()
        ]

    @hookimpl
    def takes_model(self) -> bool:
        """Take any model that is asked of an OpenAI-compatible service: its list isn't known here."""
        return self.options.protocol == "openai" and self.options.base_url is not None

    @hookimpl
    def health(self) -> Health:
        """Return whether there is a service to ask, and what last went wrong with it."""
        if self.options.base_url is None:
            advice = "Set base_url in [helper_backend], or take helper_backend off the plugins."
            return Health(ready=False, status="inactive", advice=advice)
        details = {"protocol": self.options.protocol, "last_failure": self._last_failure}
        return Health(ready=True, status="ready", details=details)
