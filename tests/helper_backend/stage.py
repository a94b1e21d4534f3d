"""The helper service's whole way as processes: simulator, service and gateways, each with a real browser."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx

from tests.e2e.house import Gateway, Simulator, deltas, running_gateway, wait_until, write_config
from tests.helper_service import HelperService, running_helper


@attrs.frozen(kw_only=True)
class Stage:
    """A gateway, the service that it listens to, and the simulator behind both."""

    simulator: Simulator
    helper: HelperService
    gateway: Gateway
    tabs: int

    def ready(self) -> "Stage":
        """Wait until all tabs are, and forget what was."""
        wait_until(lambda: self.gateway.tabs_ready() == self.tabs, "the tabs")
        self.simulator.reset()
        self.helper.reset()
        return self

    def attempts(self, response: httpx.Response) -> str:
        """Return what a response says of who was tried."""
        return response.headers["x-studiogate-attempts"]


@contextmanager
def standing(
    folder: Path,
    simulator: Simulator,
    backends: Sequence[str],
    *,
    tabs: int = 1,
    tables: Mapping[str, Mapping[str, Any]] | None = None,
) -> Generator[Stage]:
    """Run service and gateway; the service's proxy is the way to the simulator."""
    with ExitStack() as stack:
        helper = stack.enter_context(
            running_helper(
                folder / "helper",
                simulator=simulator.port,
                simulator_ca=simulator.ca,
                storage_state=simulator.storage_state,
            )
        )
        settings: dict[str, dict[str, Any]] = {
            # Faults come in rows here; and a busy machine may be slow.
            "gateway": {"breaker_failures": 1000, "first_event_s": 30.0},
            "studio": {"tabs": tabs},
            "helper_backend": {**helper.table(), "lag_s": 1.0, "settle_s": 1.0},
        }
        for name, table in (tables or {}).items():
            settings.setdefault(name, {}).update(table)
        config = write_config(folder, simulator, settings, backends=backends)
        gateway = stack.enter_context(running_gateway(config))
        yield Stage(simulator=simulator, helper=helper, gateway=gateway, tabs=tabs)


def read(response: httpx.Response) -> tuple[str, dict[str, Any]]:
    """Return a stream's text and its last chunk, which may be an error."""
    text, last = "", dict[str, Any]()
    for last in deltas(response):
        text += content(last)
    return text, last


def content(chunk: dict[str, Any]) -> str:
    """Return the text that a chunk brings."""
    return "".join(choice["delta"].get("content") or "" for choice in chunk.get("choices", ()))
