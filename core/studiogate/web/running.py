"""A gateway that serves: what the server hands to whoever runs it."""

import attrs
from litestar import Litestar

from studiogate.config import Config
from studiogate.gateway import Gateway
from studiogate.plugins import InstalledPlugins


@attrs.frozen
class Running:
    """Hold a serving gateway."""

    _first: Gateway
    url: str
    """Such as `http://127.0.0.1:2048`, without a path."""
    _app: Litestar
    _installed: InstalledPlugins | None

    @property
    def gateway(self) -> Gateway:
        """Return the gateway that takes the requests now."""
        return self._first.current

    async def reload(self, config: Config) -> Gateway:
        """Follow a changed configuration, as `Gateway.reload` does; returns the gateway that takes the requests now."""
        following = await self.gateway.reload(config, self._installed)
        self._app.state.gateway = self.gateway
        return following
